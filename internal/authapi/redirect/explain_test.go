package redirect_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/tenants"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	cfg := &tenants.Config{}
	cfg.SiteURL = "https://app.example.com"
	cfg.URIAllowList = "https://*.example.org/welcome, http://localhost:*, myapp://**, https://example.net:8443/**"
	for raw, want := range map[string]struct {
		by         int
		normalized string
		mismatch   string // of the first entry of the allow list
		refused    string
		warning    string
	}{
		"https://APP.example.com:443/x#frag":     {by: 0, normalized: "https://app.example.com/x", mismatch: "The host does not match.", warning: "fragment"},
		"https://a.example.org/welcome":          {by: 1, normalized: "https://a.example.org/welcome"},
		"https://a.b.example.org/welcome":        {by: -1, normalized: "https://a.b.example.org/welcome", mismatch: "The host does not match."},
		"https://a.example.org/other?x=1":        {by: -1, normalized: "https://a.example.org/other?x=1", mismatch: "The path or query does not match."},
		"https://a.example.org:444/welcome":      {by: -1, normalized: "https://a.example.org:444/welcome", mismatch: "The port does not match."},
		"http://a.example.org/welcome":           {by: -1, normalized: "http://a.example.org/welcome", mismatch: "The scheme differs.", warning: "unencrypted"},
		"HTTP://localhost:5173":                  {by: 2, normalized: "http://localhost:5173/", mismatch: "The scheme differs."},
		"myapp://callback?x=1":                   {by: 3, normalized: "myapp://callback?x=1", mismatch: "The scheme differs."},
		"https://jane@app.example.com/":          {by: -1, refused: "user name", mismatch: "The URL is refused."},
		"https://app.example.com/a/../b":         {by: -1, refused: ". or .. segments", mismatch: "The URL is refused."},
		"https://127.1/":                         {by: -1, refused: "host", mismatch: "The URL is refused."},
		"https://app.example.com\\@evil.test/":   {by: -1, refused: "backslash", mismatch: "The URL is refused."},
		"javascript://app.example.com/%0a":       {by: -1, refused: "runs code", mismatch: "The URL is refused."},
		"/welcome":                               {by: -1, refused: "no absolute URL", mismatch: "The URL is refused."},
		"https://x/" + strings.Repeat("y", 5000): {by: -1, refused: "longer", mismatch: "The URL is refused."},
	} {
		got := redirect.Explain(cfg, raw)
		if got.By != want.by || got.Allowed != (want.by >= 0) || got.Normalized != want.normalized || !strings.Contains(got.Refused, want.refused) ||
			(got.Refused == "") != (want.refused == "") || len(got.Patterns) != 5 || got.Patterns[1].Mismatch != want.mismatch {
			t.Errorf("%s: %+v, want %+v", raw, got, want)
		}
		if got.Allowed != redirect.Allowed(cfg, raw) || got.Target != redirect.Target(cfg, raw) {
			t.Errorf("%s: explained as %v, %s; decided otherwise", raw, got.Allowed, got.Target)
		}
		if want.warning != "" && !strings.Contains(strings.Join(got.Warnings, " "), want.warning) {
			t.Errorf("%s: warnings %q", raw, got.Warnings)
		}
	}
}

func TestPatternWarnings(t *testing.T) {
	t.Parallel()
	for entry, want := range map[string]string{
		"https://*.example.com/**":     "",
		"https://app-*.example.co.uk":  "",
		"https://*.co.uk/**":           "below co.uk",
		"https://*.vercel.app":         "below vercel.app",
		"https://shop-*.vercel.app/**": "below vercel.app",
		"https://*":                    "of anybody",
		"https://**":                   "of anybody",
		"https://**/callback":          "of anybody",
		"https://example.*":            "of anybody",
		"https://*example.com":         "below com",
		"http://10.0.0.*:3000":         "unencrypted",
		"http://localhost:*/**":        "",
		"http://*.localhost:3000":      "",
		"http://127.0.0.1:3000/**":     "",
		"http://example.com":           "unencrypted",
		"https://a@example.com":        "user name",
		"com.example://**":             "",
		"example.com":                  "matches nothing",
	} {
		cfg := &tenants.Config{}
		cfg.URIAllowList = entry
		got := redirect.Explain(cfg, "https://x.test").Patterns[1].Warnings
		if want == "" && len(got) > 0 || want != "" && !slices.ContainsFunc(got, func(w string) bool { return strings.Contains(w, want) }) {
			t.Errorf("%s: warnings %q, want %q", entry, got, want)
		}
	}
}
