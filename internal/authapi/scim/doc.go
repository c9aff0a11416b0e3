// Package scim lets the directories of companies provision their users and groups by
// SCIM 2.0. Each enterprise connection is a directory of its own.
//
//  1. A request has a bearer token of a connection, which says whose directory it is. No
//     API key is needed. What a directory cannot see is not there: 404.
//  2. A user that is pushed becomes the user of the connection that has signed in before,
//     by externalId, userName or address; else a new one, who is found by these when they
//     sign in (users.ResolveSSO). The document is kept as it was pushed.
//  3. A user who is deactivated or removed loses all sessions at once, and cannot sign in
//     until the directory has them active again. The user of the project stays.
//  4. Each push is noted in the connection's log, from which it can be replayed.
//
// Package internal/scim is the protocol.
package scim
