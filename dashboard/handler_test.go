package dashboard

import (
	"bytes"
	"compress/gzip"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func TestIsPage(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/": true, "/sign-in": true, "/orgs/acme": true, "/p/abc": true, "/p/abc/auth": true, "/p/abc/auth/providers": true,
		"/p": false, "/p/": false, "/p/abc/auth/v1": false, "/p/abc/auth/v1/verify": false, "/v1/projects": false, "/auth/v1/health": false, "/other": false,
	} {
		if got := IsPage(path); got != want {
			t.Errorf("IsPage(%q) = %v, want %v", path, got, want)
		}
	}
}

func TestIsUnknown(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/other": true, "/other/page": true, "/signin": true, "/v10": true,
		"/": false, "/sign-in": false, "/p/abc/nosuch": false, "/p": false, "/p/abc/auth/v1": false, "/v1/nosuch": false, "/v2": false, "/auth/v1/x": false, "/.well-known/x": false,
	} {
		if got := IsUnknown(path); got != want {
			t.Errorf("IsUnknown(%q) = %v, want %v", path, got, want)
		}
	}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte("let x = 1")); err != nil || z.Close() != nil {
		t.Fatal("no gzip")
	}
	captcha := ""
	h := handler{options: Options{Projects: []string{"https://*.example.com"}, Captcha: func(context.Context) string { return captcha }}, files: fstest.MapFS{
		"index.html": {Data: []byte("<!doctype html>")}, "assets/a-1.js.gz": {Data: zipped.Bytes()}, "assets/f-1.woff2": {Data: []byte("font")}, ".keep": {},
	}}
	get := func(path, accept string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", accept)
		h.ServeHTTP(w, r)
		return w
	}
	page := get("/p/abc/users", "gzip")
	if other := get("/nosuch", "gzip"); other.Code != http.StatusNotFound || other.Body.String() != "<!doctype html>" {
		t.Errorf("an unknown address: %d %q", other.Code, other.Body)
	}
	policy := page.Header().Get("Content-Security-Policy")
	if page.Code != http.StatusOK || page.Body.String() != "<!doctype html>" || page.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("a page: %d %q %v", page.Code, page.Body, page.Header())
	}
	for _, part := range []string{"script-src 'self';", "connect-src 'self' https://*.example.com;", "frame-ancestors 'none'", "default-src 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy %q lacks %q", policy, part)
		}
	}
	for _, c := range []struct {
		name, path, accept string
		status             int
		body, encoding     string
		cached             bool
	}{
		{"compressed", "/assets/a-1.js", "gzip, br", http.StatusOK, zipped.String(), "gzip", true},
		{"for a client without gzip", "/assets/a-1.js", "", http.StatusOK, "let x = 1", "", true},
		{"as it is", "/assets/f-1.woff2", "gzip", http.StatusOK, "font", "", true},
		{"of another release", "/assets/a-0.js", "gzip", http.StatusNotFound, "there is no such file in this release\n", "", false},
		{"a folder", "/assets/", "gzip", http.StatusNotFound, "there is no such file in this release\n", "", false},
		{"outside", "/assets/../index.html", "gzip", http.StatusNotFound, "there is no such file in this release\n", "", false},
	} {
		got := get(c.path, c.accept)
		cached := strings.Contains(got.Header().Get("Cache-Control"), "immutable")
		if got.Code != c.status || got.Body.String() != c.body || got.Header().Get("Content-Encoding") != c.encoding || cached != c.cached {
			t.Errorf("%s: %d %q, headers %v", c.name, got.Code, got.Body, got.Header())
		}
	}
}

// TestHandler_captcha: the pages that show a captcha may load it while one is
// configured, and no other page ever.
func TestHandler_captcha(t *testing.T) {
	t.Parallel()
	captcha := ""
	h := handler{options: Options{Captcha: func(context.Context) string { return captcha }}, files: fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}}}
	policy := func(path string) string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Header().Get("Content-Security-Policy")
	}
	strict := policy("/orgs/acme")
	for provider, want := range map[string]string{
		"": "script-src 'self';", "unknown": "script-src 'self';",
		"turnstile": "script-src 'self' https://challenges.cloudflare.com;",
		"hcaptcha":  "script-src 'self' https://hcaptcha.com https://*.hcaptcha.com;",
	} {
		captcha = provider
		for _, path := range []string{"/sign-in", "/reset"} {
			got := policy(path)
			if !strings.Contains(got, want) || (got == strict) != (want == "script-src 'self';") {
				t.Errorf("%s with %q: %s", path, provider, got)
			}
			if frames := strings.Replace(want, "script-src", "frame-src", 1); !strings.Contains(got, frames) {
				t.Errorf("%s with %q lacks %q: %s", path, provider, frames, got)
			}
		}
		for _, path := range []string{"/", "/orgs/acme", "/p/abc/users", "/sign-in/x", "/nosuch"} {
			if got := policy(path); got != strict {
				t.Errorf("%s with %q: %s", path, provider, got)
			}
		}
	}
}
