package dev

import (
	"strings"
	"testing"
)

func TestBanner(t *testing.T) {
	t.Parallel()
	const create = "bin/reeve projects create NAME"
	cases := map[string]struct {
		banner    banner
		has, none []string
	}{
		"with the demo project": {
			banner{Options: Options{Command: "bin/reeve", Data: DefaultData}, demo: &demo{ref: "r", url: "http://u", key: "k"}},
			[]string{"\n    const supabase = createClient(\n      'http://u',\n      'k',\n", "storageKey: 'sb-r-auth-token'", "bin/reeve inbox list --project r", "secret key and SQL", create},
			[]string{"/dev/open"},
		},
		"with a link": {
			banner{Options: Options{Command: "bin/reeve", Data: DefaultData}, demo: &demo{ref: "r"}, page: "http://u/dev/open?code=c"},
			[]string{"\n    http://u/dev/open?code=c\n", "inbox there"},
			nil,
		},
		"without": {
			banner{Options: Options{Command: "bin/reeve", Data: DefaultData}},
			[]string{create},
			[]string{"inbox list", "demo"},
		},
		"in another folder": {
			banner{Options: Options{Command: "bin/reeve", Data: "x"}},
			[]string{"bin/reeve --data x projects create NAME"},
			nil,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			if err := tc.banner.print(&out); err != nil {
				t.Fatal(err)
			}
			for _, part := range tc.has {
				if !strings.Contains(out.String(), part) {
					t.Errorf("nothing about %q in:\n%s", part, out.String())
				}
			}
			for _, part := range tc.none {
				if strings.Contains(out.String(), part) {
					t.Errorf("%q in:\n%s", part, out.String())
				}
			}
		})
	}
}
