package factor

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/tenants"
)

// FuzzNormalCode: the form of a typed code is its own, and nothing in it separates.
func FuzzNormalCode(f *testing.F) {
	for _, s := range []string{"", " - ", "K4M2-X7QP-2AB7-HT3Z", "k4m2 x7qp\t2ab7\nht3z", "\u00a0\u2003a-B", "İ", "\xff-\xfe", "K"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code := normalCode(typed)
		if again := normalCode(code); again != code {
			t.Errorf("%q becomes %q, then %q", typed, code, again)
		}
		if strings.ContainsFunc(code, func(r rune) bool { return r == '-' || unicode.IsSpace(r) }) {
			t.Errorf("%q becomes %q", typed, code)
		}
		if utf8.RuneCountInString(code) > utf8.RuneCountInString(typed)+strings.Count(typed, "İ") {
			t.Errorf("%q becomes longer: %q", typed, code)
		}
	})
}

// Codes are found however people type them, and only by their own hash.
func TestRecoveryCodesAreTyped(t *testing.T) {
	t.Parallel()
	tenant := &tenants.Tenant{}
	tenant.Secrets.OTPKey = []byte("0123456789abcdef0123456789abcdef")
	factor := uuid.New()
	codes, hashes := newRecoveryCodes(tenant, factor)
	seen := map[string]bool{}
	for i, code := range codes {
		if seen[code] || len(code) != 16 {
			t.Errorf("%q", code)
		}
		seen[code] = true
		for range 50 {
			var typed strings.Builder
			for _, r := range code {
				if rand.IntN(2) == 0 {
					r = unicode.ToUpper(r)
				}
				typed.WriteRune(r)
				typed.WriteString([]string{"", "", "-", " ", "\t"}[rand.IntN(5)])
			}
			if got := codeHash(tenant, factor, normalCode(typed.String())); got != hashes[i] {
				t.Fatalf("%q is not %q", typed.String(), code)
			}
		}
		if codeHash(tenant, uuid.New(), code) == hashes[i] {
			t.Error("a hash is the same for another factor")
		}
	}
}
