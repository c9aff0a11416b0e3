// Package grant is POST /token: every grant_type that gives a session. Each
// grant is a file; what they share is the handler's choice by grant_type and
// session.Sessions at the end.
//
// A refresh is the hottest path of all and has two ways. The fast one is a
// single statement that rotates the newest refresh token of a session in good
// standing. Whatever it does not match goes the slow way: a transaction that
// locks the session and finds out why.
package grant
