package sso_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/sso"
	"github.com/reevehq/reeve/internal/saml/samltest"
	"github.com/reevehq/reeve/internal/testkit/dnstest"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

// unrouted is a company whose connection has no domain yet.
func unrouted(t *testing.T, f *flowtest.Fixture, p *flowtest.Project, name string) *company {
	t.Helper()
	c := &company{IdP: samltest.New(t, "https://idp.example/"+name, f.Clock.Now()), project: p, fixture: f}
	c.id = p.Admin(t, "POST", path, m{"type": "saml", "metadata_xml": c.Metadata("https://idp.example"), "name": name}).Want(201).Get("id")
	return c
}

func (c *company) claim(t *testing.T, domain string) *flowtest.Response {
	t.Helper()
	return c.project.Admin(t, "POST", path+"/"+c.id+"/domains", m{"domain": domain})
}

// TestClaim: an unproved domain does not route, a proved one does, and a proof that goes
// away ends after a week.
func TestClaim(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	f.DNS = dnstest.New(t)
	c := unrouted(t, f, f.A, "acme")
	start := func(p *flowtest.Project) *flowtest.Response {
		return p.Do(t, "POST", "/sso", m{"domain": "acme.example", "skip_http_redirect": true})
	}
	claimed := c.claim(t, " ACME.example. ").Want(201)
	if claimed.Get("state") != "pending" || claimed.Get("record_name") != "_reeve-challenge.acme.example" {
		t.Fatalf("%s", claimed.Raw)
	}
	start(f.A).WantError(404, "sso_provider_not_found")
	check := path + "/" + c.id + "/domains/acme.example/check"
	f.A.Admin(t, "POST", check, nil).WantError(422, "sso_domain_unproved")
	f.DNS.Set("_reeve-challenge.acme.example", "v=spf1 -all", "reeve-domain-verification=0000")
	f.A.Admin(t, "POST", check, nil).WantError(422, "sso_domain_unproved")
	f.DNS.Fail(true)
	f.A.Admin(t, "POST", check, nil).WantError(503, "sso_domain_lookup_failed")
	f.DNS.Fail(false)
	f.DNS.Set("_reeve-challenge.acme.example", "v=spf1 -all", claimed.Get("record_value"))
	if res := f.A.Admin(t, "POST", check, nil).Want(200); res.Get("state") != "active" || res.Get("proof") != "dns" {
		t.Errorf("%s", res.Raw)
	}
	start(f.A).Want(200)
	start(f.B).WantError(404, "sso_provider_not_found") // each project has its own domains
	f.B.Admin(t, "POST", check, nil).WantError(404, "sso_domain_not_found")

	maintain := func() {
		t.Helper()
		if err := f.Flows().Connections().Maintain(t.Context(), f.A.Scope(), nil); err != nil {
			t.Fatal(err)
		}
	}
	state := func() string {
		t.Helper()
		var list struct {
			Items []struct{ State string }
		}
		f.A.Admin(t, "GET", path+"/"+c.id+"/domains", nil).Want(200).Decode(&list)
		return list.Items[0].State
	}
	f.DNS.Set("_reeve-challenge.acme.example")
	maintain() // not due yet
	if got := state(); got != "active" {
		t.Error(got)
	}
	f.Clock.Advance(25 * time.Hour)
	f.DNS.Fail(true)
	maintain() // no answer is no news
	f.DNS.Fail(false)
	if got := state(); got != "active" {
		t.Error(got)
	}
	maintain()
	if got := state(); got != "failing" {
		t.Error(got)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sso_domains`); n != 1 {
		t.Errorf("%d domains lead to the connection while its proof fails", n)
	}
	f.DNS.Set("_reeve-challenge.acme.example", claimed.Get("record_value"))
	f.Clock.Advance(25 * time.Hour)
	maintain()
	if got := state(); got != "active" {
		t.Error(got)
	}
	f.DNS.Set("_reeve-challenge.acme.example")
	for range 9 {
		f.Clock.Advance(25 * time.Hour)
		maintain()
	}
	if got := state(); got != "pending" {
		t.Error(got)
	}
	start(f.A).WantError(404, "sso_provider_not_found")
	f.A.Admin(t, "DELETE", path+"/"+c.id+"/domains/acme.example", nil).Want(204)
	f.A.Admin(t, "DELETE", path+"/"+c.id+"/domains/acme.example", nil).WantError(404, "sso_domain_not_found")
	for _, public := range []string{"gmail.com", "co.uk", "github.io"} {
		c.claim(t, public).WantError(422, "sso_domain_public")
	}
	for _, bad := range []string{"", "acme", "a b.example", "-a.example", strings.Repeat("a.", 200) + "example"} {
		c.claim(t, bad).WantError(400, "validation_failed")
	}
}

// TestClaimByMail: the people who run the domain agree by a button, once for this claim.
func TestClaimByMail(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := unrouted(t, f, f.A, "Acme")
	c.claim(t, "acme.example").Want(201)
	at := path + "/" + c.id + "/domains/acme.example/mail"
	f.A.Admin(t, "POST", at, m{"mailbox": "eve"}).WantError(400, "validation_failed")
	f.A.Admin(t, "POST", at, m{"mailbox": "postmaster"}).Want(204)
	mail := f.A.Mail(t, "postmaster@acme.example")
	if !strings.Contains(mail.HTML, "Acme") {
		t.Errorf("%s", mail.HTML)
	}
	link, err := url.Parse(mail.Links[0])
	if err != nil || !strings.HasSuffix(link.Path, "/sso/domains/verify") {
		t.Fatal(mail.Links, err)
	}
	open := func(p *flowtest.Project, q url.Values) *flowtest.Response {
		return p.Do(t, "GET", "/sso/domains/verify?"+q.Encode(), nil, flowtest.Key(""))
	}
	press := func(p *flowtest.Project, q url.Values) *flowtest.Response {
		return p.Do(t, "POST", "/sso/domains/verify", q.Encode(), flowtest.Key(""), flowtest.Header("Content-Type", "application/x-www-form-urlencoded"))
	}
	if page := open(f.A, link.Query()).Want(200); !strings.Contains(string(page.Raw), "Is acme.example yours?") {
		t.Errorf("%s", page.Raw)
	}
	f.A.Do(t, "POST", "/sso", m{"domain": "acme.example"}).WantError(404, "sso_provider_not_found")
	for _, change := range []string{"domain", "until", "token", "connection"} {
		q := link.Query()
		q.Set(change, q.Get(change)+"0")
		press(f.A, q).WantError(403, "sso_domain_link_invalid")
	}
	press(f.B, link.Query()).WantError(403, "sso_domain_link_invalid")
	press(f.A, link.Query()).Want(200)
	f.A.Do(t, "POST", "/sso", m{"domain": "acme.example", "skip_http_redirect": true}).Want(200)
	// The link of a claim that was dropped is worth nothing for the next one.
	f.A.Admin(t, "DELETE", path+"/"+c.id+"/domains/acme.example", nil).Want(204)
	c.claim(t, "acme.example").Want(201)
	press(f.A, link.Query()).WantError(403, "sso_domain_link_invalid")
	f.Clock.Advance(25 * time.Hour)
	open(f.A, link.Query()).WantError(403, "sso_domain_link_invalid")
}

// TestSharedDomain: a second connection gets a domain when the first agrees; then people
// choose.
func TestSharedDomain(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	f.DNS = dnstest.New(t)
	first, second := newCompany(t, f, f.A, "acme.example"), unrouted(t, f, f.A, "Acme Labs")
	f.DNS.Set("_reeve-challenge.acme.example", second.claim(t, "acme.example").Want(201).Get("record_value"))
	consent := path + "/" + first.id + "/domains/acme.example/consent"
	f.A.Admin(t, "POST", consent, m{"provider_id": second.id}).WantError(404, "sso_consent_not_found")
	if res := f.A.Admin(t, "POST", path+"/"+second.id+"/domains/acme.example/check", nil).Want(200); res.Get("state") != "consent" || res.Get("held_by") != first.id {
		t.Errorf("%s", res.Raw)
	}
	address := func() string {
		return f.A.Do(t, "POST", "/sso", m{"domain": "acme.example", "skip_http_redirect": true, "redirect_to": app}).Want(200).Get("url")
	}
	if to := address(); !strings.HasPrefix(to, "https://idp.example/sso?") {
		t.Error(to)
	}
	if res := f.A.Admin(t, "GET", path+"/"+first.id+"/domains", nil).Want(200); !strings.Contains(string(res.Raw), `"awaiting_consent":[{"provider_id":"`+second.id) {
		t.Errorf("%s", res.Raw)
	}
	f.A.Admin(t, "POST", path+"/"+second.id+"/domains/acme.example/consent", m{"provider_id": second.id}).WantError(404, "sso_consent_not_found")
	if res := f.A.Admin(t, "POST", consent, m{"provider_id": second.id}).Want(200); res.Get("state") != "active" {
		t.Errorf("%s", res.Raw)
	}
	choose := strings.TrimPrefix(address(), f.A.Tenant().Issuer())
	if !strings.HasPrefix(choose, "/sso/choose/") {
		t.Fatal(choose)
	}
	page := f.A.Do(t, "GET", choose, nil, flowtest.Key("")).Want(200)
	if !strings.Contains(string(page.Raw), "Acme Labs") || !strings.Contains(string(page.Raw), first.id) {
		t.Errorf("%s", page.Raw)
	}
	pick := func(id string) *flowtest.Response {
		return f.A.Do(t, "POST", choose, url.Values{"provider_id": {id}}.Encode(), flowtest.Key(""), flowtest.Header("Content-Type", "application/x-www-form-urlencoded"))
	}
	pick("6a0f2f0e-0000-4000-8000-000000000000").WantError(404, "sso_provider_not_found")
	// A response to what is not chosen yet is none.
	relay := strings.TrimPrefix(choose, "/sso/choose/")
	if got := first.post(t, first.Encoded(first.says(t, request{ID: "_x"}, "eve")), relay).Want(303).Location(); !strings.Contains(got.String(), "saml_relay_state_not_found") {
		t.Error(got)
	}
	choose = strings.TrimPrefix(address(), f.A.Tenant().Issuer())
	to := pick(second.id).Want(303).Location()
	r := requestIn(t, to)
	says := second.says(t, r, "zoe")
	if got := second.post(t, second.Encoded(says), r.relay).Want(303).Fragment(); got.Get("access_token") == "" {
		t.Errorf("%v", got)
	}
	pick(second.id).WantError(404, "saml_relay_state_not_found")
}

// TestCompanyOnly: passwords and mails are refused where the company wants it.
func TestCompanyOnly(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	f.A.SignUp(t, "ann@acme.example", "correct horse battery")
	c.rule(t, m{"refuse_passwords": true})
	for route, body := range map[string]m{
		"/signup":                    {"email": "new@acme.example", "password": "correct horse battery"},
		"/token?grant_type=password": {"email": "ann@acme.example", "password": "correct horse battery"},
		"/otp":                       {"email": "ann@Acme.example"},
		"/magiclink":                 {"email": "nobody@acme.example"},
		"/recover":                   {"email": "ann@acme.example"},
	} {
		f.A.Do(t, "POST", route, body).WantError(403, "sso_required")
	}
	f.A.SignUp(t, "ann@elsewhere.example", "correct horse battery")
	c.signIn(t, "ann")
	f.B.SignUp(t, "ann@acme.example", "correct horse battery")
}

// TestLastDomain: a live connection keeps its last domain, also where two are dropped at
// once, and none goes live without the one that it was to have.
func TestLastDomain(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c, s := unrouted(t, f, f.A, "acme"), f.Flows().Connections()
	id := uuid.MustParse(c.id)
	for round := range 10 {
		for _, domain := range []string{"one.example", "two.example"} {
			if res := c.claim(t, domain); round == 0 || res.Status != 409 {
				res.Want(201)
			}
		}
		results := make(chan error, 2)
		for _, domain := range []string{"one.example", "two.example"} {
			go func() { results <- s.DropClaimOfMany(t.Context(), f.A.Scope(), id, domain) }()
		}
		a, b := <-results, <-results
		if (a == nil) == (b == nil) || !errors.Is(errors.Join(a, b), auth.ErrDomainLast) {
			t.Fatalf("round %d: %v, %v", round, a, b)
		}
		if n := f.A.Count(t, `SELECT count(*) FROM reeve.sso_claim`); n != 1 {
			t.Fatalf("%d claims are left", n)
		}
	}
	off, on := true, false
	if _, err := s.Update(t.Context(), f.A.Scope(), id, &sso.Attributes{Disabled: &off}); err != nil {
		t.Fatal(err)
	}
	for _, domain := range []string{"one.example", "two.example"} {
		if err := s.DropClaimOfMany(t.Context(), f.A.Scope(), id, domain); err != nil && !errors.Is(err, auth.ErrClaimNotFound) {
			t.Fatal(err)
		}
	}
	if _, err := s.Update(t.Context(), f.A.Scope(), id, &sso.Attributes{Disabled: &on, WithDomain: true}); !errors.Is(err, auth.ErrDomainLast) {
		t.Errorf("without a domain it went live: %v", err)
	}
}
