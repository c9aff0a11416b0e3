// Package admin manages a project's users for the holder of a secret key: GET
// and POST /admin/users, GET, PUT and DELETE /admin/users/{id}, and GET
// /admin/audit.
//
//  1. The request is validated, and a password hashed, before any transaction.
//  2. One transaction writes user, identities and the audit entry, whose actor
//     is the service role and whose traits name the user.
//
// An address that an admin sets is effective at once: no mail is sent, and
// links that were mailed to an earlier address become invalid. A new password
// ends the user's sessions. Package adminlink generates links for admins to
// deliver.
package admin
