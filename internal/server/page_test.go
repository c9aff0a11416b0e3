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
		"/p/" + p.Ref:                                         {404, true},
		"/auth/v1/verify?type=signup&token=x":                 {401, true},
		"/":                                                   {404, true},
		"/nosuch?<script>":                                    {404, true},
		"/v1/nosuch":                                          {404, false},
		"/v1/projects":                                        {401, false},
	} {
		got := reeve.Do(t, "GET", path, nil, "Accept", browser)
		isPage := strings.HasPrefix(got.Header.Get("Content-Type"), "text/html")
		if got.Status != want.status || isPage != want.page {
			t.Errorf("%s in a browser: %d %s, want %d, page %v", path, got.Status, got.Header.Get("Content-Type"), want.status, want.page)
		}
		if isPage && (!strings.Contains(string(got.Body), got.Header.Get("X-Request-Id")) || strings.Contains(string(got.Body), "<script")) {
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
