package sso_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/saml/samltest"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// rule changes rules of the connection.
func (c *company) rule(t *testing.T, rules m) {
	t.Helper()
	c.project.Admin(t, "PUT", path+"/"+c.id, m{"rules": rules}).Want(200)
}

// TestRules: what a connection may do is said by its rules.
func TestRules(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	answer := func(t *testing.T, change func(*samltest.Response)) url.Values {
		t.Helper()
		r := c.begin(t, m{"domain": "acme.example", "redirect_to": app})
		says := c.says(t, r, "ann")
		change(&says)
		return c.post(t, c.Encoded(says), r.relay).Want(303).Fragment()
	}
	refused := func(t *testing.T, got url.Values, code string) {
		t.Helper()
		if got.Get("error_code") != code {
			t.Errorf("%v, want %s", got, code)
		}
	}
	same := func(*samltest.Response) {}
	outside := func(r *samltest.Response) { r.Attributes["email"] = []string{"ceo@rival.example"} }

	refused(t, answer(t, outside), "sso_domain_mismatch")
	c.rule(t, m{"create_users": false})
	refused(t, answer(t, same), "signup_disabled")
	c.rule(t, m{"create_users": true, "groups_attribute": "groups", "allowed_groups": []string{"pilots"}})
	refused(t, answer(t, same), "sso_group_not_allowed")
	c.rule(t, m{"allowed_groups": []string{"pilots", "staff"}, "default_user_metadata": m{"theme": "dark", "email": "x"}, "default_app_metadata": m{"role": "member"}})
	claims := flowtest.Claims(t, answer(t, same).Get("access_token"))
	app := claims["app_metadata"].(map[string]any)
	if groups, _ := app["groups"].([]any); len(groups) != 2 || groups[0] != "staff" || app["role"] != "member" {
		t.Errorf("app_metadata %v", app)
	}
	if user := claims["user_metadata"].(map[string]any); user["theme"] != "dark" || user["email"] != "ann@acme.example" || claims["aal"] != "aal1" {
		t.Errorf("%v", claims)
	}
	claims = flowtest.Claims(t, answer(t, func(r *samltest.Response) { r.Attributes["groups"] = []string{"staff"} }).Get("access_token"))
	if groups := claims["app_metadata"].(map[string]any)["groups"].([]any); len(groups) != 1 {
		t.Errorf("groups %v after a sign-in with one", groups)
	}
	c.rule(t, m{"allow_other_domains": true, "groups_attribute": "", "allowed_groups": []string{}})
	if got := answer(t, func(r *samltest.Response) { r.NameID = "ceo"; outside(r) }); got.Get("access_token") == "" {
		t.Errorf("%v", got)
	}
	c.rule(t, m{"mfa": "provider_stated"})
	if claims := flowtest.Claims(t, answer(t, same).Get("access_token")); claims["aal"] != "aal1" {
		t.Errorf("aal %v", claims["aal"])
	}
	c.rule(t, m{"mfa": "provider"})
	if claims := flowtest.Claims(t, answer(t, same).Get("access_token")); claims["aal"] != "aal2" {
		t.Errorf("aal %v", claims["aal"])
	}
	c.rule(t, m{"allow_unsolicited": false})
	if got := c.post(t, c.Encoded(c.says(t, request{}, "ann")), "").Want(303).Location(); !strings.Contains(got.String(), "sso_unsolicited") {
		t.Error(got)
	}
	for name, rules := range map[string]any{
		"unknown": m{"x": 1}, "mfa": m{"mfa": "never"}, "no object": []int{1}, "groups without attribute": m{"allowed_groups": []string{"a"}},
		"reserved": m{"default_app_metadata": m{"provider": "email"}}, "large": m{"default_user_metadata": m{"a": strings.Repeat("x", 20000)}},
	} {
		t.Run(name, func(t *testing.T) {
			f.A.Admin(t, "PUT", path+"/"+c.id, m{"rules": rules}).WantError(400, "validation_failed")
		})
	}
	got := f.A.Admin(t, "GET", path+"/"+c.id, nil).Want(200)
	if got.Get("rules.mfa") != "provider" || got.Get("type") != "saml" {
		t.Errorf("%s", got.Raw)
	}
	attempts := f.A.Admin(t, "GET", path+"/"+c.id+"/attempts?limit=200", nil).Want(200)
	for _, want := range []string{`"outcome":"refused"`, `"outcome":"accepted"`, "outside of the connection's domains", `"check":"signature","ok":true`, `"kind":"portal"`} {
		if !strings.Contains(string(attempts.Raw), want) {
			t.Errorf("the attempts have no %s", want)
		}
	}
	if strings.Contains(string(attempts.Raw), "Ann Example") {
		t.Error("the attempts keep what the provider said")
	}
}

// TestLink: users with the address are taken over only by a company that has proved the
// domain, where the connection may, and are told.
func TestLink(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	c := newCompany(t, f, f.A, "acme.example")
	before := f.A.SignUp(t, "ann@acme.example", "correct horse battery")
	c.rule(t, m{"link_users": true})
	if got := flowtest.Claims(t, c.signIn(t, "zoe").Get("access_token")); got["sub"] == before.UserID {
		t.Error("linked by another address")
	}
	f.A.Exec(t, `INSERT INTO reeve.sso_claim (provider_id, domain, token, created_at, proof, proved_at) VALUES ($1, 'acme.example', 'x', now(), 'developer', now())`, c.id)
	c.rule(t, m{"link_users": true})
	f.A.Exec(t, `UPDATE reeve.sso_claim SET proof = 'dns'`)
	if got := flowtest.Claims(t, c.signIn(t, "ann").Get("access_token")); got["sub"] != before.UserID {
		t.Errorf("%v, want the user who was there before", got["sub"])
	}
	if mail := f.A.Mail(t, "ann@acme.example"); !strings.Contains(mail.Subject, "Another way to sign in") || !strings.Contains(mail.HTML, "acme.example") {
		t.Errorf("%s: %s", mail.Subject, mail.HTML)
	}
}

// TestFormerAddress: a project whose address changed goes by the one that providers know,
// and messages to either are accepted.
func TestFormerAddress(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	const former = "https://former.example/auth/v1"
	f.A.Configure(func(c *tenants.Config) { c.SAMLExternalURL = former })
	metadata := string(f.A.Do(t, "GET", "/sso/saml/metadata", nil, flowtest.Key("")).Want(200).Raw)
	if !strings.Contains(metadata, former+"/sso/saml/acs") || strings.Contains(metadata, c.acs()) {
		t.Errorf("%s", metadata)
	}
	for _, base := range []string{former, f.A.Tenant().Issuer()} {
		r := requestIn(t, f.A.Do(t, "POST", "/sso", m{"domain": "acme.example", "redirect_to": app}).Want(303).Location())
		says := c.says(t, r, "ann")
		says.ACS, says.Audience = base+"/sso/saml/acs", base+"/sso/saml/metadata"
		if got := c.post(t, c.Encoded(says), r.relay).Want(303).Fragment(); got.Get("access_token") == "" {
			t.Errorf("%s: %v", base, got)
		}
	}
	out, err := c.speaker().SignOut(c.us(redirectBinding), annsName, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	c.send(t, out).Want(303)
}

// TestKeys: a second key is published and signs when the first is gone.
func TestKeys(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	published := func() int {
		return strings.Count(string(f.A.Do(t, "GET", "/sso/saml/metadata", nil, flowtest.Key("")).Want(200).Raw), `use="signing"`)
	}
	type key struct {
		ID    string
		Signs bool
	}
	read := func(res *flowtest.Response) []key {
		var list struct{ Items []key }
		res.Decode(&list)
		if strings.Contains(string(res.Raw), "private") {
			t.Errorf("%s", res.Raw)
		}
		return list.Items
	}
	first := read(f.A.Admin(t, "GET", "/admin/sso/keys", nil).Want(200))
	f.A.Admin(t, "DELETE", "/admin/sso/keys/"+first[0].ID, nil).WantError(404, "saml_key_not_found")
	f.A.Admin(t, "DELETE", "/admin/sso/keys/x", nil).WantError(404, "saml_key_not_found")
	f.Clock.Advance(time.Second)
	two := read(f.A.Admin(t, "POST", "/admin/sso/keys", nil).Want(201))
	if len(two) != 2 || two[0] != first[0] || !two[0].Signs || two[1].Signs || published() != 2 {
		t.Errorf("%v, %d published", two, published())
	}
	f.A.Admin(t, "POST", "/admin/sso/keys", nil).WantError(409, "saml_keys_exist")
	one := read(f.A.Admin(t, "DELETE", "/admin/sso/keys/"+first[0].ID, nil).Want(200))
	if len(one) != 1 || one[0].ID != two[1].ID || !one[0].Signs || published() != 1 {
		t.Errorf("%v", one)
	}
	c.signIn(t, "ann")
}
