package discovery_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/authapi/discovery"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// get asks a project that has no database: none of the routes needs one.
func get(t *testing.T, p *tenants.Tenant, path string, answer any) http.Header {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	r := engine.Group("", web.WithScope(func(*http.Request) (*tenants.Scope, error) { return &tenants.Scope{Tenant: p}, nil }))
	discovery.Handler{Version: "v1.2.3"}.Mount(web.NewRoutes(r, r, r, nil, web.Limits{}, nil))
	rec := httptest.NewRecorder()
	engine.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	if rec.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
	}
	if err := json.Unmarshal(rec.Body.Bytes(), answer); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return rec.Header()
}

func TestHealth(t *testing.T) {
	t.Parallel()
	var got map[string]string
	get(t, &tenants.Tenant{}, "/health", &got)
	if got["version"] != "v1.2.3" || got["name"] != "GoTrue" || got["description"] == "" || len(got) != 3 {
		t.Errorf("%v", got)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	usual := tenants.DefaultConfig()
	closed := usual
	closed.DisableSignup, closed.MailerAutoconfirm, closed.ExternalEmailEnabled = true, true, false
	for name, c := range map[string]struct {
		config                     tenants.Config
		email, closed, autoconfirm bool
	}{"default": {usual, true, false, false}, "closed": {closed, false, true, true}} {
		var got map[string]any
		get(t, &tenants.Tenant{Config: c.config}, "/settings", &got)
		for member, want := range map[string]any{
			"disable_signup": c.closed, "mailer_autoconfirm": c.autoconfirm, "phone_autoconfirm": true, "sms_provider": "",
			"saml_enabled": false, "passkeys_enabled": false,
		} {
			if got[member] != want {
				t.Errorf("%s: %s = %v, want %v", name, member, got[member], want)
			}
		}
		external, _ := got["external"].(map[string]any)
		if len(external) < 20 {
			t.Errorf("%s: %d providers: clients read all that the reference names", name, len(external))
		}
		for provider, on := range external {
			if on != (provider == "email" && c.email) {
				t.Errorf("%s: %s is %v, but there is no such flow", name, provider, on)
			}
		}
	}
}

func TestJWKS(t *testing.T) {
	t.Parallel()
	p := &tenants.Tenant{}
	for _, k := range []struct {
		algorithm string
		status    tenants.KeyStatus
	}{{"ES256", tenants.KeyInUse}, {"EdDSA", tenants.KeyStandby}, {"RS256", tenants.KeyRevoked}, {"HS256", tenants.KeyPreviouslyUsed}} {
		key, _, err := tenants.NewSigningKey(k.algorithm)
		if err != nil {
			t.Fatal(err)
		}
		key.Status = k.status
		p.SigningKeys = append(p.SigningKeys, key)
	}
	var got struct{ Keys []map[string]any }
	h := get(t, p, "/.well-known/jwks.json", &got)
	if !strings.Contains(h.Get("Cache-Control"), "max-age=600") {
		t.Errorf("cached as %q", h.Get("Cache-Control"))
	}
	if len(got.Keys) != 2 || got.Keys[0]["kid"] != p.SigningKeys[0].ID || got.Keys[1]["kid"] != p.SigningKeys[1].ID {
		t.Errorf("published %v", got.Keys)
	}
	for _, k := range got.Keys {
		if k["d"] != nil || k["k"] != nil || k["use"] != "sig" || k["alg"] == nil {
			t.Errorf("published %v", k)
		}
	}
	get(t, &tenants.Tenant{}, "/.well-known/jwks.json", &got)
	if got.Keys == nil || len(got.Keys) != 0 {
		t.Errorf("without keys %v, want an empty list", got.Keys)
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	p := &tenants.Tenant{URL: "https://ref.example.com"}
	for _, k := range []struct {
		algorithm string
		status    tenants.KeyStatus
	}{
		{"EdDSA", tenants.KeyStandby},
		{"RS256", tenants.KeyRevoked},
		{"ES256", tenants.KeyInUse},
		{"HS256", tenants.KeyPreviouslyUsed},
		{"EdDSA", tenants.KeyPreviouslyUsed},
	} {
		key, _, err := tenants.NewSigningKey(k.algorithm)
		if err != nil {
			t.Fatal(err)
		}
		key.Status = k.status
		p.SigningKeys = append(p.SigningKeys, key)
	}
	var got map[string]any
	h := get(t, p, "/.well-known/openid-configuration", &got)
	if h.Get("Cache-Control") != "public, max-age=600" || h.Get("Vary") != "apikey, Authorization" {
		t.Errorf("cached as %v", h)
	}
	const issuer = "https://ref.example.com/auth/v1"
	for member, want := range map[string]any{
		"issuer": issuer, "jwks_uri": issuer + "/.well-known/jwks.json", "authorization_endpoint": issuer + "/oauth/authorize",
		"token_endpoint": issuer + "/oauth/token", "userinfo_endpoint": issuer + "/oauth/userinfo",
		"subject_types_supported": []any{"public"}, "response_types_supported": []any{"code"},
		"id_token_signing_alg_values_supported": []any{"ES256", "EdDSA", "HS256"},
	} {
		if !reflect.DeepEqual(got[member], want) {
			t.Errorf("%s is %v, want %v", member, got[member], want)
		}
	}
	get(t, &tenants.Tenant{}, "/.well-known/openid-configuration", &got)
	if none, ok := got["id_token_signing_alg_values_supported"].([]any); !ok || len(none) != 0 {
		t.Errorf("without keys %v", got)
	}
}
