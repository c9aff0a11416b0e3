// Package recovery sends links to people who are not signed in: POST /recover
// for a forgotten password, POST /resend for a confirmation that got lost.
//
// The answer is an empty object whether or not anybody has the address, and so
// is the refusal of asking again too soon: for an unknown address it is counted
// in memory, for a known one by what the user's row says.
package recovery
