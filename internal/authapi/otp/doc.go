// Package otp serves sign-in by a mailed link or code: POST /otp and POST
// /magiclink. The link and the code are redeemed at /verify (see package verify).
//
// A request for an unknown address creates an unconfirmed user without a password,
// unless it says create_user false or the project allows no sign-ups. The answer is
// always the same: it never reveals whether a user exists.
package otp
