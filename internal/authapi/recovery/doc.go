// Package recovery sends links to people who are not signed in: POST /recover
// for a forgotten password, POST /resend for a lost confirmation.
//
// The answer is an empty object whether or not the address has a user. The
// answer to a request that comes too soon is the same for both. It is limited in
// memory for an unknown address, and by the user's row for a known one.
package recovery
