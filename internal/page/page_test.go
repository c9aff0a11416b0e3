package page

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// between returns the text between two tags.
func between(s, open, end string) string {
	_, s, _ = strings.Cut(s, open)
	s, _, _ = strings.Cut(s, end)
	return s
}

// TestWrite: the policy allows the style and the script that are sent, and
// nothing that the page does not declare.
func TestWrite(t *testing.T) {
	t.Parallel()
	const text = `{{define "title"}}{{.}}{{end}}{{define "main"}}<h1>{{.}}</h1>{{end}}`
	for name, tc := range map[string]struct {
		options   Options
		has, none []string
		referrer  string
	}{
		"plain": {
			Options{},
			[]string{"form-action 'none'"},
			[]string{"script-src", "frame-src", "'self'"},
			"no-referrer",
		},
		"style": {Options{Style: "h1{color:red}"}, nil, []string{"script-src"}, "no-referrer"},
		"script": {
			Options{Script: "document.title = 'a < b && \"c\"'\n"},
			[]string{"script-src 'sha256-"},
			[]string{"frame-src", "'self'"},
			"no-referrer",
		},
		"form": {Options{Forms: true, KeepReferrer: true}, []string{"form-action 'self'"}, []string{"script-src", "frame-src"}, "same-origin"},
	} {
		rec := httptest.NewRecorder()
		Parse(text, tc.options).Write(rec, http.StatusTeapot, "<b>&")
		body, h := rec.Body.String(), rec.Header()
		policy := h.Get("Content-Security-Policy")
		if rec.Code != http.StatusTeapot || h.Get("X-Frame-Options") != "DENY" || h.Get("Cache-Control") != "no-store" ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != tc.referrer {
			t.Errorf("%s: %d %v", name, rec.Code, h)
		}
		if !strings.Contains(body, "<h1>&lt;b&gt;&amp;</h1>") || !strings.Contains(body, "<title>&lt;b&gt;&amp;</title>") {
			t.Errorf("%s: not escaped: %s", name, body)
		}
		allowed := []string{between(body, "<style>", "</style>")}
		if tc.options.Script != "" {
			allowed = append(allowed, between(body, "<script>", "</script>"))
		}
		for _, code := range allowed {
			sum := sha256.Sum256([]byte(code))
			tc.has = append(tc.has, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
		}
		for _, part := range append(tc.has, "default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'") {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: no %s in %s", name, part, policy)
			}
		}
		for _, part := range append(tc.none, "unsafe", "*") {
			if strings.Contains(policy, part) {
				t.Errorf("%s: %s in %s", name, part, policy)
			}
		}
		if strings.Contains(body, "<script>") != (tc.options.Script != "") {
			t.Errorf("%s: %s", name, body)
		}
	}
}
