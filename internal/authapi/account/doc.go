// Package account is what signed-in users do with their own account: GET and PUT
// /user, POST /logout.
//
// A change of password ends all other sessions. A change of address waits until
// the mailed links are followed: the new address's, and with secure change the
// current one's too (see package verify). With a verified second factor both
// need an aal2 session.
package account
