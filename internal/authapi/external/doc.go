// Package external serves sign-in and linking at external identity providers:
// GET /authorize, GET and POST /callback, GET /user/identities/authorize.
//
//  1. Begin checks the provider and the redirect target, writes a flow state, and
//     sends the browser to the provider. The state parameter is the row's id. The
//     nonce and the code verifier for the provider are derived from it with a key
//     of the project, so that nothing secret is stored.
//  2. The provider sends the browser to the callback. The row is deleted before
//     anything else happens, so a state is used once.
//  3. The connector redeems the code, outside of any transaction.
//  4. users.Resolve finds or creates the user, or the identity is linked to the
//     user who asked for it.
//  5. With PKCE the app gets a code, which it redeems at POST /token; the
//     provider's tokens are sealed until then. Without, the browser gets the
//     session in the fragment.
//
// Somebody could make another person's browser open a callback that completes
// the attacker's sign-in (login CSRF, RFC 6749, section 10.12). With PKCE only
// the app that began can redeem the code. Without it, and for linking, the
// callback must come from the browser that began, which has a cookie; any other
// browser is shown a page that asks first.
package external
