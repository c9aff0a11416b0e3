package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/tenants"
)

// scopeOf are the scopes that the routes for secret keys need.
var scopeOf = map[string]tenants.KeyScope{
	"GET /admin/users":               tenants.ScopeUsersRead,
	"GET /admin/users/{id}":          tenants.ScopeUsersRead,
	"POST /admin/users":              tenants.ScopeUsersWrite,
	"PUT /admin/users/{id}":          tenants.ScopeUsersWrite,
	"DELETE /admin/users/{id}":       tenants.ScopeUsersWrite,
	"GET /admin/users/{id}/passkeys": tenants.ScopeUsersRead, "DELETE /admin/users/{id}/passkeys/{passkey_id}": tenants.ScopeUsersWrite,
	"GET /admin/users/{id}/sessions": tenants.ScopeUsersRead, "DELETE /admin/users/{id}/sessions": tenants.ScopeUsersWrite,
	"DELETE /admin/users/{id}/sessions/{session_id}": tenants.ScopeUsersWrite, "POST /admin/users/{id}/logout": tenants.ScopeUsersWrite,
	"GET /admin/users/{id}/factors": tenants.ScopeUsersRead, "PUT /admin/users/{id}/factors/{factor_id}": tenants.ScopeUsersWrite,
	"DELETE /admin/users/{id}/factors/{factor_id}": tenants.ScopeUsersWrite, "DELETE /admin/users/{id}/factors/recovery-codes": tenants.ScopeUsersWrite,
	"GET /admin/audit":                                        tenants.ScopeAuditRead,
	"GET /admin/custom-providers":                             tenants.ScopeProvidersRead,
	"GET /admin/custom-providers/{identifier}":                tenants.ScopeProvidersRead,
	"POST /admin/custom-providers":                            tenants.ScopeProvidersWrite,
	"PUT /admin/custom-providers/{identifier}":                tenants.ScopeProvidersWrite,
	"DELETE /admin/custom-providers/{identifier}":             tenants.ScopeProvidersWrite,
	"GET /admin/sso/providers":                                tenants.ScopeProvidersRead,
	"GET /admin/sso/providers/{id}":                           tenants.ScopeProvidersRead,
	"POST /admin/sso/providers":                               tenants.ScopeProvidersWrite,
	"PUT /admin/sso/providers/{id}":                           tenants.ScopeProvidersWrite,
	"DELETE /admin/sso/providers/{id}":                        tenants.ScopeProvidersWrite,
	"GET /admin/sso/providers/{id}/attempts":                  tenants.ScopeUsersRead,
	"GET /admin/sso/providers/{id}/domains":                   tenants.ScopeProvidersRead,
	"POST /admin/sso/providers/{id}/domains":                  tenants.ScopeProvidersWrite,
	"DELETE /admin/sso/providers/{id}/domains/{domain}":       tenants.ScopeProvidersWrite,
	"POST /admin/sso/providers/{id}/domains/{domain}/check":   tenants.ScopeProvidersWrite,
	"POST /admin/sso/providers/{id}/domains/{domain}/mail":    tenants.ScopeProvidersWrite,
	"POST /admin/sso/providers/{id}/domains/{domain}/consent": tenants.ScopeProvidersWrite,
	"GET /admin/sso/setup-links":                              tenants.ScopeProvidersRead,
	"POST /admin/sso/setup-links":                             tenants.ScopeProvidersWrite,
	"DELETE /admin/sso/setup-links/{link_id}":                 tenants.ScopeProvidersWrite,
	"GET /admin/sso/providers/{id}/scim/tokens":               tenants.ScopeProvidersRead,
	"POST /admin/sso/providers/{id}/scim/tokens":              tenants.ScopeUsersWrite,
	"DELETE /admin/sso/providers/{id}/scim/tokens/{token_id}": tenants.ScopeProvidersWrite,
	"GET /admin/sso/providers/{id}/scim/log":                  tenants.ScopeUsersRead,
	"POST /admin/sso/providers/{id}/scim/log/{entry}/replay":  tenants.ScopeUsersWrite,
	"GET /admin/sso/keys":                                     tenants.ScopeProvidersRead,
	"POST /admin/sso/keys":                                    tenants.ScopeProvidersWrite,
	"DELETE /admin/sso/keys/{key_id}":                         tenants.ScopeProvidersWrite,
	"POST /admin/generate_link":                               tenants.ScopeLinksWrite,
	"POST /invite":                                            tenants.ScopeLinksWrite,
}

// newKey creates a secret key and waits until it works.
func newKey(t *testing.T, p *servertest.Project, name string, more map[string]any) string {
	t.Helper()
	body := map[string]any{"type": "secret", "name": name}
	for field, value := range more {
		body[field] = value
	}
	made := p.Reeve.Manage(t, http.MethodPost, "/v1/projects/"+p.Ref+"/api-keys?reveal=true", body).Expect(t, 201).JSON(t)
	key := made["api_key"].(string)
	eventually(t, "the key is known", func() bool {
		return p.Reeve.Do(t, http.MethodGet, p.Auth("/settings"), nil, "apikey", key).Status != 401
	})
	return key
}

// TestKeyScopes tries a key of each scope at every route that needs a secret key.
func TestKeyScopes(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p, other := reeve.Project(t, "scoped", nil), reeve.Project(t, "other", nil)
	routes := slices.DeleteFunc(slices.Clone(tenantRoutes), func(r tenantRoute) bool { return r.guard != byAdmin })
	for _, scope := range tenants.KeyScopes() {
		key := newKey(t, p, strings.ReplaceAll(string(scope), ".", "_"), map[string]any{"scopes": []string{string(scope)}})
		reeve.Do(t, http.MethodGet, other.Auth("/settings"), nil, "apikey", key).Expect(t, 401)
		for _, r := range routes {
			need, ok := scopeOf[r.method+" "+r.path]
			if !ok {
				t.Fatalf("scopeOf has no %s %s", r.method, r.path)
			}
			path := strings.NewReplacer("{id}", annID, "{passkey_id}", annID, "{session_id}", annID, "{factor_id}", annID, "{identifier}", "custom:none").Replace(r.path) + r.query
			a := reeve.Do(t, r.method, p.Auth(path), r.body, "apikey", key)
			missing := strings.Contains(string(a.Body), "api_key_scope_missing")
			if scope == need == missing {
				t.Errorf("%s %s with %s: %d %s", r.method, r.path, scope, a.Status, a.Body)
			}
			if scope != need && (a.Status != 403 || !strings.Contains(string(a.Body), string(need))) {
				t.Errorf("%s %s with %s: %d %s does not name the scope", r.method, r.path, scope, a.Status, a.Body)
			}
		}
	}
	eventually(t, "the project's log has the refusal", func() bool {
		a := reeve.Manage(t, http.MethodGet, "/v1/projects/"+p.Ref+"/logs", nil)
		return strings.Contains(string(a.Body), "api_key_scope_missing")
	})
	// A project's key makes no key, whatever its scopes.
	for _, key := range []string{p.SecretKey, p.PublishableKey} {
		reeve.Do(t, http.MethodPost, "/v1/projects/"+p.Ref+"/api-keys", map[string]any{"type": "secret", "name": "another"},
			"apikey", key, "Authorization", "Bearer "+key).Expect(t, 401)
	}
}

// TestKeyNetworks: the address of the client decides, on every route.
func TestKeyNetworks(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "networks", nil)
	far := newKey(t, p, "far_away", map[string]any{"allowed_networks": []string{"203.0.113.0/24", "2001:db8::/32"}})
	near := newKey(t, p, "near_by", map[string]any{"allowed_networks": []string{"127.0.0.0/8", "::1"}})
	for _, path := range []string{"/settings", "/admin/users", "/health"} {
		a := reeve.Do(t, http.MethodGet, p.Auth(path), nil, "apikey", far, "Sb-Forwarded-For", "203.0.113.7")
		if a.Status != 403 || !strings.Contains(string(a.Body), "api_key_network_not_allowed") {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
		reeve.Do(t, http.MethodGet, p.Auth(path), nil, "apikey", near).Expect(t, 200)
	}
}

// TestKeyExpiry: a key is refused from the moment on at which it expires.
func TestKeyExpiry(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "expiry", nil)
	key := newKey(t, p, "short_lived", map[string]any{"expires_at": time.Now().Add(3 * time.Second).UTC().Format(time.RFC3339Nano)})
	eventually(t, "the project's log warns", func() bool {
		a := reeve.Manage(t, http.MethodGet, "/v1/projects/"+p.Ref+"/logs", nil)
		return strings.Contains(string(a.Body), "api_key_expires_soon")
	})
	eventually(t, "the key expires", func() bool {
		a := reeve.Do(t, http.MethodGet, p.Auth("/settings"), nil, "apikey", key)
		return a.Status == 401 && strings.Contains(string(a.Body), "api_key_expired")
	})
}
