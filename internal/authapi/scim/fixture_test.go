package scim_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/saml/samltest"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

type m = flowtest.M

func TestMain(m *testing.M) { testkit.Main(m) }

const (
	app        = "https://app.example.com/welcome"
	urnUser    = "urn:ietf:params:scim:schemas:core:2.0:User"
	urnPatch   = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

func enabled(c *tenants.Config) {
	c.SiteURL, c.URIAllowList, c.SAMLEnabled = "https://app.example.com", "https://app.example.com/**", true
}

// company is a connection of a project, with its identity provider and its directory.
type company struct {
	*samltest.IdP
	project   *flowtest.Project
	fixture   *flowtest.Fixture
	id, token string
}

func newCompany(t *testing.T, f *flowtest.Fixture, p *flowtest.Project, domain string) *company {
	t.Helper()
	c := &company{IdP: samltest.New(t, "https://idp.example/"+domain, f.Clock.Now()), project: p, fixture: f}
	made := m{"type": "saml", "metadata_xml": c.Metadata("https://idp.example")}
	if domain == "acme.example" { // that of all people of the tests; others take any address
		made["domains"] = []string{domain}
	}
	c.id = p.Admin(t, "POST", "/admin/sso/providers", made).Want(201).Get("id")
	c.token = p.Admin(t, "POST", c.admin()+"/tokens", nil).Want(201).Get("token")
	return c
}

// admin is the address of the connection's provisioning.
func (c *company) admin() string { return "/admin/sso/providers/" + c.id + "/scim" }

// do sends a request of the directory.
func (c *company) do(t *testing.T, method, path string, body any, options ...flowtest.Option) *flowtest.Response {
	t.Helper()
	return c.project.Do(t, method, "/scim/v2"+path, body, append([]flowtest.Option{
		flowtest.Key(""), flowtest.Header("Authorization", "Bearer "+c.token), flowtest.Header("Content-Type", "application/scim+json"),
	}, options...)...)
}

// refused sends a request that must be refused in the form of SCIM.
func (c *company) refused(t *testing.T, method, path string, body any, status int, scimType string, options ...flowtest.Option) *flowtest.Response {
	t.Helper()
	return wantSCIM(t, c.do(t, method, path, body, options...), status, scimType)
}

func wantSCIM(t *testing.T, res *flowtest.Response, status int, scimType string) *flowtest.Response {
	t.Helper()
	res.Want(status)
	list, _ := res.JSON["schemas"].([]any)
	if len(list) != 1 || list[0] != "urn:ietf:params:scim:api:messages:2.0:Error" || res.Get("scimType") != scimType || res.Get("detail") == "" ||
		len(res.Get("status")) != 3 || res.Header.Get("Content-Type") != "application/scim+json" {
		t.Fatalf("%s %v, want scimType %q", res.Raw, res.Header, scimType)
	}
	return res
}

// person is a user as directories send one.
func person(name string) m {
	return m{
		"schemas": []string{urnUser, enterprise}, "userName": name + "@acme.example", "externalId": "ext-" + name, "active": true,
		"name": m{"givenName": strings.ToUpper(name[:1]) + name[1:], "familyName": "Example"}, "displayName": strings.ToUpper(name[:1]) + name[1:] + " Example",
		"emails": []m{{"value": name + "@acme.example", "type": "work", "primary": true}}, enterprise: m{"department": "Research"},
	}
}

// push makes a user and returns its id.
func (c *company) push(t *testing.T, who m) string {
	t.Helper()
	return c.do(t, "POST", "/Users", who).Want(201).Get("id")
}

func (c *company) group(t *testing.T, name string, members ...string) string {
	t.Helper()
	list := []m{}
	for _, id := range members {
		list = append(list, m{"value": id})
	}
	return c.do(t, "POST", "/Groups", m{"displayName": name, "members": list}).Want(201).Get("id")
}

func patch(ops ...m) m { return m{"schemas": []string{urnPatch}, "Operations": ops} }

// signIn is a sign-in by the identity provider, which names the user by a subject.
func (c *company) signIn(t *testing.T, subject, email string) *flowtest.Response {
	t.Helper()
	issuer := c.project.Tenant().Issuer()
	says := samltest.Response{
		ACS: issuer + "/sso/saml/acs", Audience: issuer + "/sso/saml/metadata", NameID: subject, SessionIndex: "_s", At: c.fixture.Clock.Now(),
		AssertionID: "_" + uuid.NewString(), SignAssertion: true, Attributes: map[string][]string{"email": {email}},
	}
	return c.project.Do(t, "POST", "/sso/saml/acs", url.Values{"SAMLResponse": {c.Encoded(says)}, "RelayState": {app}}.Encode(), flowtest.Key(""),
		flowtest.Header("Content-Type", "application/x-www-form-urlencoded")).Want(303)
}

// session is the session of a sign-in that succeeds.
func (c *company) session(t *testing.T, subject, email string) flowtest.Session {
	t.Helper()
	res := c.signIn(t, subject, email)
	access := res.Fragment().Get("access_token")
	if access == "" {
		t.Fatalf("not signed in: %s", res.Location())
	}
	return flowtest.Session{Access: access, Refresh: res.Fragment().Get("refresh_token"), UserID: flowtest.Claims(t, access)["sub"].(string)}
}

// notIn is a sign-in that is refused.
func (c *company) notIn(t *testing.T, subject, email, code string) {
	t.Helper()
	if got := c.signIn(t, subject, email).Location(); !strings.Contains(got.String(), "error_code="+code) {
		t.Errorf("sign-in of %s: %s, want %s", subject, got, code)
	}
}

// userOf is the project's user of a user of the directory.
func (c *company) userOf(t *testing.T, id string) string {
	t.Helper()
	return flowtest.One[string](t, c.project, `SELECT coalesce(user_id::text, '') FROM auth.scim_users WHERE id = $1`, id)
}
