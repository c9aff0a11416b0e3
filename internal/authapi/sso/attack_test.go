package sso_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authapi/sso"
	"github.com/reevehq/reeve/internal/testkit/dnstest"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

// TestMixUp: what one provider issued arrives nowhere at another connection.
func TestMixUp(t *testing.T) {
	t.Parallel()
	f := flowtest.NewPlain(t, enabled)
	c := newOpenID(t, f).connect(t, f.A, nil)
	evil := newOpenID(t, f).connect(t, f.A, m{"domains": []string{"evil.example"}})
	state, _ := c.begin(t, "ann")
	q := url.Values{"state": {state}, "code": {"good"}}
	if got := evil.arrive(t, q).Want(303).Location(); !strings.Contains(got.String(), "saml_relay_state_not_found") {
		t.Error(got)
	}
	if evil.form != nil {
		t.Error("the other provider was sent a code")
	}
	f.A.Admin(t, "PUT", path+"/"+c.id, m{"oidc": m{"issuer": evil.URL}}).WantError(422, "sso_oidc_issuer_mismatch")
}

// TestDomainsStayShut: a connection whose domains are lost speaks for no address.
func TestDomainsStayShut(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	f.DNS = dnstest.New(t)
	c := unrouted(t, f, f.A, "acme")
	f.DNS.Set("_reeve-challenge.acme.example", c.claim(t, "acme.example").Want(201).Get("record_value"))
	answer := func(name string) url.Values {
		r := requestIn(t, f.A.Do(t, "POST", "/sso", m{"provider_id": c.id, "redirect_to": app}).Want(303).Location())
		return c.post(t, c.Encoded(c.says(t, r, name)), r.relay).Want(303).Fragment()
	}
	if got := answer("eve"); got.Get("error_code") != "sso_domain_mismatch" {
		t.Errorf("with a claim that is not proved: %v", got)
	}
	f.A.Admin(t, "POST", path+"/"+c.id+"/domains/acme.example/check", nil).Want(200)
	if got := answer("ann"); got.Get("access_token") == "" {
		t.Errorf("%v", got)
	}
	f.A.Exec(t, `DELETE FROM auth.sso_domains`)
	if got := answer("ann"); got.Get("error_code") != "sso_domain_mismatch" {
		t.Errorf("without its domain: %v", got)
	}
}

// TestCodeOfEndedConnection: a code is worth nothing once its connection is off, also
// where connections share a domain; nor after a logout by the provider.
func TestCodeOfEndedConnection(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	verifier := strings.Repeat("v", 50)
	sum := sha256.Sum256([]byte(verifier))
	code := func() string {
		r := requestIn(t, f.A.Do(t, "POST", "/sso", m{
			"domain": "acme.example", "redirect_to": app, "code_challenge": base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method": "s256",
		}).Want(303).Location())
		return c.post(t, c.Encoded(c.says(t, r, "ann")), r.relay).Want(303).Location().Query().Get("code")
	}
	redeem := func(code string) *flowtest.Response {
		return f.A.Do(t, "POST", "/token?grant_type=pkce", m{"auth_code": code, "code_verifier": verifier})
	}
	redeem(code()).Want(200)
	held := code()
	out, err := c.speaker().SignOut(c.us(redirectBinding), annsName, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	c.send(t, out).Want(303)
	redeem(held).WantError(404, "flow_state_not_found")
	held = code()
	f.A.Exec(t, `UPDATE auth.flow_state SET provider_type = 'sso:another'`)
	f.A.Exec(t, `UPDATE auth.sso_providers SET disabled = true`)
	redeem(held).WantError(404, "sso_provider_disabled")
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// TestDryRunStaysDry: a dry run makes no session, whatever became of its attempt.
func TestDryRunStaysDry(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	address, err := f.Flows().Connections().Begin(t.Context(), f.A.Scope(), dryStart(t, c.id))
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	f.A.Exec(t, `DELETE FROM reeve.sso_attempt`)
	r := requestIn(t, u)
	if got := c.post(t, c.Encoded(c.says(t, r, "ann")), r.relay).Want(303).Location(); got.String() != "https://dashboard.example/result" {
		t.Error(got)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`) + f.A.Count(t, `SELECT count(*) FROM auth.users`); n != 0 {
		t.Errorf("%d users and sessions of a dry run", n)
	}
}

// TestLostSessions: what ending a connection could not finish is finished later.
func TestLostSessions(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	tokens := c.signIn(t, "ann")
	f.A.Exec(t, `DELETE FROM auth.sso_providers`)
	if _, err := f.A.DB.Tidy(t.Context(), f.Clock.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(tokens.Get("access_token"))).WantError(403, "session_not_found")
}

func dryStart(t *testing.T, id string) sso.Start {
	t.Helper()
	provider, err := uuid.Parse(id)
	if err != nil {
		t.Fatal(err)
	}
	return sso.Start{Provider: provider, DryRun: "https://dashboard.example/result"}
}

// TestSubjectKinds: the value of one kind of identifier is not the same value of another.
func TestSubjectKinds(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	const id = "urn:oasis:names:tc:SAML:attribute:subject-id"
	as := func(name, subject string) url.Values {
		r := c.begin(t, m{"domain": "acme.example", "redirect_to": app})
		says := c.says(t, r, name)
		says.Attributes["email"] = []string{"ann@acme.example"}
		if subject != "" {
			says.Attributes[id] = []string{subject}
		}
		return c.post(t, c.Encoded(says), r.relay).Want(303).Fragment()
	}
	ann := flowtest.Claims(t, as("n1", "ann@acme.example").Get("access_token"))["sub"]
	if again := flowtest.Claims(t, as("n2", "ann@acme.example").Get("access_token"))["sub"]; again != ann {
		t.Errorf("another user: %v", again)
	}
	if got := as("ann@acme.example", ""); got.Get("error_code") != "sso_subject_mismatch" {
		t.Errorf("a name that is the subject-id of another user: %v", got)
	}
	bob := flowtest.Claims(t, as("bob", "").Get("access_token"))["sub"]
	if got := as("x", "bob"); got.Get("error_code") != "sso_subject_mismatch" {
		t.Errorf("a subject-id that is the name of another user: %v", got)
	}
	// An identity of an earlier release, or of another service, has no kind yet.
	f.A.Exec(t, `UPDATE auth.identities SET identity_data = identity_data - 'subject_kind'`)
	if got := flowtest.Claims(t, as("bob", "").Get("access_token")); got["sub"] != bob {
		t.Errorf("%v", got)
	}
	if got := as("x", "bob"); got.Get("error_code") != "sso_subject_mismatch" {
		t.Errorf("the kind was not noted: %v", got)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users WHERE raw_user_meta_data ? 'subject_kind'`); n != 0 {
		t.Error("the kind is in user_metadata")
	}
}
