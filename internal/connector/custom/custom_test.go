package custom_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/connectortest"
	"github.com/reevehq/reeve/internal/connector/custom"
	"github.com/reevehq/reeve/internal/connector/oidc"
	"github.com/reevehq/reeve/internal/outbound"
)

const (
	issuer   = "https://id.example/tenant"
	tokenURL = "https://id.example/token"
	userinfo = "https://id.example/userinfo"
	keysURL  = "https://id.example/keys"
	redirect = "https://project.example/auth/v1/callback"
)

var (
	client   = connector.Client{Project: "project", ID: "client-id", MoreIDs: []string{"app"}, Secret: "client-secret"}
	callback = connector.Callback{RedirectURI: redirect, Code: "the-code", Nonce: "the-nonce", Verifier: "the-verifier"}
	plain    = custom.Definition{Type: custom.OAuth2, AuthURL: "https://id.example/auth?a=b", TokenURL: tokenURL, UserinfoURL: userinfo}
	open     = custom.Definition{Type: custom.OIDC, Issuer: issuer, PKCE: true}
)

func now() time.Time { return connectortest.Now }

func discovery(change map[string]any) string {
	d := map[string]any{
		"issuer": issuer, "authorization_endpoint": "https://id.example/auth", "token_endpoint": tokenURL, "userinfo_endpoint": userinfo,
		"jwks_uri": keysURL, "id_token_signing_alg_values_supported": []string{"ES256"}, "token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
	}
	for name, value := range change {
		if value == nil {
			delete(d, name)
		} else {
			d[name] = value
		}
	}
	raw, _ := json.Marshal(d)
	return string(raw)
}

// world is a provider, and the connectors that call it.
type world struct {
	*connectortest.Double
	*custom.Providers
	signer *connectortest.Signer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	d := connectortest.New(t)
	w := &world{d, custom.New(d.Client(), now), connectortest.NewSigner(t, "1", jose.ES256)}
	d.JSON(oidc.DiscoveryURL(issuer), discovery(nil))
	d.JSON(keysURL, connectortest.KeySet(w.signer.JWK(nil)))
	return w
}

// token sets the answer of the token endpoint, with an ID token of the claims
// unless they are nil.
func (w *world) token(t *testing.T, claims map[string]any) {
	t.Helper()
	more := `,"refresh_token":"refresh"`
	if claims != nil {
		more += `,"id_token":"` + w.signer.Sign(t, connectortest.Claims(issuer, "client-id", "u", claims)) + `"`
	}
	w.Token(tokenURL, "access-token", more)
}

func TestAuthorizeURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := connector.Start{RedirectURI: redirect, State: "s", Nonce: "n", Verifier: "v", Scopes: []string{"calendar"}, Params: url.Values{"prompt": {"login"}, "tenant": {"app"}}}
	with := plain
	with.Scopes = []string{"profile"}
	with.AuthorizationParams = map[string]string{"tenant": "t", "state": "evil", "response_type": "token", "Nonce": "evil"}
	byHand := open
	byHand.Scopes, byHand.DiscoveryURL, byHand.PKCE = []string{"email", "openid"}, "https://elsewhere.example/doc", false
	w.JSON("https://elsewhere.example/doc", discovery(nil))
	for name, c := range map[string]struct {
		definition custom.Definition
		want       string
	}{
		"OAuth 2": {with, "https://id.example/auth?a=b&client_id=client-id&prompt=login&redirect_uri=" + url.QueryEscape(redirect) +
			"&response_type=code&scope=profile%20calendar&state=s&tenant=t"},
		"OpenID Connect": {open, "https://id.example/auth?client_id=client-id&code_challenge=TJRIXgwhrmxBzh3-e2v6zupato5AokdvUCCOUm9QYIA&code_challenge_method=S256&nonce=n&prompt=login&redirect_uri=" +
			url.QueryEscape(redirect) + "&response_type=code&scope=openid%20calendar&state=s&tenant=app"},
		"discovery elsewhere": {byHand, "https://id.example/auth?client_id=client-id&nonce=n&prompt=login&redirect_uri=" +
			url.QueryEscape(redirect) + "&response_type=code&scope=email%20openid%20calendar&state=s&tenant=app"},
	} {
		got, err := w.Connector(c.definition).AuthorizeURL(t.Context(), client, start)
		if err != nil || got != c.want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", name, err, got, c.want)
		}
	}
	w.JSON(oidc.DiscoveryURL("https://other.example"), discovery(nil))
	other := open
	other.Issuer = "https://other.example"
	if _, err := w.Connector(other).AuthorizeURL(t.Context(), client, start); !errors.Is(err, connector.ErrMisconfigured) {
		t.Errorf("the document of another issuer: %v", err)
	}
	other.Issuer = "https://down.example"
	if _, err := w.Connector(other).AuthorizeURL(t.Context(), client, start); !errors.Is(err, connector.ErrUnavailable) {
		t.Errorf("no document: %v", err)
	}
}

func TestExchange(t *testing.T) {
	t.Parallel()
	mapped := func(d custom.Definition, mapping map[string]any, claims ...string) custom.Definition {
		d.AttributeMapping, d.ClaimsAllowList = mapping, claims
		return d
	}
	base := map[string]any{"sub": "u", "provider_id": "u", "email_verified": false, "phone_verified": false}
	with := func(more map[string]any) map[string]any {
		out := map[string]any{}
		for name, value := range base {
			out[name] = value
		}
		for name, value := range more {
			out[name] = value
		}
		return out
	}
	for name, c := range map[string]struct {
		definition custom.Definition
		claims     map[string]any // of the ID token; nil for no ID token
		userinfo   string
		want       map[string]any // nil for ErrProfile
	}{
		"OAuth 2": {
			plain, nil, `{"sub":"u","email":"a@b.c","email_verified":true,"name":"Ada","iss":"x","role":"admin"}`,
			with(map[string]any{"email": "a@b.c", "email_verified": true, "name": "Ada", "iss": "x"}),
		},
		"OAuth 2, mapped": {
			mapped(plain, map[string]any{"sub": "data.id", "email": "mail", "name": "missing", "nickname": "nick", "email_verified": true, "locale": "de"}, "data.id", "roles", "nothing"),
			nil, `{"data":{"id":12345678901234567890},"mail":"a@b.c","nick":"ada","name":"Ada","roles":["a",1,{"b":null}],"locale":"en"}`,
			map[string]any{
				"sub": "12345678901234567890", "provider_id": "12345678901234567890", "email": "a@b.c", "email_verified": true, "phone_verified": false,
				"nickname": "ada", "name": "Ada", "locale": "en",
				"custom_claims": map[string]any{"data.id": json.Number("12345678901234567890"), "roles": []any{"a", json.Number("1"), map[string]any{}}},
			},
		},
		"OAuth 2, no subject": {plain, nil, `{"id":"u"}`, nil},
		"OAuth 2, an ID token is not asked for": {
			plain, map[string]any{"email": "evil@b.c", "email_verified": true}, `{"sub":"u"}`, with(nil),
		},
		"ID token": {
			open,
			map[string]any{"nonce": "the-nonce", "email": "a@b.c", "email_verified": true, "role": "x"},
			``,
			with(map[string]any{"iss": issuer, "email": "a@b.c", "email_verified": true}),
		},
		"ID token and userinfo": {
			open,
			map[string]any{"nonce": "the-nonce", "name": "Ada"},
			`{"sub":"u","email":"a@b.c","email_verified":"true","name":"Eve","iss":"https://evil.example"}`,
			with(map[string]any{"iss": issuer, "email": "a@b.c", "email_verified": true, "name": "Ada"}),
		},
		"verified is said of another address": {
			mapped(open, nil, "groups"),
			map[string]any{"nonce": "the-nonce", "email": "victim@b.c"},
			`{"sub":"u","email":"eve@b.c","email_verified":true,"groups":["x"]}`,
			with(map[string]any{"iss": issuer, "email": "victim@b.c", "custom_claims": map[string]any{"groups": []any{"x"}}}),
		},
		"userinfo of another user":   {open, map[string]any{"nonce": "the-nonce"}, `{"sub":"victim","email":"victim@b.c","email_verified":true}`, nil},
		"userinfo without subject":   {open, map[string]any{"nonce": "the-nonce"}, `{"email":"victim@b.c","email_verified":true}`, nil},
		"userinfo alone":             {open, nil, `{"sub":"u","email":"a@b.c"}`, with(map[string]any{"email": "a@b.c"})},
		"ID token of another client": {open, map[string]any{"nonce": "the-nonce", "aud": "other"}, `{"sub":"u"}`, nil},
		"ID token with other nonce":  {open, map[string]any{"nonce": "evil"}, `{"sub":"u"}`, nil},
		"ID token without nonce":     {open, map[string]any{}, `{"sub":"u"}`, nil},
		"expired":                    {open, map[string]any{"nonce": "the-nonce", "exp": 1}, `{"sub":"u"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.token(t, c.claims)
			w.JSON(userinfo, c.userinfo)
			got, err := w.Connector(c.definition).Exchange(t.Context(), client, callback)
			if c.want == nil {
				if !errors.Is(err, connector.ErrProfile) {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got.Data); diff != "" || got.AccessToken != "access-token" || got.RefreshToken != "refresh" || got.Subject != c.want["sub"] {
				t.Errorf("%+v (-want +got):\n%s", got, diff)
			}
		})
	}
}

// TestAuthentication: by the token endpoint's way, or what works.
func TestAuthentication(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		methods any
		want    []string
	}{
		"post":           {[]string{"client_secret_basic", "client_secret_post"}, []string{"post", "basic"}},
		"basic":          {[]string{"client_secret_basic"}, []string{"basic", "post"}},
		"nothing listed": {nil, []string{"basic", "post"}},
	} {
		w := newWorld(t)
		w.JSON(oidc.DiscoveryURL(issuer), discovery(map[string]any{"token_endpoint_auth_methods_supported": c.methods}))
		var got []string
		w.Handle(tokenURL, func(rw http.ResponseWriter, r *http.Request) {
			way := "post"
			if _, _, basic := r.BasicAuth(); basic {
				way = "basic"
			}
			got = append(got, way)
			http.Error(rw, `{"error":"invalid_client"}`, http.StatusUnauthorized)
		})
		if _, err := w.Connector(open).Exchange(t.Context(), client, callback); !errors.Is(err, connector.ErrExchange) {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestVerifyIDToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := open
	d.ClaimsAllowList = []string{"tenant_id"}
	verifier, ok := w.Connector(d).(connector.IDTokenVerifier)
	if !ok {
		t.Fatal("no verifier")
	}
	if _, ok := w.Connector(plain).(connector.IDTokenVerifier); ok {
		t.Error("an OAuth 2 provider has no ID tokens")
	}
	sign := func(claims map[string]any) string {
		return w.signer.Sign(t, connectortest.Claims(issuer, "client-id", "u", claims))
	}
	for _, token := range []connector.IDToken{
		{Raw: sign(map[string]any{"tenant_id": "t", "aud": "app"})},
		// printf n | sha256sum
		{Raw: sign(map[string]any{"tenant_id": "t", "nonce": "1b16b1df538ba12dc3f97edbb85caa7050d46c148134290feba80f8236c83db9"}), Nonce: "n", Issuer: issuer},
	} {
		got, err := verifier.VerifyIDToken(t.Context(), client, token)
		want := map[string]any{
			"iss": issuer, "sub": "u", "provider_id": "u", "email_verified": false, "phone_verified": false, "custom_claims": map[string]any{"tenant_id": "t"},
		}
		if err != nil || cmp.Diff(want, got.Data) != "" {
			t.Errorf("%+v, %v", got, err)
		}
	}
	other := open
	other.Issuer = "https://id.example/other"
	w.JSON(oidc.DiscoveryURL(other.Issuer), discovery(map[string]any{"issuer": other.Issuer}))
	for name, c := range map[string]struct {
		definition custom.Definition
		token      connector.IDToken
		want       error
	}{
		"other audience":    {open, connector.IDToken{Raw: sign(map[string]any{"aud": "other"})}, connector.ErrIDToken},
		"other nonce":       {open, connector.IDToken{Raw: sign(map[string]any{"nonce": "m"}), Nonce: "n"}, connector.ErrIDToken},
		"issuer named":      {open, connector.IDToken{Raw: sign(nil), Issuer: "https://evil.example"}, connector.ErrIDToken},
		"of another issuer": {other, connector.IDToken{Raw: sign(nil)}, connector.ErrIDToken},
	} {
		if got, err := w.Connector(c.definition).(connector.IDTokenVerifier).VerifyIDToken(t.Context(), client, c.token); !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestProjectsShareNothing: two projects with one issuer URL each see the
// documents that they were answered.
func TestProjectsShareNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := client, client
	first.Project, second.Project = "first", "second"
	authorize := func(c connector.Client) string {
		got, err := w.Connector(open).AuthorizeURL(t.Context(), c, connector.Start{})
		if err != nil {
			t.Fatal(err)
		}
		u, _ := url.Parse(got)
		return u.Host
	}
	w.JSON(oidc.DiscoveryURL(issuer), discovery(map[string]any{"authorization_endpoint": "https://one.example/auth"}))
	if got := authorize(first); got != "one.example" {
		t.Error(got)
	}
	w.JSON(oidc.DiscoveryURL(issuer), discovery(map[string]any{"authorization_endpoint": "https://two.example/auth"}))
	if a, b := authorize(first), authorize(second); a != "one.example" || b != "two.example" {
		t.Error(a, b)
	}
}

func TestBroken(t *testing.T) {
	t.Parallel()
	for name, answer := range connectortest.Broken() {
		for _, d := range []custom.Definition{plain, open} {
			w := newWorld(t)
			w.token(t, map[string]any{"nonce": "the-nonce"})
			w.Handle(userinfo, answer)
			_, err := w.Connector(d).Exchange(t.Context(), client, callback)
			if !errors.Is(err, connector.ErrProfile) && !errors.Is(err, connector.ErrUnavailable) || strings.Contains(err.Error(), "access-token") {
				t.Errorf("%s userinfo %s: %v", d.Type, name, err)
			}
			w.Handle(tokenURL, answer)
			_, err = w.Connector(d).Exchange(t.Context(), client, callback)
			if !errors.Is(err, connector.ErrExchange) && !errors.Is(err, connector.ErrUnavailable) || strings.Contains(err.Error(), "client-secret") {
				t.Errorf("%s token %s: %v", d.Type, name, err)
			}
		}
	}
}

// TestPrivateAddresses: what a project chose is reached through internal/outbound,
// which refuses addresses that are not public.
func TestPrivateAddresses(t *testing.T) {
	t.Parallel()
	reached := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer server.Close()
	providers := custom.New(outbound.New(outbound.Options{}).HTTP(0), now)
	for _, address := range []string{server.URL, "http://example.com", "https://169.254.169.254", "https://[::1]:443", "https://10.0.0.1", "file:///etc/passwd"} {
		d := open
		d.Issuer = address
		if _, err := providers.Connector(d).AuthorizeURL(t.Context(), client, connector.Start{}); !errors.Is(err, connector.ErrUnavailable) {
			t.Errorf("issuer %s: %v", address, err)
		}
		d = plain
		d.TokenURL = address
		if _, err := providers.Connector(d).Exchange(t.Context(), client, callback); !errors.Is(err, connector.ErrUnavailable) || strings.Contains(err.Error(), "client-secret") {
			t.Errorf("token endpoint %s: %v", address, err)
		}
	}
	if reached {
		t.Error("a private address was reached")
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	change := func(d custom.Definition, f func(*custom.Definition)) custom.Definition { f(&d); return d }
	for name, c := range map[string]struct {
		definition custom.Definition
		http       bool
		want       string // part of the message; "" for valid
	}{
		"OAuth 2":        {plain, false, ""},
		"OpenID Connect": {open, false, ""},
		"no type":        {custom.Definition{}, false, "provider_type"},
		"no issuer":      {custom.Definition{Type: custom.OIDC}, false, "issuer is required"},
		"no token URL":   {change(plain, func(d *custom.Definition) { d.TokenURL = "" }), false, "token_url is required"},
		"http":           {change(open, func(d *custom.Definition) { d.Issuer = "http://localhost:1" }), false, "issuer must be"},
		"http allowed":   {change(open, func(d *custom.Definition) { d.Issuer = "http://localhost:1" }), true, ""},
		"script":         {change(plain, func(d *custom.Definition) { d.AuthURL = "javascript:alert(1)" }), true, "authorization_url must be"},
		"user":           {change(plain, func(d *custom.Definition) { d.UserinfoURL = "https://a:b@x" }), false, "userinfo_url must be"},
		"file":           {change(open, func(d *custom.Definition) { d.DiscoveryURL = "file:///etc/passwd" }), true, "discovery_url must be"},
		"reserved":       {change(open, func(d *custom.Definition) { d.AuthorizationParams = map[string]string{"Redirect_uri": "x"} }), false, "must not have Redirect_uri"},
		"long":           {change(open, func(d *custom.Definition) { d.AuthorizationParams = map[string]string{"a": strings.Repeat("x", 600)} }), false, "short"},
		"many":           {change(open, func(d *custom.Definition) { d.Scopes = make([]string, 51) }), false, "scopes must have at most"},
	} {
		err := c.definition.Check(c.http)
		if (err == nil) != (c.want == "") || err != nil && (!errors.Is(err, connector.ErrMisconfigured) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzDescription: no description of a user makes a mapping fail otherwise than
// by an error.
func FuzzDescription(f *testing.F) {
	f.Add(`{"sub":"u","data":{"id":1},"email":"a@b.c"}`, "data.id")
	f.Add(`{"sub":"u","a":{"b":{"c":[]}}}`, "a.b.c")
	f.Add(`null`, "..")
	d := connectortest.New(f)
	d.Direct = true
	d.Token(tokenURL, "access-token", "")
	providers := custom.New(d.Client(), now)
	f.Fuzz(func(t *testing.T, document, path string) {
		d.JSON(userinfo, document)
		def := plain
		def.AttributeMapping = map[string]any{"sub": path, "email": path}
		def.ClaimsAllowList = []string{path}
		got, err := providers.Connector(def).Exchange(t.Context(), client, callback)
		if err != nil && !errors.Is(err, connector.ErrProfile) {
			t.Error(err)
		}
		if err == nil && got.Subject == "" {
			t.Errorf("%+v", got)
		}
	})
}
