// Package verify redeems one-time tokens: POST /verify by an app, GET /verify by
// a link in a mail.
//
//  1. A code is compared with those that were last mailed to its address. The
//     digest of the token is computed from address and code, or from the link.
//  2. One transaction consumes the token and applies it: it confirms the address,
//     accepts the invitation, signs the user in, or performs a step of a change of
//     address.
//  3. POST answers with a session. GET redirects with the session in the
//     fragment, with a code when the flow began with PKCE, or with the error.
//
// A code can be guessed. Wrong ones are counted for each code, for the address,
// and for the client that enters them. A code that was guessed at too often is
// refused as a wrong one, and so is every code of such an address. The link in
// the same mail, which cannot be guessed, still works: else anybody could lock
// somebody out by wrong codes.
package verify
