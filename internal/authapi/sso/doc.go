// Package sso serves sign-in by enterprise connections: POST /sso, GET
// /sso/saml/metadata, POST /sso/saml/acs, and the connections themselves below
// /admin/sso/providers.
//
//  1. Begin finds the connection, by its id or by the domain of an address, writes a
//     relay state with the id of the request, and sends the browser to the identity
//     provider.
//  2. The browser posts the provider's response to the assertion consumer service. The
//     relay state is deleted before anything else happens, so a request is answered
//     once. A response without one is unasked: its issuer names the connection.
//  3. Package saml verifies the response.
//  4. In one transaction the assertion is marked as used, the user is found or created,
//     and the session begins, or the code of PKCE is issued. What refuses the sign-in
//     uses up nothing.
//
// Users of a connection are apart from all others, whatever their address: an identity
// provider that somebody else runs must not sign in to an account that it did not make.
package sso
