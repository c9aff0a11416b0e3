package auth

import (
	"regexp"
	"strings"
	"unicode"
)

// maxEmail is the longest address (RFC 5321, section 4.5.3.1.3), maxLocal its
// longest part before the @.
const (
	maxEmail = 254
	maxLocal = 64
)

// emailForm is the address form that browsers use for input type=email (WHATWG
// HTML), which the reference follows too.
var emailForm = regexp.MustCompile("^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$")

// NormalizeEmail lower-cases an address and checks its form; ErrValidation.
func NormalizeEmail(s string) (string, error) {
	email := strings.TrimSpace(s)
	if email == "" {
		return "", ErrValidation.Saying("An email address is required")
	}
	// Letters of other scripts are refused before lower-casing: the Kelvin
	// sign, for example, would become the k of another user's address.
	ascii := strings.IndexFunc(email, func(r rune) bool { return r > unicode.MaxASCII }) < 0
	email = strings.ToLower(email)
	switch {
	case len(email) > maxEmail:
		return "", ErrValidation.Saying("Unable to validate email address: it is too long")
	case !ascii, strings.IndexByte(email, '@') > maxLocal, !emailForm.MatchString(email):
		return "", ErrValidation.Saying("Unable to validate email address: invalid format")
	}
	return email, nil
}
