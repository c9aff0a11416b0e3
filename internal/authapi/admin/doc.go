// Package admin is what the holder of a secret key does with a project's users:
// GET and POST /admin/users, GET, PUT and DELETE /admin/users/{id}, and GET
// /admin/audit.
//
//  1. The request is validated, and a password hashed, before any transaction.
//  2. One transaction writes user, identities and the audit entry, whose actor
//     is the service role and whose traits name the user.
//
// What an admin says about an address counts at once: no mail goes out, and
// links that were mailed to an earlier address die. A new password ends the
// user's sessions. Links for admins to deliver are made by package adminlink.
package admin
