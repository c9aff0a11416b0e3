package web

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
)

func TestWantsPage(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/json": false, "text/plain": false, "text/*": false, "text/html": true,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8":                 true, // browsers
		"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8;v=b3": true,
		"application/json, text/plain, */*":                                               false, // axios
		"application/json, text/html":                                                     false,
		"application/json;q=0.5, text/html":                                               true,
		"application/json, text/html;q=0.9":                                               false,
		"application/scim+json, text/html":                                                false,
		"text/html;q=0":                                                                   false,
		"text/html;q=0, */*":                                                              false,
		"text/html;q=NaN":                                                                 true,
		"text/html;q=-1":                                                                  true,
		"TEXT/HTML":                                                                       true,
		"text/htmlx":                                                                      false,
		"text/html;;=,":                                                                   false,
		strings.Repeat("text/plain,", 5000) + "x/":                                        false,
	} {
		if got := wantsPage([]string{accept}); got != want {
			t.Errorf("%.80q: %v", accept, got)
		}
	}
	if !wantsPage([]string{"application/xml", "text/html"}) {
		t.Error("the second header is not read")
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	hostile := fault.New(fault.Invalid, "code", `<script>alert(1)</script>&`)
	for name, f := range map[string]*fault.Error{
		"hostile": hostile, "link": auth.ErrValidation, "not found": fault.New(fault.NotFound, "not_found", "There is no such endpoint"),
		"limit": auth.ErrRequestRate, "away": auth.ErrDatabaseAway, "internal": errUnexpected, "key": auth.ErrNoAuthorization, "conflict": auth.ErrConflict,
	} {
		r := httptest.NewRequest(http.MethodGet, "/auth/v1/verify", nil)
		r.Header.Set("Accept", "text/html,*/*;q=0.8")
		rec := httptest.NewRecorder()
		Pages(AuthErrors)(rec, r, Refusal{Status: Status(f.Kind), Fault: f, RequestID: "THEREQUESTID"})
		body, h := rec.Body.String(), rec.Header()
		if rec.Code != Status(f.Kind) || h.Get("Content-Type") != "text/html; charset=utf-8" || h.Get("Vary") != "Accept" ||
			h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("X-Sb-Error-Code") != f.Code {
			t.Errorf("%s: %d %v", name, rec.Code, h)
		}
		if strings.Contains(body, "<script") || strings.Contains(body, "http:") || strings.Contains(body, "https:") || strings.Contains(body, "src=") {
			t.Errorf("%s: runs or loads something: %s", name, body)
		}
		for _, part := range []string{`<html lang="en">`, "<title>", "<h1>", "<main>", "THEREQUESTID", f.Code, "prefers-color-scheme:dark", "width=device-width"} {
			if !strings.Contains(body, part) {
				t.Errorf("%s: no %s in %s", name, part, body)
			}
		}
		if strings.Contains(body, "<p>"+html.EscapeString(strings.TrimSuffix(f.Message, "."))+".</p>") != (f != errUnexpected) {
			t.Errorf("%s: does not say what happened: %s", name, body)
		}
		// The policy allows the style that is sent.
		_, style, _ := strings.Cut(body, "<style>")
		style, _, _ = strings.Cut(style, "</style>")
		sum := sha256.Sum256([]byte(style))
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") ||
			!strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
			t.Errorf("%s: policy %s", name, policy)
		}
	}
}

// TestPagesForPeopleOnly: programs get the group's shape, with the same status
// and headers.
func TestPagesForPeopleOnly(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/auth/v1/verify", nil)
	r.Header.Set("Accept", "*/*")
	rec := httptest.NewRecorder()
	Pages(AuthErrors)(rec, r, Refusal{Status: 429, Fault: auth.ErrRequestRate.After(time.Second)})
	if !strings.Contains(rec.Body.String(), `"error_code":"over_request_rate_limit"`) || rec.Header().Get("Content-Security-Policy") != "" || rec.Header().Get("Vary") != "Accept" {
		t.Errorf("%v %s", rec.Header(), rec.Body)
	}
}
