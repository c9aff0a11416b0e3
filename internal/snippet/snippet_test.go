package snippet

import (
	"strings"
	"testing"
)

func TestSnippets(t *testing.T) {
	t.Parallel()
	p := Project{Ref: "abcdefghijklmnopqrst", URL: "http://localhost:8000/p/abcdefghijklmnopqrst", Key: "sb_publishable_x"}
	for name, tc := range map[string]struct{ text, setting string }{
		"client": {p.Client(), "auth: { storageKey: 'sb-abcdefghijklmnopqrst-auth-token' }"},
		"server": {p.Server(), "cookieOptions: { name: 'sb-abcdefghijklmnopqrst-auth-token' }"},
	} {
		for _, part := range []string{"(\n  'http://localhost:8000/p/abcdefghijklmnopqrst',\n  'sb_publishable_x',\n", tc.setting} {
			if !strings.Contains(tc.text, part) {
				t.Errorf("%s: no %s in\n%s", name, part, tc.text)
			}
		}
	}
}

// TestQuote: a value cannot end its string.
func TestQuote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": `'plain'`, `it's`: `'it\'s'`, `a\`: `'a\\'`, "a\nb\r": `'a\nb\r'`, "\u2028": `'\u2028'`,
	} {
		if got := quote(in); got != want {
			t.Errorf("%q: %s", in, got)
		}
	}
}
