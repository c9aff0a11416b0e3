package auth

import (
	"regexp"
	"strings"
)

// phoneForm is a number of ITU-T E.164 without its plus sign.
var phoneForm = regexp.MustCompile(`^[1-9][0-9]{1,14}$`)

// NormalizePhone removes the plus sign and spaces from a phone number and
// checks its form (ITU-T E.164); ErrBadPhone.
func NormalizePhone(s string) (string, error) {
	phone := strings.TrimPrefix(strings.ReplaceAll(strings.TrimSpace(s), " ", ""), "+")
	if !phoneForm.MatchString(phone) {
		return "", ErrBadPhone
	}
	return phone, nil
}
