// Package verify redeems one-time tokens: POST /verify by an app, GET /verify by
// a link in a mail.
//
//  1. The token is looked up by its digest, or made again from address and code.
//  2. One transaction consumes it and does what it is good for: confirms the
//     address, accepts the invitation, signs in, or takes a step of a change of
//     address.
//  3. POST answers with a session. GET redirects with the session in the
//     fragment, with a code when the flow began with PKCE, or with the error.
//
// Failed guesses count against the address that they are made for, as the
// address of the client is cheap to change.
package verify
