// Package recovery sends links to people who are not signed in: POST /recover
// for a forgotten password, POST /resend for a lost confirmation.
//
// The answer is an empty object whether or not the address has a user. So is
// the refusal of a request that comes too soon: it is counted in memory for an
// unknown address, and by the user's row for a known one.
package recovery
