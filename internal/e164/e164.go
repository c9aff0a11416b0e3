// Package e164 knows the numbering plans of telephone numbers (ITU-T E.164): which
// country a number belongs to, and whether it can exist. It does not own the form
// in which numbers are stored, which is auth.NormalizePhone.
package e164

import (
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Number is a number that can exist.
type Number struct {
	Digits string // without the plus sign
	Prefix string // the country calling code, such as 44
	// Country is the ISO 3166-1 code of the number's country; "" if the number
	// belongs to none, or to an unassigned range.
	Country string
}

// Parse reads a number of digits without a plus sign. It returns false for a
// number that has no country calling code, or not the length of a number there.
func Parse(digits string) (Number, bool) {
	n, err := phonenumbers.Parse("+"+digits, "")
	if err != nil || !phonenumbers.IsPossibleNumber(n) || phonenumbers.Format(n, phonenumbers.E164) != "+"+digits {
		return Number{}, false
	}
	country := phonenumbers.GetRegionCodeForNumber(n)
	if !IsCountry(country) {
		country = ""
	}
	return Number{Digits: digits, Prefix: strconv.Itoa(int(n.GetCountryCode())), Country: country}, true
}

// IsCountry reports whether code is the ISO 3166-1 code, in capitals, of a country
// with telephone numbers.
func IsCountry(code string) bool {
	return len(code) == 2 && code == strings.ToUpper(code) && phonenumbers.GetCountryCodeForRegion(code) != 0
}
