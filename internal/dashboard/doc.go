// Package dashboard owns the sessions by which a browser uses the Management API
// on the main host. A session is one of the platform project, an ordinary project:
// its auth endpoint signs people in, and this package has no other way in.
//
//  1. A page on the main host signs a person in at the platform project, and
//     exchanges the tokens that it got for cookies that no script can read.
//  2. The Management API takes the access token from its cookie (Credential), and
//     checks it as any other: user and session are read for each request.
//  3. When the access token has expired, the page asks for the next one. The
//     refresh token rotates as in the tenant plane, with the same rules for reuse.
//  4. Signing out ends the session in the platform project.
//
// Requests with the cookies must come from a page of the main host: see Guard.
// Tokens are in no answer's body and in no log.
package dashboard
