// Package adminlink generates links for users on behalf of an admin: POST
// /admin/generate_link answers with a link for the admin to deliver, POST
// /invite mails one.
//
//  1. The request is validated, and a password hashed, before any transaction.
//  2. One transaction finds or creates the user, updates the columns of the kind
//     of link, and writes the one-time token, the audit entry and, for /invite,
//     the mail.
//
// Package verify redeems the link. The password of an unconfirmed user was
// chosen by somebody who has not proved ownership of the address, so an
// invitation removes it and a sign-up link replaces it.
package adminlink
