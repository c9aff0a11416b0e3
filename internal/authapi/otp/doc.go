// Package otp serves sign-in by a link or code: POST /otp and POST /magiclink by
// mail, and POST /otp by a text message. The link and the code are redeemed at
// /verify (see package verify).
//
// A request for an unknown address or number creates an unconfirmed user without a
// password, unless it says create_user false or the project allows no sign-ups. The
// answer is always the same: it never reveals whether a user exists.
package otp
