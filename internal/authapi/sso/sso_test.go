package sso_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/saml/samltest"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

type m = flowtest.M

func TestMain(m *testing.M) { testkit.Main(m) }

const (
	path = "/admin/sso/providers"
	app  = "https://app.example.com/welcome"
)

func enabled(c *tenants.Config) {
	c.SiteURL, c.URIAllowList, c.SAMLEnabled, c.SAMLEncrypted = "https://app.example.com", "https://app.example.com/**", true, true
}

// company is an identity provider that a project has a connection to.
type company struct {
	*samltest.IdP
	project *flowtest.Project
	fixture *flowtest.Fixture
	id      string // of the connection
}

func newCompany(t testing.TB, f *flowtest.Fixture, p *flowtest.Project, domain string) *company {
	t.Helper()
	c := &company{IdP: samltest.New(t, "https://idp.example/"+domain, f.Clock.Now()), project: p, fixture: f}
	c.id = p.Admin(t, "POST", path, m{
		"type": "saml", "metadata_xml": c.Metadata("https://idp.example"), "domains": []string{domain},
		"attribute_mapping": m{"keys": m{"name": m{"names": []string{"displayName", "cn"}}, "team": m{"name": "groups", "array": true}, "plan": m{"default": "basic"}}},
	}).Want(201).Get("id")
	return c
}

// request is a sign-in that was begun.
type request struct{ ID, relay string }

// begin begins a sign-in and reads the request as the identity provider does.
func (c *company) begin(t *testing.T, body m) request {
	t.Helper()
	body["skip_http_redirect"] = true
	u, err := url.Parse(c.project.Do(t, "POST", "/sso", body).Want(200).Get("url"))
	if err != nil {
		t.Fatal(err)
	}
	return c.read(t, u)
}

// requestIn reads the request in an address of a provider.
func requestIn(t *testing.T, u *url.URL) request {
	t.Helper()
	got := readRequest(t, u)
	return request{got.ID, u.Query().Get("RelayState")}
}

type authnRequest struct {
	ID     string `xml:"ID,attr"`
	ACS    string `xml:"AssertionConsumerServiceURL,attr"`
	Issuer string `xml:"Issuer"`
}

func readRequest(t *testing.T, u *url.URL) (got authnRequest) {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(u.Query().Get("SAMLRequest"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func (c *company) read(t *testing.T, u *url.URL) request {
	t.Helper()
	got := readRequest(t, u)
	if got.ACS != c.acs() || got.Issuer != c.entityID() || !strings.HasPrefix(u.String(), "https://idp.example/sso?") {
		t.Fatalf("%+v to %s", got, u)
	}
	return request{got.ID, u.Query().Get("RelayState")}
}

func (c *company) acs() string      { return c.project.Tenant().Issuer() + "/sso/saml/acs" }
func (c *company) entityID() string { return c.project.Tenant().Issuer() + "/sso/saml/metadata" }

// says is what the provider answers to a request.
func (c *company) says(t testing.TB, r request, name string) samltest.Response {
	t.Helper()
	return samltest.Response{
		ACS: c.acs(), Audience: c.entityID(), RequestID: r.ID, NameID: name, SessionIndex: "_s", At: c.fixture.Clock.Now(),
		AssertionID: samlID(), SignAssertion: true,
		Attributes: map[string][]string{"email": {name + "@acme.example"}, "cn": {"Ann Example"}, "groups": {"staff", "admins"}},
	}
}

// post is what the browser does with the answer.
func (c *company) post(t *testing.T, response, relay string) *flowtest.Response {
	t.Helper()
	return c.project.Do(t, "POST", "/sso/saml/acs", url.Values{"SAMLResponse": {response}, "RelayState": {relay}}.Encode(), flowtest.Key(""),
		flowtest.Header("Content-Type", "application/x-www-form-urlencoded"))
}

func (c *company) signIn(t *testing.T, name string) url.Values {
	t.Helper()
	r := c.begin(t, m{"domain": "acme.example", "redirect_to": app})
	res := c.post(t, c.Encoded(c.says(t, r, name)), r.relay).Want(303)
	if res.Location().Host+res.Location().Path != "app.example.com/welcome" {
		t.Fatalf("sent to %s", res.Location())
	}
	return res.Fragment()
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	// A user with the address signed up before, and stays who they are.
	f.A.SignUp(t, "ann@acme.example", "correct horse battery")
	c := newCompany(t, f, f.A, "acme.example")
	tokens := c.signIn(t, "ann")
	claims := flowtest.Claims(t, tokens.Get("access_token"))
	amr := claims["amr"].([]any)[0].(map[string]any)
	if amr["method"] != "sso/saml" || amr["provider"] != c.id || claims["email"] != "ann@acme.example" {
		t.Errorf("%v", claims)
	}
	meta := claims["user_metadata"].(map[string]any)["custom_claims"].(map[string]any)
	if meta["name"] != "Ann Example" || meta["plan"] != "basic" || len(meta["team"].([]any)) != 2 {
		t.Errorf("%v", meta)
	}
	if provider := claims["app_metadata"].(map[string]any)["provider"]; provider != "sso:"+c.id {
		t.Errorf("provider %v", provider)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users WHERE email = 'ann@acme.example'`); n != 2 {
		t.Errorf("%d users with the address", n)
	}
	if again := flowtest.Claims(t, c.signIn(t, "ann").Get("access_token")); again["sub"] != claims["sub"] {
		t.Error("another user at the second sign-in")
	}
	refreshed := f.A.Refresh(t, tokens.Get("refresh_token")).Session()
	if amr := flowtest.Claims(t, refreshed.Access)["amr"].([]any)[0].(map[string]any); amr["provider"] != c.id {
		t.Errorf("after a refresh %v", amr)
	}
	f.A.Configure(func(c *tenants.Config) { c.ExternalPhoneEnabled = true })
	// No way in that the company does not control.
	for _, change := range []m{{"password": "another horse battery"}, {"email": "private@example.com"}, {"phone": "+491701234567"}} {
		f.A.Do(t, "PUT", "/user", change, flowtest.User(refreshed.Access)).WantError(422, "user_sso_managed")
	}
	f.A.Do(t, "PUT", "/user", m{"data": m{"theme": "dark"}}, flowtest.User(refreshed.Access)).Want(200)
	// The password's user has the address, and the one of the connection no password.
	f.A.SignIn(t, "ann@acme.example", "correct horse battery")
	f.A.Do(t, "GET", "/user", nil, flowtest.User(refreshed.Access)).Want(200)
	f.A.Exec(t, `UPDATE auth.users SET banned_until = now() + interval '1 day' WHERE is_sso_user`)
	r := c.begin(t, m{"domain": "acme.example"})
	if got := c.post(t, c.Encoded(c.says(t, r, "ann")), r.relay).Want(303).Location(); !strings.Contains(got.String(), "user_banned") {
		t.Error(got)
	}
}

// TestExchange: with PKCE only the app that began gets the session, which ends with the
// one at the identity provider.
func TestExchange(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	const verifier = "a-verifier-of-more-than-forty-three-characters-0123"
	r := c.begin(t, m{"provider_id": c.id, "redirect_to": app, "code_challenge": verifier, "code_challenge_method": "plain"})
	says := c.says(t, r, "ann")
	says.SessionEnd = f.Clock.Now().Add(10 * time.Minute)
	code := c.post(t, c.Encoded(says), r.relay).Want(303).Location().Query().Get("code")
	f.A.Do(t, "POST", "/token?grant_type=pkce", m{"auth_code": code, "code_verifier": strings.Repeat("x", 43)}).WantError(400, "bad_code_verifier")
	s := f.A.Do(t, "POST", "/token?grant_type=pkce", m{"auth_code": code, "code_verifier": verifier}).Session()
	claims := flowtest.Claims(t, s.Access)
	if life := claims["exp"].(float64) - claims["iat"].(float64); life > 600 {
		t.Errorf("the token lives %v s, longer than the session at the provider", life)
	}
	f.Clock.Advance(11 * time.Minute)
	f.A.Refresh(t, s.Refresh).WantError(400, "session_expired")
}

// TestAnswers: which answers are not accepted, and that they leave nothing behind.
func TestAnswers(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	other := newCompany(t, f, f.A, "other.example")
	there := newCompany(t, f, f.B, "acme.example") // the same entity ID and domain, another key
	refused := func(name string, res *flowtest.Response, code string) {
		t.Helper()
		if got := res.Want(303).Location(); !strings.Contains(got.String(), "error_code="+code) || strings.Contains(got.String(), "access_token") {
			t.Errorf("%s: %s, want %s", name, got, code)
		}
	}
	begin := func() request { return c.begin(t, m{"domain": "acme.example"}) }

	r := begin()
	good := c.Encoded(c.says(t, r, "ann"))
	c.post(t, good, r.relay).Want(303)
	refused("twice", c.post(t, good, r.relay), "saml_relay_state_not_found")
	unasked := c.says(t, request{}, "ann")
	encoded := c.Encoded(unasked)
	if got := c.post(t, encoded, app).Want(303); got.Fragment().Get("access_token") == "" || got.Location().Path != "/welcome" {
		t.Errorf("unasked: %s", got.Location())
	}
	refused("unasked, twice", c.post(t, encoded, app), "validation_failed")
	if got := c.post(t, c.Encoded(c.says(t, request{}, "ann")), "https://evil.example/").Want(303).Location(); got.Host != "app.example.com" {
		t.Errorf("sent to %s", got)
	}
	before := f.A.Count(t, `SELECT count(*) FROM auth.sessions`)
	r = begin()
	refused("to another request", c.post(t, c.Encoded(c.says(t, request{ID: "_other"}, "eve")), r.relay), "validation_failed")
	refused("the request is used up", c.post(t, c.Encoded(c.says(t, r, "eve")), r.relay), "saml_relay_state_not_found")
	r = begin()
	forged := c.says(t, r, "eve")
	refused("another connection's key", c.post(t, other.as(c).Encoded(forged), r.relay), "validation_failed")
	r = begin()
	refused("another connection", c.post(t, other.Encoded(other.says(t, r, "eve")), r.relay), "validation_failed")
	r = begin()
	refused("another project's key", c.post(t, there.Encoded(c.says(t, r, "eve")), r.relay), "validation_failed")
	r = there.begin(t, m{"domain": "acme.example"})
	refused("another project's request", c.post(t, c.Encoded(c.says(t, r, "eve")), r.relay), "saml_relay_state_not_found")
	refused("another project's answer", there.post(t, c.Encoded(c.says(t, request{}, "eve")), ""), "validation_failed")
	r = begin()
	f.Clock.Advance(16 * time.Minute)
	refused("late", c.post(t, c.Encoded(c.says(t, r, "eve")), r.relay), "saml_relay_state_expired")
	refused("unknown issuer", c.post(t, samltest.New(t, "https://nobody.example", f.Clock.Now()).Encoded(c.says(t, request{}, "eve")), ""), "saml_idp_not_found")
	transient := c.says(t, request{}, "eve")
	transient.Format = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	refused("transient name", c.post(t, c.Encoded(transient), ""), "saml_assertion_no_user_id")
	f.A.Admin(t, "PUT", path+"/"+c.id, m{"name_id_format": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"}).Want(200)
	refused("another format of the name", c.post(t, c.Encoded(c.says(t, request{}, "eve")), ""), "saml_assertion_no_user_id")
	f.A.Admin(t, "PUT", path+"/"+c.id, m{"name_id_format": ""}).Want(200)
	f.A.Configure(func(c *tenants.Config) { c.EmailDomainsBlocked = "acme.example" })
	refused("a domain that the project refuses", c.post(t, c.Encoded(c.says(t, request{}, "eve")), ""), "email_address_not_authorized")
	f.A.Configure(func(c *tenants.Config) { c.EmailDomainsBlocked = "" })
	silent := c.says(t, request{}, "eve")
	silent.Attributes = map[string][]string{"cn": {"Eve"}}
	refused("no address", c.post(t, c.Encoded(silent), ""), "saml_assertion_no_email")
	refused("nothing", c.post(t, "", ""), "validation_failed")
	refused("no XML", c.post(t, "AAAA", ""), "validation_failed")
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`); n != before {
		t.Errorf("%d sessions, want %d", n, before)
	}
	f.A.Admin(t, "PUT", path+"/"+c.id, m{"disabled": true}).Want(200)
	refused("switched off", c.post(t, c.Encoded(c.says(t, request{}, "eve")), ""), "sso_provider_disabled")
	f.A.Do(t, "POST", "/sso", m{"domain": "acme.example"}).WantError(404, "sso_provider_disabled")
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`); n != 0 {
		t.Errorf("%d sessions of a connection that is switched off", n)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users WHERE email LIKE 'eve%'`) + f.B.Count(t, `SELECT count(*) FROM auth.users`); n != 0 {
		t.Errorf("%d users of refused answers", n)
	}
}

// as is the company with the name of another.
func (c *company) as(other *company) *samltest.IdP {
	p := *c.IdP
	p.EntityID = other.EntityID
	return &p
}

// TestRefusedUsesNothing: a trigger that refuses the user leaves the assertion usable.
func TestRefusedUsesNothing(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	f.A.Exec(t, `CREATE FUNCTION public.no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no'; END$$`)
	f.A.Exec(t, `CREATE TRIGGER no BEFORE INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.no()`)
	encoded := c.Encoded(c.says(t, request{}, "ann"))
	if res := c.post(t, encoded, app); res.Status == 303 && res.Fragment().Get("access_token") != "" {
		t.Fatal("signed in")
	}
	f.A.Exec(t, `DROP TRIGGER no ON auth.users`)
	if res := c.post(t, encoded, app).Want(303); res.Fragment().Get("access_token") == "" {
		t.Error(res.Location())
	}
	// Of two at once one wins.
	twice := c.Encoded(c.says(t, request{}, "ann"))
	var won int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if res := c.post(t, twice, app); strings.Contains(res.Header.Get("Location"), "access_token") {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d of the same assertion were accepted", won)
	}
	if err := f.A.TryAs(t, f.A.Tenant().Ref.OwnerRole(), `DELETE FROM reeve.saml_assertion`); err == nil {
		t.Error("the owner can forget used assertions")
	}
	if err := f.A.TryAs(t, f.A.Tenant().Ref.OwnerRole(), `SELECT * FROM reeve.saml_key`); err == nil {
		t.Error("the owner can read SAML keys")
	}
}

func TestEncrypted(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	raw := f.A.Do(t, "GET", "/sso/saml/metadata?download=true", nil, flowtest.Key("")).Want(200)
	if raw.Header.Get("Content-Type") != "application/xml" || !strings.Contains(raw.Header.Get("Content-Disposition"), "metadata.xml") {
		t.Errorf("%v", raw.Header)
	}
	says := c.says(t, request{}, "ann")
	says.Encrypt = samltest.EncryptionKey(t, raw.Raw)
	if res := c.post(t, c.Encoded(says), app).Want(303); res.Fragment().Get("access_token") == "" {
		t.Error(res.Location())
	}
	if there := f.B.Do(t, "GET", "/sso/saml/metadata", nil, flowtest.Key("")).Want(200); samltest.EncryptionKey(t, there.Raw).Equal(says.Encrypt) {
		t.Error("two projects have one key")
	}
	f.A.Configure(func(c *tenants.Config) { c.SAMLEncrypted = false })
	again := c.says(t, request{}, "ann")
	again.Encrypt = says.Encrypt
	if got := c.post(t, c.Encoded(again), app).Want(303).Location(); !strings.Contains(got.String(), "validation_failed") {
		t.Error(got)
	}
	f.A.Configure(func(c *tenants.Config) { c.SAMLEnabled = false })
	f.A.Do(t, "GET", "/sso/saml/metadata", nil).WantError(404, "saml_provider_disabled")
	f.A.Do(t, "POST", "/sso", m{"domain": "acme.example"}).WantError(404, "saml_provider_disabled")
	f.A.Admin(t, "POST", path, m{"type": "saml"}).WantError(404, "saml_provider_disabled")
}

func TestConnections(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	got := f.A.Admin(t, "GET", path+"/"+c.id, nil).Want(200)
	if got.Get("saml.entity_id") != c.EntityID || !strings.Contains(string(got.Raw), `"disabled":null`) || !strings.Contains(string(got.Raw), `"domains":[{"domain":"acme.example"}]`) {
		t.Errorf("%s", got.Raw)
	}
	for _, method := range []string{"GET", "DELETE"} {
		f.B.Admin(t, method, path+"/"+c.id, nil).WantError(404, "sso_provider_not_found")
	}
	f.B.Admin(t, "PUT", path+"/"+c.id, m{"domains": []string{}}).WantError(404, "sso_provider_not_found")
	if raw := f.B.Admin(t, "GET", path, nil).Want(200).Raw; strings.Contains(string(raw), "acme") {
		t.Errorf("%s", raw)
	}
	f.B.Do(t, "POST", "/sso", m{"domain": "acme.example"}).WantError(404, "sso_provider_not_found")
	two := samltest.New(t, "https://two.example", f.Clock.Now())
	metadata := two.Metadata("https://two.example")
	for name, c := range map[string]struct {
		body   m
		status int
		code   string
	}{
		"no type":         {m{"metadata_xml": metadata}, 400, "validation_failed"},
		"another type":    {m{"type": "oidc", "metadata_xml": metadata}, 400, "validation_failed"},
		"no metadata":     {m{"type": "saml"}, 400, "validation_failed"},
		"both":            {m{"type": "saml", "metadata_xml": metadata, "metadata_url": "https://two.example"}, 400, "validation_failed"},
		"bad metadata":    {m{"type": "saml", "metadata_xml": "<x/>"}, 400, "validation_failed"},
		"HTML":            {m{"type": "saml", "metadata_xml": "<html></html>"}, 400, "validation_failed"},
		"plain address":   {m{"type": "saml", "metadata_url": "http://two.example/metadata"}, 400, "validation_failed"},
		"a file":          {m{"type": "saml", "metadata_url": "file:///etc/passwd"}, 400, "validation_failed"},
		"same entity":     {m{"type": "saml", "metadata_xml": samltest.MetadataOf("https://idp.example/acme.example", "https://x.example", two.Certificate)}, 422, "saml_idp_already_exists"},
		"same domain":     {m{"type": "saml", "metadata_xml": metadata, "domains": []string{"ACME.example"}}, 422, "sso_domain_already_exists"},
		"bad domain":      {m{"type": "saml", "metadata_xml": metadata, "domains": []string{"acme"}}, 400, "validation_failed"},
		"address":         {m{"type": "saml", "metadata_xml": metadata, "domains": []string{"a@acme.example"}}, 400, "validation_failed"},
		"bad format":      {m{"type": "saml", "metadata_xml": metadata, "name_id_format": "x"}, 400, "validation_failed"},
		"mapping too big": {m{"type": "saml", "metadata_xml": metadata, "attribute_mapping": m{"keys": m{"a": m{"name": strings.Repeat("x", 600)}}}}, 400, "validation_failed"},
	} {
		t.Run(name, func(t *testing.T) { f.A.Admin(t, "POST", path, c.body).WantError(c.status, c.code) })
	}
	updated := f.A.Admin(t, "PUT", path+"/"+c.id, m{"domains": []string{"acme.example", "Acme.test", "acme.test"}, "name_id_format": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"}).Want(200)
	if !strings.Contains(string(updated.Raw), `"domains":[{"domain":"acme.example"},{"domain":"acme.test"}]`) || updated.Get("saml.entity_id") != c.EntityID {
		t.Errorf("%s", updated.Raw)
	}
	f.A.Admin(t, "PUT", path+"/"+c.id, m{"metadata_xml": metadata}).WantError(422, "saml_entity_id_mismatch")
	if to := f.A.Do(t, "POST", "/sso", m{"domain": " ACME.test "}).Want(303).Header.Get("Location"); !strings.HasPrefix(to, "https://idp.example/sso?") {
		t.Error(to)
	}
	f.A.Do(t, "POST", "/sso", m{}).WantError(400, "validation_failed")
	f.A.Do(t, "POST", "/sso", m{"domain": "nope.example"}).WantError(404, "sso_provider_not_found")
	f.A.Do(t, "POST", "/sso", m{"provider_id": "x"}).WantError(404, "sso_provider_not_found")
	f.A.Do(t, "POST", "/sso", m{"provider_id": c.id, "domain": "acme.example"}).WantError(400, "validation_failed")
	f.A.Admin(t, "PUT", path+"/"+c.id, m{"name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"}).Want(200)
	tokens := c.signIn(t, "ann")
	if gone := f.A.Admin(t, "DELETE", path+"/"+c.id, nil).Want(200); gone.Get("id") != c.id {
		t.Errorf("%s", gone.Raw)
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(tokens.Get("access_token"))).WantError(403, "session_not_found")
	for action, want := range map[string]int{"created": 1, "updated": 2, "deleted": 1} {
		if n := f.A.Count(t, `SELECT count(*) FROM auth.audit_log_entries WHERE payload ->> 'action' = $1`, "sso_provider_"+action); n != want {
			t.Errorf("%d entries %s", n, action)
		}
	}
}

// TestMetadataURL: the metadata is fetched, and stays when its address fails.
func TestMetadataURL(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	if res := f.A.Admin(t, "POST", path, m{"type": "saml", "metadata_url": "https://127.0.0.1:1/metadata"}); res.Status != http.StatusUnprocessableEntity || res.Get("error_code") != "saml_metadata_fetch_failed" {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
}

var samlIDs struct {
	sync.Mutex
	n int
}

// samlID returns an identifier that no other assertion has.
func samlID() string {
	samlIDs.Lock()
	defer samlIDs.Unlock()
	samlIDs.n++
	return "_a" + strings.Repeat("i", samlIDs.n)
}
