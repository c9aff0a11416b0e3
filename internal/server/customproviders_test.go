package server_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestCustomProviders: members define identity providers by the same rules as the
// project's secret key does, no answer and no log has the secret, and a provider is
// its project's alone.
func TestCustomProviders(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	a, b := reeve.Project(t, "a", nil), reeve.Project(t, "b", nil)
	manage := func(p *servertest.Project, method, below string, body any) *servertest.Answer {
		return reeve.Manage(t, method, "/v1/projects/"+p.Ref+"/auth/custom-providers"+below, body)
	}
	acme := map[string]any{
		"provider_type": "oidc", "identifier": "acme", "name": "Acme", "issuer": "https://id.acme.example",
		"client_id": "reeve", "client_secret": "hunter2-hunter2", "scopes": []string{"email"},
		"authorization_params": map[string]any{"hd": "hunter2-param"},
	}
	with := func(changes map[string]any) map[string]any {
		out := map[string]any{}
		for _, from := range []map[string]any{acme, changes} {
			for name, value := range from {
				out[name] = value
			}
		}
		return out
	}

	created := manage(a, http.MethodPost, "", acme).Expect(t, 201)
	if got := created.JSON(t); got["identifier"] != "custom:acme" || got["enabled"] != true || got["pkce_enabled"] != true {
		t.Errorf("created: %v", got)
	}
	if bytes.Contains(created.Body, []byte("hunter2-hunter2")) {
		t.Errorf("the answer has the secret: %s", created.Body)
	}
	admin := a.Do(t, http.MethodGet, "/admin/custom-providers/custom:acme", nil, "apikey", a.SecretKey).Expect(t, 200).JSON(t)
	if admin["issuer"] != acme["issuer"] {
		t.Errorf("by the secret key: %v", admin)
	}
	for name, c := range map[string]struct {
		body   map[string]any
		status int
		code   string
	}{
		"taken":            {acme, 400, "conflict"},
		"built-in name":    {with(map[string]any{"identifier": "google"}), 400, "validation_failed"},
		"bad identifier":   {with(map[string]any{"identifier": "Not Lower"}), 400, "validation_failed"},
		"no secret":        {with(map[string]any{"identifier": "x", "client_secret": nil}), 400, "validation_failed"},
		"no issuer":        {with(map[string]any{"identifier": "x", "issuer": nil}), 400, "validation_failed"},
		"issuer is no URL": {with(map[string]any{"identifier": "x", "issuer": "acme"}), 400, "validation_failed"},
		"unknown member":   {with(map[string]any{"identifier": "x", "secret": "y"}), 400, "validation_failed"},
		"unknown type":     {with(map[string]any{"identifier": "x", "provider_type": "saml"}), 400, "validation_failed"},
	} {
		if got := manage(a, http.MethodPost, "", c.body); got.Status != c.status || got.JSON(t)["code"] != c.code {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}

	changed := manage(a, http.MethodPatch, "/custom:acme", map[string]any{"enabled": false, "scopes": []string{}}).Expect(t, 200).JSON(t)
	if changed["enabled"] != false || changed["name"] != "Acme" || len(changed["scopes"].([]any)) != 0 {
		t.Errorf("changed: %v", changed)
	}
	test := reeve.Manage(t, http.MethodPost, "/v1/projects/"+a.Ref+"/config/auth/providers/custom:acme/test", map[string]any{}).Expect(t, 200).JSON(t)
	if test["enabled"] != false || test["ok"] != false || len(test["checks"].([]any)) == 0 {
		t.Errorf("test of a provider that does not answer: %v", test)
	}

	// Through b, a's provider does not exist.
	for _, method := range []string{http.MethodGet, http.MethodPatch, http.MethodDelete} {
		var body any
		if method == http.MethodPatch {
			body = map[string]any{"name": "stolen"}
		}
		if got := manage(b, method, "/custom:acme", body); got.Status != 404 || got.JSON(t)["code"] != "custom_provider_not_found" {
			t.Errorf("%s through another project: %d %s", method, got.Status, got.Body)
		}
	}
	if got := manage(b, http.MethodGet, "", nil).Expect(t, 200).Body; bytes.Contains(got, []byte("acme")) {
		t.Errorf("b lists %s", got)
	}

	if got := manage(a, http.MethodDelete, "/custom:acme", nil).Expect(t, 200).JSON(t); got["identifier"] != "custom:acme" {
		t.Errorf("deleted: %v", got)
	}
	manage(a, http.MethodGet, "/custom:acme", nil).Expect(t, 404)

	log := reeve.Manage(t, http.MethodGet, "/v1/organizations/default/audit-logs?"+url.Values{"ref": {a.Ref}}.Encode(), nil).Expect(t, 200).Body
	for _, action := range []string{"create-custom-provider", "update-custom-provider", "delete-custom-provider"} {
		if !bytes.Contains(log, []byte(action)) {
			t.Errorf("the audit log has no %s", action)
		}
	}
	if strings.Contains(string(log), "hunter2") {
		t.Errorf("the audit log has a secret: %s", log)
	}

	reeve.Manage(t, http.MethodPatch, "/v1/projects/"+a.Ref+"/config/auth", map[string]any{"custom_oauth_enabled": false}).Expect(t, 200)
	if got := manage(a, http.MethodPost, "", acme); got.Status != 400 && got.Status != 422 {
		t.Errorf("while they are off: %d %s", got.Status, got.Body)
	}
}
