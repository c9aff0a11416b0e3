// Package verify redeems one-time tokens: POST /verify by an app, GET /verify by
// a link in a mail.
//
//  1. The token is looked up by its digest. For a code, the digest is computed
//     from address and code.
//  2. One transaction consumes the token and applies it: it confirms the address,
//     accepts the invitation, signs the user in, or performs a step of a change of
//     address.
//  3. POST answers with a session. GET redirects with the session in the
//     fragment, with a code when the flow began with PKCE, or with the error.
//
// Failed guesses are limited by e-mail address, because a client can change its IP
// address cheaply.
package verify
