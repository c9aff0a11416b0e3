package sso_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

// openIDProvider is an identity provider on loopback that says what a test wants.
type openIDProvider struct {
	*httptest.Server
	fixture *flowtest.Fixture
	key     *ecdsa.PrivateKey
	claims  map[string]any // of the next ID token
	form    url.Values     // of the last request for a token
	info    map[string]any // of the userinfo endpoint
}

func newOpenID(t *testing.T, f *flowtest.Fixture) *openIDProvider {
	t.Helper()
	p := &openIDProvider{fixture: f}
	var err error
	if p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	write := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		write(w, m{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"userinfo_endpoint": p.URL + "/me", "end_session_endpoint": p.URL + "/bye", "token_endpoint_auth_methods_supported": []string{"client_secret_post"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "one", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		p.form = r.PostForm
		if r.PostForm.Get("code") != "good" || r.PostForm.Get("client_secret") != "hush" || r.PostForm.Get("code_verifier") == "" {
			w.WriteHeader(http.StatusBadRequest)
			write(w, m{"error": "invalid_grant"})
			return
		}
		write(w, m{"access_token": "at", "token_type": "Bearer", "id_token": p.sign(t, p.claims)})
	})
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, _ *http.Request) { write(w, p.info) })
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *openIDProvider) sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: p.key, KeyID: "one"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// connection is one of a project to the provider.
type connection struct {
	*openIDProvider
	project *flowtest.Project
	id      string
}

func (p *openIDProvider) connect(t *testing.T, project *flowtest.Project, more m) *connection {
	t.Helper()
	body := m{"type": "oidc", "name": "Acme", "domains": []string{"acme.example"}, "oidc": m{
		"issuer": p.URL, "client_id": "reeve", "client_secret": "hush", "attribute_mapping": m{"keys": m{"team": m{"name": "department"}}},
	}}
	maps.Copy(body, more)
	return &connection{p, project, project.Admin(t, "POST", path, body).Want(201).Get("id")}
}

// begin begins a sign-in, and prepares what the provider says of a user.
func (c *connection) begin(t *testing.T, name string) (state string, claims map[string]any) {
	t.Helper()
	u, err := url.Parse(c.project.Do(t, "POST", "/sso", m{"domain": "acme.example", "skip_http_redirect": true, "redirect_to": app}).Want(200).Get("url"))
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if !strings.HasPrefix(u.String(), c.URL+"/auth?") || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("redirect_uri") != c.project.Tenant().Issuer()+"/sso/oidc/callback/"+c.id {
		t.Fatal(u)
	}
	now := c.fixture.Clock.Now()
	c.claims = m{
		"iss": c.URL, "aud": "reeve", "sub": name + "-id", "nonce": q.Get("nonce"), "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"email": name + "@acme.example", "sid": "s-" + name, "department": "flight", "groups": []string{"pilots"},
	}
	return q.Get("state"), c.claims
}

func (c *connection) arrive(t *testing.T, query url.Values) *flowtest.Response {
	t.Helper()
	return c.project.Do(t, "GET", "/sso/oidc/callback/"+c.id+"?"+query.Encode(), nil, flowtest.Key(""))
}

func (c *connection) signIn(t *testing.T, name string) url.Values {
	t.Helper()
	state, _ := c.begin(t, name)
	return c.arrive(t, url.Values{"state": {state}, "code": {"good"}}).Want(303).Fragment()
}

// TestOIDC: a connection that speaks OpenID Connect signs in by the same call.
func TestOIDC(t *testing.T) {
	t.Parallel()
	f := flowtest.NewPlain(t, enabled)
	p := newOpenID(t, f)
	c := p.connect(t, f.A, m{"rules": m{"groups_attribute": "groups", "mfa": "provider_stated"}})
	stored := f.A.Admin(t, "GET", path+"/"+c.id, nil).Want(200)
	if stored.Get("type") != "oidc" || stored.Get("oidc.issuer") != p.URL || stored.Get("oidc.redirect_uri") != f.A.Tenant().Issuer()+"/sso/oidc/callback/"+c.id || strings.Contains(string(stored.Raw), "hush") || strings.Contains(string(stored.Raw), "saml\"") {
		t.Errorf("%s", stored.Raw)
	}
	claims := flowtest.Claims(t, c.signIn(t, "ann").Get("access_token"))
	amr := claims["amr"].([]any)[0].(map[string]any)
	if amr["method"] != "sso/oidc" || amr["provider"] != c.id || claims["email"] != "ann@acme.example" || claims["aal"] != "aal1" {
		t.Errorf("%v", claims)
	}
	meta := claims["user_metadata"].(map[string]any)["custom_claims"].(map[string]any)
	if groups := claims["app_metadata"].(map[string]any)["groups"].([]any); meta["team"] != "flight" || len(groups) != 1 {
		t.Errorf("%v", claims)
	}
	if again := flowtest.Claims(t, c.signIn(t, "ann").Get("access_token")); again["sub"] != claims["sub"] {
		t.Error("another user at the second sign-in")
	}
	state, said := c.begin(t, "bob")
	said["amr"] = []string{"pwd", "mfa"}
	delete(said, "email")
	p.info = m{"sub": "bob-id", "email": "bob@acme.example"}
	if claims := flowtest.Claims(t, c.arrive(t, url.Values{"state": {state}, "code": {"good"}}).Want(303).Fragment().Get("access_token")); claims["aal"] != "aal2" || claims["email"] != "bob@acme.example" {
		t.Errorf("%v", claims)
	}
	// What the connection needs, and the ID token lacks, the userinfo endpoint says.
	state, said = c.begin(t, "cy")
	delete(said, "groups")
	delete(said, "department")
	p.info = m{"sub": "cy-id", "groups": []string{"crew"}, "department": "cabin", "email": "other@acme.example"}
	claims = flowtest.Claims(t, c.arrive(t, url.Values{"state": {state}, "code": {"good"}}).Want(303).Fragment().Get("access_token"))
	groups := claims["app_metadata"].(map[string]any)["groups"].([]any)
	if meta := claims["user_metadata"].(map[string]any)["custom_claims"].(map[string]any); meta["team"] != "cabin" || len(groups) != 1 || groups[0] != "crew" || claims["email"] != "cy@acme.example" {
		t.Errorf("%v", claims)
	}
	// The state is good once, and the code of PKCE belongs to it.
	if got := c.arrive(t, url.Values{"state": {state}, "code": {"good"}}).Want(303).Location(); !strings.Contains(got.String(), "saml_relay_state_not_found") {
		t.Error(got)
	}
}

// TestOIDCRefused: answers that are not of the connection's provider, or not to this
// sign-in, give no session.
func TestOIDCRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.NewPlain(t, enabled)
	p := newOpenID(t, f)
	c := p.connect(t, f.A, nil)
	theirs := newOpenID(t, f).connect(t, f.B, nil)
	for name, change := range map[string]struct {
		edit func(claims map[string]any, q url.Values)
		code string
	}{
		"another nonce":      {func(cl map[string]any, _ url.Values) { cl["nonce"] = "x" }, "sso_oidc_token_invalid"},
		"no nonce":           {func(cl map[string]any, _ url.Values) { delete(cl, "nonce") }, "sso_oidc_token_invalid"},
		"another audience":   {func(cl map[string]any, _ url.Values) { cl["aud"] = "other" }, "sso_oidc_token_invalid"},
		"another issuer":     {func(cl map[string]any, _ url.Values) { cl["iss"] = "https://other.example" }, "sso_oidc_token_invalid"},
		"expired":            {func(cl map[string]any, _ url.Values) { cl["exp"] = f.Clock.Now().Add(-time.Hour).Unix() }, "sso_oidc_token_invalid"},
		"wrong code":         {func(_ map[string]any, q url.Values) { q.Set("code", "bad") }, "sso_oidc_provider_error"},
		"no code":            {func(_ map[string]any, q url.Values) { q.Del("code") }, "sso_oidc_provider_error"},
		"an error":           {func(_ map[string]any, q url.Values) { q.Set("error", "access_denied") }, "sso_oidc_provider_error"},
		"mix-up":             {func(_ map[string]any, q url.Values) { q.Set("iss", "https://other.example") }, "sso_oidc_token_invalid"},
		"unverified address": {func(cl map[string]any, _ url.Values) { cl["email_verified"] = false }, "saml_assertion_no_email"},
		"other domain":       {func(cl map[string]any, _ url.Values) { cl["email"] = "ceo@rival.example" }, "sso_domain_mismatch"},
		"userinfo of another": {func(cl map[string]any, _ url.Values) {
			delete(cl, "email")
			p.info = m{"sub": "eve-id", "email": "ann@acme.example"}
		}, "sso_oidc_token_invalid"},
	} {
		state, claims := c.begin(t, "ann")
		q := url.Values{"state": {state}, "code": {"good"}}
		change.edit(claims, q)
		if got := c.arrive(t, q).Want(303).Fragment(); got.Get("error_code") != change.code || strings.Contains(got.Get("error_description"), "invalid_grant") {
			t.Errorf("%s: %v, want %s", name, got, change.code)
		}
	}
	state, _ := c.begin(t, "ann")
	elsewhere := theirs.arrive(t, url.Values{"state": {state}, "code": {"good"}}).Want(303).Location()
	if !strings.Contains(elsewhere.String(), "saml_relay_state_not_found") {
		t.Error(elsewhere)
	}
	f.Clock.Advance(16 * time.Minute)
	if got := c.arrive(t, url.Values{"state": {state}, "code": {"good"}}).Want(303).Fragment(); got.Get("error_code") != "saml_relay_state_expired" {
		t.Errorf("%v", got)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users`); n != 0 {
		t.Errorf("%d users of refused answers", n)
	}
	// Who runs the connection reads why.
	attempts := string(f.A.Admin(t, "GET", path+"/"+c.id+"/attempts", nil).Want(200).Raw)
	for _, reason := range []string{"status 400: invalid_grant", "Unacceptable audience in id_token", `Nonces mismatch"`, "token is expired"} {
		if !strings.Contains(attempts, reason) {
			t.Errorf("no attempt says %q: %s", reason, attempts)
		}
	}
	if strings.Contains(attempts, "hush") {
		t.Error("the attempts have the client secret")
	}
	for name, body := range map[string]m{
		"nothing":     {"type": "oidc"},
		"no secret":   {"type": "oidc", "oidc": m{"issuer": p.URL, "client_id": "x"}},
		"no issuer":   {"type": "oidc", "oidc": m{"client_id": "x", "client_secret": "y"}},
		"not a URL":   {"type": "oidc", "oidc": m{"issuer": "file:///etc", "client_id": "x", "client_secret": "y"}},
		"no provider": {"type": "oidc", "oidc": m{"issuer": p.URL + "/nothing", "client_id": "x", "client_secret": "y"}},
	} {
		if res := f.A.Admin(t, "POST", path, body); res.Status != 400 {
			t.Errorf("%s: %d %s", name, res.Status, res.Raw)
		}
	}
}

// TestOIDCLogout: back-channel logout ends the sessions that the token names, once; and
// signing out in the app leads through the provider.
func TestOIDCLogout(t *testing.T) {
	t.Parallel()
	f := flowtest.NewPlain(t, enabled)
	p := newOpenID(t, f)
	c := p.connect(t, f.A, nil)
	other := p.connect(t, f.B, nil)
	send := func(c *connection, token string) *flowtest.Response {
		return c.project.Do(t, "POST", "/sso/oidc/backchannel-logout/"+c.id, url.Values{"logout_token": {token}}.Encode(), flowtest.Key(""),
			flowtest.Header("Content-Type", "application/x-www-form-urlencoded"))
	}
	token := func(jti string, change func(m)) string {
		now := f.Clock.Now()
		claims := m{
			"iss": p.URL, "aud": "reeve", "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(), "jti": jti, "sub": "ann-id", "sid": "s-ann",
			"events": m{"http://schemas.openid.net/event/backchannel-logout": m{}},
		}
		change(claims)
		return p.sign(t, claims)
	}
	same := func(m) {}
	ann, bob, elsewhere := c.signIn(t, "ann"), c.signIn(t, "bob"), other.signIn(t, "ann")
	for name, change := range map[string]func(m){
		"another client": func(cl m) { cl["aud"] = "other" },
		"an ID token":    func(cl m) { delete(cl, "events") },
		"with a nonce":   func(cl m) { cl["nonce"] = "x" },
		"nobody":         func(cl m) { delete(cl, "sub"); delete(cl, "sid") },
		"no jti":         func(cl m) { delete(cl, "jti") },
		"another issuer": func(cl m) { cl["iss"] = "https://other.example" },
		"old":            func(cl m) { cl["iat"] = f.Clock.Now().Add(-time.Hour).Unix() },
	} {
		if res := send(c, token(name, change)); res.Status != 400 {
			t.Errorf("%s: %d %s", name, res.Status, res.Raw)
		}
	}
	if res := send(c, "garbage"); res.Status != 400 {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
	alive := func(p *flowtest.Project, v url.Values) bool {
		return p.Do(t, "GET", "/user", nil, flowtest.User(v.Get("access_token"))).Status == 200
	}
	if !alive(f.A, ann) {
		t.Fatal("a refused token ended a session")
	}
	good := token("one", same)
	send(c, good).Want(200) // section 2.8; some providers take no other
	if alive(f.A, ann) || !alive(f.A, bob) || !alive(f.B, elsewhere) {
		t.Error("the token ended other sessions than Ann's here")
	}
	if res := send(c, good); res.Status != 400 {
		t.Errorf("a token that was used: %d", res.Status)
	}
	send(c, token("two", func(cl m) { delete(cl, "sub"); cl["sid"] = "s-bob" })).Want(200)
	if alive(f.A, bob) {
		t.Error("the session that the token names goes on")
	}
	again := c.signIn(t, "ann")
	u, err := url.Parse(f.A.Do(t, "POST", "/logout?single_logout=true&redirect_to="+url.QueryEscape(app), nil, flowtest.User(again.Get("access_token"))).Want(200).Get("url"))
	if err != nil || !strings.HasPrefix(u.String(), p.URL+"/bye?") || u.Query().Get("client_id") != "reeve" {
		t.Fatal(u, err)
	}
	if hint := flowtest.Claims(t, u.Query().Get("id_token_hint")); hint["sub"] != "ann-id" || hint["aud"] != "reeve" {
		t.Errorf("told as a hint: %v", hint)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM reeve.sso_session WHERE name::text LIKE '%eyJ%' OR name->>'hint' IS NULL`); n != 0 {
		t.Error("an ID token is stored unsealed, or not at all")
	}
	back := func() *flowtest.Response {
		return f.A.Do(t, "GET", "/sso/oidc/logged-out?state="+u.Query().Get("state"), nil, flowtest.Key(""))
	}
	if to := back().Want(303).Location(); to.String() != app {
		t.Error(to)
	}
	back().WantError(404, "sso_logout_not_found")
	// One that makes too long an address is not kept.
	state, claims := c.begin(t, "ann")
	claims["groups"] = []string{strings.Repeat("x", 6000)}
	long := c.arrive(t, url.Values{"state": {state}, "code": {"good"}}).Want(303).Fragment()
	to := f.A.Do(t, "POST", "/logout?single_logout=true&redirect_to="+url.QueryEscape(app), nil, flowtest.User(long.Get("access_token"))).Want(200).Get("url")
	if strings.Contains(to, "id_token_hint") || !strings.Contains(to, "client_id=reeve") {
		t.Error(to)
	}
}
