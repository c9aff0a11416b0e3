package customprovider_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/reevehq/reeve/internal/connector/connectortest"
	"github.com/reevehq/reeve/internal/connector/custom"
	"github.com/reevehq/reeve/internal/connector/oidc"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

type m = flowtest.M

// tooLarge is a number that jsonb would expand to too many digits.
var tooLarge = json.Number("1e100000")

const (
	issuer = "https://id.example"
	path   = "/admin/custom-providers"
)

// definition returns a valid body with changes; nil removes a member.
func definition(changes m) m {
	body := m{"provider_type": "oidc", "identifier": "custom:acme", "name": "Acme", "client_id": "client-id", "client_secret": "secret-canary", "issuer": issuer}
	for name, value := range changes {
		if value == nil {
			delete(body, name)
		} else {
			body[name] = value
		}
	}
	return body
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	created := f.A.Admin(t, "POST", path, definition(m{"attribute_mapping": m{"name": "full"}, "scopes": []string{"email"}})).Want(201)
	if strings.Contains(string(created.Raw), "canary") || created.Get("pkce_enabled") != "true" || created.Get("attribute_mapping.name") != "full" {
		t.Errorf("created %s", created.Raw)
	}
	stored := flowtest.One[string](t, f.A, "SELECT client_secret FROM auth.custom_oauth_providers")
	if strings.Contains(stored, "canary") || !strings.HasPrefix(stored, "reeve-sealed:") {
		t.Errorf("stored secret %s", stored)
	}
	f.A.Admin(t, "POST", path, definition(nil)).WantError(400, "conflict")
	f.A.Admin(t, "POST", path, definition(m{
		"provider_type": "oauth2", "identifier": "plain", "issuer": nil,
		"authorization_url": issuer + "/auth", "token_url": issuer + "/token", "userinfo_url": issuer + "/me",
	})).Want(201)
	for query, want := range map[string]string{"": "custom:acme custom:plain", "?type=oidc": "custom:acme", "?type=oauth2": "custom:plain"} {
		var list struct{ Providers []struct{ Identifier string } }
		f.A.Admin(t, "GET", path+query, nil).Want(200).Decode(&list)
		var got []string
		for _, p := range list.Providers {
			got = append(got, p.Identifier)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("list %s: %v", query, got)
		}
	}
	f.A.Admin(t, "GET", path+"?type=saml", nil).WantError(400, "validation_failed")

	// The other project has none of them.
	if got := string(f.B.Admin(t, "GET", path, nil).Want(200).Raw); strings.Contains(got, "acme") {
		t.Errorf("the other project lists %s", got)
	}
	for _, method := range []string{"GET", "DELETE"} {
		f.B.Admin(t, method, path+"/custom:acme", nil).WantError(404, "custom_provider_not_found")
	}
	f.B.Admin(t, "PUT", path+"/custom:acme", m{"name": "Mine"}).WantError(404, "custom_provider_not_found")

	updated := f.A.Admin(t, "PUT", path+"/custom:acme", m{"name": "Acme Ltd", "enabled": false}).Want(200)
	if updated.Get("name") != "Acme Ltd" || updated.Get("enabled") != "false" || updated.Get("client_id") != "client-id" || updated.Get("id") != created.Get("id") {
		t.Errorf("updated %s", updated.Raw)
	}
	if now := flowtest.One[string](t, f.A, "SELECT client_secret FROM auth.custom_oauth_providers WHERE identifier = 'custom:acme'"); now != stored {
		t.Error("an update without a secret changed it")
	}
	f.A.Admin(t, "PUT", path+"/custom:acme", m{"issuer": ""}).WantError(400, "validation_failed")
	f.A.Admin(t, "PUT", path+"/acme", m{"name": "x"}).WantError(400, "validation_failed")
	f.A.Admin(t, "GET", path+"/custom:acme", nil).Want(200)
	f.A.Admin(t, "DELETE", path+"/custom:acme", nil).Want(204)
	f.A.Admin(t, "DELETE", path+"/custom:acme", nil).WantError(404, "custom_provider_not_found")
	for action, want := range map[string]int{"created": 2, "updated": 1, "deleted": 1} {
		if n := f.A.Count(t, "SELECT count(*) FROM auth.audit_log_entries WHERE payload->>'action' = $1 AND payload->>'actor_username' = 'service_role'", "custom_provider_"+action); n != want {
			t.Errorf("%d audit entries %s, want %d", n, action, want)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	long := strings.Repeat("x", 9000)
	many := make([]string, 51)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for name, changes := range map[string]m{
		"no type":               {"provider_type": nil},
		"other type":            {"provider_type": "saml"},
		"no identifier":         {"identifier": nil},
		"only the prefix":       {"identifier": "custom:"},
		"reserved":              {"identifier": "google"},
		"upper case":            {"identifier": "custom:Acme"},
		"long identifier":       {"identifier": "custom:" + strings.Repeat("a", 44)},
		"line break":            {"identifier": "custom:a\n"},
		"no name":               {"name": nil},
		"long name":             {"name": strings.Repeat("é", 101)},
		"no client id":          {"client_id": ""},
		"long client id":        {"client_id": long},
		"no secret":             {"client_secret": nil},
		"empty secret":          {"client_secret": ""},
		"long secret":           {"client_secret": long},
		"no issuer":             {"issuer": nil},
		"plain http":            {"issuer": "http://id.example"},
		"no URL":                {"issuer": "id.example"},
		"user in URL":           {"issuer": "https://a:b@id.example"},
		"long URL":              {"discovery_url": "https://id.example/" + long},
		"keys elsewhere":        {"jwks_uri": "file:///etc/passwd"},
		"many ids":              {"acceptable_client_ids": many},
		"empty id":              {"acceptable_client_ids": []string{""}},
		"two scopes in one":     {"scopes": []string{"a b"}},
		"long claim":            {"custom_claims_allowlist": []string{long}},
		"reserved parameter":    {"authorization_params": m{"redirect_uri": "https://evil.example"}},
		"large mapping":         {"attribute_mapping": m{"name": strings.Repeat(long, 3)}},
		"oauth2 without a URL":  {"provider_type": "oauth2", "token_url": issuer, "userinfo_url": issuer},
		"number out of storage": {"attribute_mapping": m{"name": tooLarge}},
	} {
		t.Run(name, func(t *testing.T) {
			f.A.Admin(t, "POST", path, definition(changes)).WantError(400, "validation_failed")
		})
	}
	if n := f.A.Count(t, "SELECT count(*) FROM auth.custom_oauth_providers"); n != 0 {
		t.Errorf("%d rows of refused requests", n)
	}
	f.A.Configure(func(c *tenants.Config) { c.CustomOAuthMaxProviders = 1 })
	f.A.Admin(t, "POST", path, definition(nil)).Want(201)
	f.A.Admin(t, "POST", path, definition(m{"identifier": "other"})).WantError(400, "over_custom_provider_quota")
	f.B.Admin(t, "POST", path, definition(nil)).Want(201)
	f.B.Configure(func(c *tenants.Config) { c.CustomOAuthEnabled = false })
	f.B.Admin(t, "POST", path, definition(m{"identifier": "other"})).WantError(400, "validation_failed")
}

// TestSignIn: /authorize, /callback and ID tokens find the row; each change of it
// applies at once.
func TestSignIn(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) {
		c.SiteURL, c.URIAllowList = "https://app.example.com", "https://app.example.com/**"
	})
	double, signer := connectortest.New(t), connectortest.NewSigner(t, "1", jose.ES256)
	f.Custom = custom.New(double.Client(), f.Clock.Now)
	double.JSON(oidc.DiscoveryURL(issuer), `{"issuer":"`+issuer+`","authorization_endpoint":"`+issuer+`/auth","token_endpoint":"`+issuer+`/token",
		"jwks_uri":"`+issuer+`/keys","id_token_signing_alg_values_supported":["ES256"],"token_endpoint_auth_methods_supported":["client_secret_post"]}`)
	double.JSON(issuer+"/keys", connectortest.KeySet(signer.JWK(nil)))
	f.A.Admin(t, "POST", path, definition(nil)).Want(201)

	const start = "/authorize?provider=custom:acme"
	f.B.Do(t, "GET", start, nil, flowtest.Key("")).WantError(400, "validation_failed")
	begun := f.A.Do(t, "GET", start, nil, flowtest.Key("")).Want(303)
	to, err := url.Parse(begun.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	q := to.Query()
	if to.Host != "id.example" || q.Get("client_id") != "client-id" || q.Get("code_challenge") == "" || q.Get("nonce") == "" {
		t.Fatalf("the browser goes to %s", to)
	}
	claims := func(more map[string]any) map[string]any {
		more["email"], more["email_verified"] = "ann@example.com", true
		more["iat"], more["exp"] = f.Clock.Now().Unix(), f.Clock.Now().Unix()+600
		return connectortest.Claims(issuer, "client-id", "u", more)
	}
	double.Token(issuer+"/token", "access", `,"id_token":"`+signer.Sign(t, claims(map[string]any{"nonce": q.Get("nonce")}))+`"`)
	cookie, _, _ := strings.Cut(begun.Header.Get("Set-Cookie"), ";")
	done := f.A.Do(t, "GET", "/callback?code=c&state="+q.Get("state"), nil, flowtest.Key(""), flowtest.Header("Cookie", cookie)).Want(303)
	if !strings.Contains(done.Header.Get("Location"), "access_token=") {
		t.Fatalf("callback: %s", done.Header.Get("Location"))
	}
	if got := flowtest.One[string](t, f.A, "SELECT provider FROM auth.identities"); got != "custom:acme" {
		t.Errorf("identity of %s", got)
	}
	body := m{"provider": "custom:acme", "id_token": signer.Sign(t, claims(map[string]any{}))}
	f.A.Do(t, "POST", "/token?grant_type=id_token", body).Want(200)
	f.B.Do(t, "POST", "/token?grant_type=id_token", body).WantError(400, "validation_failed")

	for name, sql := range map[string]string{
		"plain secret of SQL": "UPDATE auth.custom_oauth_providers SET client_secret = 'plain'",
	} {
		f.A.Exec(t, sql)
		if res := f.A.Do(t, "GET", start, nil, flowtest.Key("")); res.Status != 303 {
			t.Errorf("%s: %d %s", name, res.Status, res.Raw)
		}
	}
	for _, sql := range []string{
		"UPDATE auth.custom_oauth_providers SET client_secret = 'reeve-sealed:AAAA'",
		"UPDATE auth.custom_oauth_providers SET client_secret = 'plain', enabled = false",
		"DELETE FROM auth.custom_oauth_providers",
	} {
		f.A.Exec(t, sql)
		f.A.Do(t, "GET", start, nil, flowtest.Key("")).WantError(400, "validation_failed")
	}
}

// TestQuotaAtOnce: of creates at the same time, as many succeed as there is room
// for. The other project has its own quota.
func TestQuotaAtOnce(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.CustomOAuthMaxProviders = 3 })
	for i := range 2 {
		f.A.Admin(t, "POST", path, definition(m{"identifier": fmt.Sprintf("custom:first-%d", i)})).Want(201)
	}
	const creates = 8
	status := make(chan int, 2*creates)
	var group sync.WaitGroup
	for i := range creates {
		for _, p := range []*flowtest.Project{f.A, f.B} {
			group.Go(func() {
				res := p.Admin(t, "POST", path, definition(m{"identifier": fmt.Sprintf("custom:at-once-%d", i)}))
				if p == f.A {
					status <- res.Status
				}
			})
		}
	}
	group.Wait()
	close(status)
	created := 0
	for s := range status {
		if s == 201 {
			created++
		}
	}
	const count = "SELECT count(*) FROM auth.custom_oauth_providers"
	if a, b := f.A.Count(t, count), f.B.Count(t, count); created != 1 || a != 3 || b != 3 {
		t.Errorf("%d created; %d and %d providers, want 3 and 3", created, a, b)
	}
}
