package sso_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/saml/samltest"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

// TestResourceID: routes that administer a connection take resource_ and its resource id
// in place of its id.
func TestResourceID(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	const name = "resource_Acme/Söhne"
	if got := f.A.Admin(t, "PUT", path+"/"+c.id, m{"resource_id": "Acme"}).Want(200); got.Get("resource_id") != "Acme" {
		t.Fatalf("%s", got.Raw)
	}
	at := path + "/resource_Acme"
	for _, there := range []string{at, path + "/resource_aCME"} {
		if got := f.A.Admin(t, "GET", there, nil).Want(200); got.Get("id") != c.id {
			t.Errorf("%s: %s", there, got.Raw)
		}
	}
	if got := f.A.Admin(t, "PUT", at, m{"domains": []string{"acme.test"}}).Want(200); got.Get("id") != c.id {
		t.Errorf("%s", got.Raw)
	}
	f.A.Admin(t, "GET", at+"/attempts?limit=1", nil).Want(200)
	f.A.Admin(t, "POST", at+"/domains", m{"domain": "more.test"}).Want(201)
	f.A.Admin(t, "POST", at+"/domains/more.test/check", nil).WantError(422, "sso_domain_unproved")
	if got := f.A.Admin(t, "GET", at+"/domains", nil).Want(200); !strings.Contains(string(got.Raw), "more.test") {
		t.Errorf("%s", got.Raw)
	}
	f.A.Admin(t, "DELETE", at+"/domains/more.test", nil).Want(204)
	token := f.A.Admin(t, "POST", at+"/scim/tokens", nil).Want(201).Get("id")
	f.A.Admin(t, "GET", at+"/scim/tokens", nil).Want(200)
	f.A.Admin(t, "GET", at+"/scim/log", nil).Want(200)
	f.A.Admin(t, "DELETE", at+"/scim/tokens/"+token, nil).Want(204)

	for _, none := range []string{
		"resource_", "resource_nobody", "Acme", "RESOURCE_Acme", "resource_" + c.id, "resource_%25", "resource_%00", "resource_%FF",
		"resource_" + strings.Repeat("a", 257), "{" + c.id + "}", "urn:uuid:" + c.id, strings.ReplaceAll(c.id, "-", ""),
	} {
		for _, below := range []string{"", "/attempts", "/domains", "/scim/tokens", "/scim/log"} {
			f.A.Admin(t, "GET", path+"/"+none+below, nil).WantError(404, "sso_provider_not_found")
		}
	}
	f.B.Admin(t, "GET", at, nil).WantError(404, "sso_provider_not_found") // of another project
	f.B.Admin(t, "DELETE", at, nil).WantError(404, "sso_provider_not_found")
	// Identity providers name a connection by its id alone.
	f.A.Do(t, "POST", "/sso/oidc/backchannel-logout/resource_Acme", url.Values{"logout_token": {"x"}}.Encode(), flowtest.Key(""),
		flowtest.Header("Content-Type", "application/x-www-form-urlencoded")).WantError(404, "sso_provider_not_found")

	other := samltest.New(t, "https://other.example", f.Clock.Now())
	made := m{"type": "saml", "metadata_xml": other.Metadata("https://other.example"), "resource_id": "ACME"}
	f.A.Admin(t, "POST", path, made).WantError(409, "sso_provider_exists")
	made["resource_id"] = strings.TrimPrefix(name, "resource_")
	id := f.A.Admin(t, "POST", path, made).Want(201).Get("id")
	f.A.Admin(t, "PUT", path+"/"+id, m{"resource_id": "Söhne"}).Want(200)
	if got := f.A.Admin(t, "GET", path+"/resource_S%C3%B6hne", nil).Want(200); got.Get("id") != id {
		t.Errorf("%s", got.Raw)
	}
	if gone := f.A.Admin(t, "DELETE", at, nil).Want(200); gone.Get("id") != c.id {
		t.Errorf("%s", gone.Raw)
	}
	f.A.Admin(t, "GET", at, nil).WantError(404, "sso_provider_not_found")
}
