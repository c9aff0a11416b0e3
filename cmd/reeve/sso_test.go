package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOpenIDConnection: what is typed of an OpenID provider is what the server is told,
// and the addresses to enter there are printed.
func TestOpenIDConnection(t *testing.T) {
	t.Parallel()
	var got map[string]any
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = nil
		_ = json.NewDecoder(r.Body).Decode(&got)
		_, _ = w.Write([]byte(`{"id":"c","label":"Acme","type":"oidc","enabled":true,"domains":[],"users":0,"oidc":{"redirect_uri":"https://p/callback/c","backchannel_logout_uri":"https://p/backchannel/c","post_logout_redirect_uri":"https://p/out"}}`))
	}))
	t.Cleanup(srv.Close)
	vars := map[string]string{"REEVE_URL": srv.URL, "REEVE_ACCESS_TOKEN": goodToken}
	const project = " --project rrrrrrrrrrrrrrrrrrrr"
	for line, want := range map[string]map[string]any{
		"sso add --type oidc --issuer https://i --client-id reeve --client-secret hush --scopes groups,org --domains acme.example": {
			"type": "oidc", "domains": []any{"acme.example"},
			"oidc": map[string]any{"issuer": "https://i", "client_id": "reeve", "client_secret": "hush", "scopes": []any{"groups", "org"}},
		},
		"sso update c --type oidc --client-secret other":        {"oidc": map[string]any{"client_secret": "other"}},
		"sso update c --type oidc --client-id other --name Ten": {"name": "Ten", "oidc": map[string]any{"client_id": "other"}},
		"sso update c --client-id other":                        {"oidc": map[string]any{"client_id": "other"}},
		"sso add --metadata-url https://i --client-secret s":    {"type": "saml", "metadata_url": "https://i"},
	} {
		code, out, errOut := call(t, vars, strings.Fields(line+project)...)
		if diff := cmp.Diff(want, got); code != exitOK || diff != "" {
			t.Errorf("%s: exit %d: %s %s", line, code, errOut, diff)
		}
		if strings.HasPrefix(line, "sso add --type oidc") && !strings.Contains(out, "redirect address             https://p/callback/c\nback-channel logout address  https://p/backchannel/c\n") {
			t.Errorf("%s: %s", line, out)
		}
	}
	for _, line := range []string{
		"sso add --type oidc --issuer https://i --client-id reeve", "sso add --type oidc --metadata-url https://i", "sso add --issuer https://i",
		"sso update c --type saml --issuer https://i", "sso add --type ldap --issuer https://i",
	} {
		if code, _, errOut := call(t, vars, strings.Fields(line+project)...); code != exitUsage {
			t.Errorf("%s: exit %d: %s", line, code, errOut)
		}
	}
}
