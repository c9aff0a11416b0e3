package server_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestPagesForPeople: a browser gets a page for an unknown address; programs
// get JSON from it.
func TestPagesForPeople(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "pages", nil)
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for path, want := range map[string]struct {
		status int
		page   bool
	}{
		p.Auth("/verify"):                                     {400, true},
		p.Auth("/verify?type=signup"):                         {400, true},
		p.Auth("/verify?type=signup&token=x&redirect_to=%00"): {400, true},
		p.Auth("/nosuch"):                                     {404, true},
		p.Auth("/settings"):                                   {401, true},
		"/p/" + strings.Repeat("a", 20) + "/auth/v1/verify":   {404, true},
		"/auth/v1/verify?type=signup&token=x":                 {401, true},
		"/nosuch?<script>":                                    {404, true},
		"/v1/nosuch":                                          {404, false},
		"/v1/projects":                                        {401, false},
	} {
		got := reeve.Do(t, "GET", path, nil, "Accept", browser)
		isPage := strings.HasPrefix(got.Header.Get("Content-Type"), "text/html")
		if got.Status != want.status || isPage != want.page {
			t.Errorf("%s in a browser: %d %s, want %d, page %v", path, got.Status, got.Header.Get("Content-Type"), want.status, want.page)
		}
		if strings.HasPrefix(path, "/nosuch") {
			if strings.Contains(string(got.Body), "<script>") { // the app's own scripts have an address
				t.Errorf("%s: %s", path, got.Body)
			}
		} else if isPage && (!strings.Contains(string(got.Body), got.Header.Get("X-Request-Id")) || strings.Contains(string(got.Body), "<script")) {
			t.Errorf("%s: %s", path, got.Body)
		}
		for _, accept := range []string{"*/*", "application/json", "application/json, text/plain, */*"} {
			got := reeve.Do(t, "GET", path, nil, "Accept", accept)
			if got.Status != want.status || !json.Valid(got.Body) {
				t.Errorf("%s for %s: %d %s", path, accept, got.Status, got.Body)
			}
		}
	}
}

// TestWelcome: a browser at the main host gets a page that tells nothing about
// the server. Programs, and the hosts of projects, get what they get elsewhere.
func TestWelcome(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "welcome", nil)
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for name, tc := range map[string]struct {
		accept, host string
		status       int
	}{
		"a browser":                    {browser, "", 200},
		"curl":                         {"*/*", "", 404},
		"an API client":                {"application/json", "", 404},
		"nothing accepted":             {"", "", 404},
		"the host of a project":        {browser, p.Ref + ".localhost", 404},
		"a host that no project has":   {browser, strings.Repeat("a", 20) + ".localhost", 404},
		"a host that is no ref either": {browser, "www.localhost", 404},
	} {
		got := reeve.Do(t, "GET", "/", nil, "Accept", tc.accept, "Host", tc.host)
		body := string(got.Body)
		if got.Status != tc.status || strings.Join(got.Header.Values("Vary"), ",") != "Accept" {
			t.Errorf("%s: %d %v", name, got.Status, got.Header)
		}
		if tc.status == 200 && (strings.Contains(body, "test") || strings.Contains(body, p.Ref) || !strings.Contains(body, "Reeve")) {
			t.Errorf("%s: %s", name, body)
		}
	}
	for _, path := range []string{"/dev/open", "/landing/" + p.Ref} {
		if got := reeve.Do(t, "GET", path, nil, "Accept", browser); got.Status != 404 {
			t.Errorf("%s: %d, and is a page of development only", path, got.Status)
		}
	}
}
