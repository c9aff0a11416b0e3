package token

import (
	"errors"

	"github.com/golang-jwt/jwt/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// The errors of a token that this package itself detects.
var (
	errParts   = errors.New("not three parts")
	errNoKey   = errors.New("no such key")
	errSubject = errors.New("sub is not a UUID")
	errSession = errors.New("session_id is not a UUID")
)

// reasons are the messages of a bad_jwt, in the reference's words where it has
// the case, the most specific first. They are constants: no part of the token,
// of a key or of a library's error is shown.
var reasons = []struct {
	err  error
	text string
}{
	{errParts, "token is malformed: token contains an invalid number of segments"},
	{errNoKey, "token is unverifiable: unrecognized JWT kid or algorithm"},
	{errSubject, "invalid claim: sub claim must be a UUID"},
	{errSession, "invalid claim: session_id claim must be a UUID"},
	{jwt.ErrTokenMalformed, "token is malformed"},
	{jwt.ErrTokenUnverifiable, "token is unverifiable"},
	{jwt.ErrTokenSignatureInvalid, "token signature is invalid: signature is invalid"},
	{jwt.ErrTokenExpired, "token has invalid claims: token is expired"},
	{jwt.ErrTokenNotValidYet, "token has invalid claims: token is not valid yet"},
	{jwt.ErrTokenInvalidAudience, "token has invalid claims: token has invalid audience"},
	{jwt.ErrTokenInvalidIssuer, "token has invalid claims: token has invalid issuer"},
	{jwt.ErrTokenRequiredClaimMissing, "token has invalid claims: token is missing required claim"},
}

// badJWT is auth.ErrBadJWT with the reason in its message.
func badJWT(err error) error {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return auth.ErrBadJWT.Because(err).Saying(auth.TextBadJWT + r.text)
		}
	}
	return auth.ErrBadJWT.Because(err)
}

// Expired reports whether a token was refused only because it has expired.
func Expired(err error) bool { return errors.Is(err, jwt.ErrTokenExpired) }
