package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnknownKeySuggestion(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ text, want string }{
		"letter missing":        {"http: {listn: x}", "http.listn: line 1: unknown key; did you mean http.listen?"},
		"neighbours exchanged":  {"mail: {form: x}", "mail.form: line 1: unknown key; did you mean mail.from?"},
		"two edits":             {"http: {publc_ulr: x}", "http.publc_ulr: line 1: unknown key; did you mean http.public_url?"},
		"section":               {"databse: {url: x}", "databse: line 1: unknown key; did you mean database?"},
		"in no section":         {"listen: x", "listen: line 1: unknown key; did you mean http.listen?"},
		"in another section":    {"database: {public_url: x}", "database.public_url: line 1: unknown key; did you mean http.public_url?"},
		"below unknown section": {"server: {listen: x}", "server: line 1: unknown key"},
		"nothing near":          {"http: {colour: x}", "http.colour: line 1: unknown key"},
		"short":                 {"http: {abc: x}", "http.abc: line 1: unknown key"},
		"long":                  {"? " + strings.Repeat("a", 5000) + "\n: x", strings.Repeat("a", 5000) + ": line 1: unknown key"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Over(Development(), file(t, tc.text), env(nil))
			if diff := cmp.Diff([]string{tc.want}, problems(t, err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
