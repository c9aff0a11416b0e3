// Package setuplink serves links by which a company's administrator, who has no account
// here, sets up the company's connection.
//
//  1. A developer makes a link for one connection, which the link may make itself, and for
//     intents: what may be done by it. The answer alone shows its token.
//  2. The page of the link sends the token with each request. Find looks it up; a token
//     that is unknown, expired, revoked or used up is auth.ErrSetupLink, and nothing tells
//     which.
//  3. Each intent is done once: sso and certificate by Finish, scim when the token was made.
//     When all are done the link is used up.
//
// The connection is switched off until Finish of sso, and then only a dry run that
// succeeded since its last change lets it go live.
package setuplink
