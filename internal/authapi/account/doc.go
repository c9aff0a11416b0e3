// Package account serves signed-in users' own accounts: GET and PUT /user, GET
// /reauthenticate, POST /logout.
//
// A change of password ends all other sessions. A change of address waits until
// the mailed links are followed: the new address's, and with secure change the
// current one's too (see package verify). With a verified second factor both
// need an aal2 session. A project may require a nonce, mailed by GET
// /reauthenticate, before a password changes in an older session.
package account
