// Package grant is POST /token: every grant_type that issues a session. A grant
// is a file and an entry of Handler.grants: it decodes its members and proves
// who the user is. Every grant ends in session.Sessions, which alone rotates
// refresh tokens.
package grant
