// Package grant is POST /token: every grant_type that gives a session. A grant is
// a file and an entry of Handler.grants: it decodes its own members and proves
// who the user is. What all grants share is session.Sessions, the door that they
// end at; rotating a refresh token is that package's alone.
package grant
