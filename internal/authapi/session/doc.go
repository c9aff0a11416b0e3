// Package session owns sessions: every way of signing in begins them here, and
// they are rotated, upgraded and ended here.
//
//  1. A flow proves who the user is, inside the transaction that SignIn opens,
//     and writes what follows from the proof.
//  2. SignIn checks whether the account may have a session: it is not deleted,
//     not banned, of the project's audience, and confirmed if the flow requires it.
//  3. Session, sign-in mark, audit entry and activity are written. Triggers of
//     the project's developer may have run by then, so user and session are read
//     again and the account is checked once more.
//  4. The claims of the access token are made inside the transaction, so that a
//     refusing hook rolls all of it back; they are signed after the commit.
//
// A refresh is the hottest path and has two ways. The fast one is a single
// statement that rotates the newest refresh token of a session in good
// standing; where the project has a hook, it and the hook are one transaction. Three
// kinds of refresh take the slow way, a transaction that locks the session: those
// that the statement does not match, those that a trigger of the project's developer
// must see, and, as far as this process knows, the first one of a session in a
// billing period.
package session
