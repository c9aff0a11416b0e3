package e164_test

import (
	"testing"

	"github.com/reevehq/reeve/internal/e164"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for digits, want := range map[string]e164.Number{
		"14155552671":   {Digits: "14155552671", Prefix: "1", Country: "US"},
		"16135550123":   {Digits: "16135550123", Prefix: "1", Country: "CA"},
		"447400123456":  {Digits: "447400123456", Prefix: "44", Country: "GB"},
		"491701234567":  {Digits: "491701234567", Prefix: "49", Country: "DE"},
		"15550002222":   {Digits: "15550002222", Prefix: "1"}, // no area has it
		"80012345678":   {Digits: "80012345678", Prefix: "800"},
		"4915112345678": {Digits: "4915112345678", Prefix: "49", Country: "DE"},
	} {
		if got, ok := e164.Parse(digits); !ok || got != want {
			t.Errorf("Parse(%s) = %+v, %v, want %+v", digits, got, ok, want)
		}
	}
	for _, digits := range []string{"", "1", "12", "999123456789", "1415555", "+14155552671", "1415555267123", "44 7911", "x", "0170123456"} {
		if got, ok := e164.Parse(digits); ok {
			t.Errorf("Parse(%q) = %+v, want none", digits, got)
		}
	}
}

func TestIsCountry(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{"US": true, "DE": true, "us": false, "": false, "ZZ": false, "001": false, "XX": false, "USA": false} {
		if e164.IsCountry(code) != want {
			t.Errorf("IsCountry(%q) is %v", code, !want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("14155552671")
	f.Add("49;ext=1")
	f.Fuzz(func(t *testing.T, digits string) {
		if n, ok := e164.Parse(digits); ok {
			for _, c := range digits {
				if c < '0' || c > '9' {
					t.Errorf("%q is taken as %+v", digits, n)
				}
			}
		}
	})
}
