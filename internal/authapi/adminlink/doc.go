// Package adminlink makes links for users on behalf of an admin: POST
// /admin/generate_link answers with a link for the admin to deliver, POST /invite
// mails one.
//
//  1. The request is validated, and a password hashed, before any transaction.
//  2. One transaction finds or makes the user, marks what was asked for, writes
//     the one-time token, the audit entry and, for /invite, the mail.
//
// Redeeming the link is package verify's. The password of an unconfirmed user was
// chosen by somebody who did not prove to own the address, so an invitation takes
// it away and a sign-up link replaces it.
package adminlink
