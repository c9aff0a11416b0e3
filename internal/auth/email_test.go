package auth_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/reevehq/reeve/internal/auth"
)

func TestNormalizeEmail(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	for in, want := range map[string]string{
		"ann@example.com": "ann@example.com", "Ann@Example.COM": "ann@example.com", " ann@example.com\n": "ann@example.com",
		"ann+tag@example.com": "ann+tag@example.com", "a.b.c@sub.example.co.uk": "a.b.c@sub.example.co.uk", "ann@localhost": "ann@localhost",
		"o'hara@example.com": "o'hara@example.com", "!#$%&'*+/=?^_`{|}~-@x.org": "!#$%&'*+/=?^_`{|}~-@x.org", "ann@xn--bcher-kva.example": "ann@xn--bcher-kva.example",
		"1@2.de": "1@2.de", strings.Repeat("a", 64) + "@example.com": strings.Repeat("a", 64) + "@example.com", "a@" + label + ".com": "a@" + label + ".com",

		"": "", " ": "", "ann": "", "@": "", "ann@": "", "@example.com": "", "ann@@example.com": "", "ann@b@example.com": "",
		"ann@.com": "", "ann@example.": "", "ann@example..com": "", "ann@-example.com": "", "ann@example-.com": "", "ann@exa_mple.com": "",
		"a nn@example.com": "", "ann@exam ple.com": "", "ann@example.com\nbcc: x@y.z": "", "ann\x00@example.com": "", "ann@example.com\x00": "",
		"\"ann\"@example.com": "", "ann(c)@example.com": "", "Ann <ann@example.com>": "", "ann@[127.0.0.1]": "", "ann@example.com,bob@example.com": "",
		"ann@example.com;": "", "änn@example.com": "", "ann@exämple.com": "", "ann@example。com": "", "ann@example.com\u200b": "",
		// Unicode's lower case of the Kelvin sign is an ASCII k.
		"\u212aim@example.com": "", "kim@\u212aiwi.com": "", "\u0130@example.com": "", "ann@example.com\u0307": "", "\xff@example.com": "",
		strings.Repeat("a", 65) + "@example.com": "", "a@" + label + "a.com": "", "a@" + strings.Repeat(label+".", 4) + "com": "", strings.Repeat("a@", 1<<20): "",
	} {
		got, err := auth.NormalizeEmail(in)
		if got != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, auth.ErrValidation) {
			t.Errorf("%.80q: %q, %v, want %q", in, got, err, want)
		}
	}
}

func FuzzNormalizeEmail(f *testing.F) {
	for _, s := range []string{"Ann@Example.com", "\u212a@x.de", " a@b ", "a@b\r\n", "a@b.c@d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := auth.NormalizeEmail(in)
		if err != nil {
			if got != "" || !errors.Is(err, auth.ErrValidation) {
				t.Fatalf("%q, %v", got, err)
			}
			return
		}
		odd := strings.ContainsFunc(got, func(r rune) bool { return r > unicode.MaxASCII || r <= ' ' || r == 0x7f || unicode.IsUpper(r) })
		if len(got) > 254 || odd || strings.Count(got, "@") != 1 {
			t.Errorf("%q becomes %q", in, got)
		}
		if again, err := auth.NormalizeEmail(got); again != got || err != nil {
			t.Errorf("%q becomes %q at the second time, %v", got, again, err)
		}
		if !strings.EqualFold(strings.TrimSpace(in), got) {
			t.Errorf("%q becomes %q", in, got)
		}
	})
}

func TestNormalizePhone(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"+4670000001": "4670000001", "4670000001": "4670000001", "+46 70 000 001": "4670000001", "12": "12", "123456789012345": "123456789012345",

		"": "", "+": "", "0123": "", "+0123": "", "++123": "", "1": "", "1234567890123456": "", "12a": "", "12\n3": "", "12-34": "", "１２３": "",
	} {
		if got, err := auth.NormalizePhone(in); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
	}
}
