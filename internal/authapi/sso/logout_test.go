package sso_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/saml"
	"github.com/reevehq/reeve/internal/saml/samltest"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

const redirectBinding, postBinding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

// annsName is her name as the test provider states it.
var annsName = saml.NameID{Value: "ann", Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"}

// speaker signs logout messages as the company's provider.
func (c *company) speaker() saml.Service {
	return saml.Service{
		EntityID: c.EntityID, Logout: "https://idp.example/slo", Now: c.fixture.Clock.Now(),
		Keys: []saml.Key{{Private: c.Key, Certificate: c.Certificate}},
	}
}

func (c *company) slo() string { return c.project.Tenant().Issuer() + "/sso/saml/slo" }

// us is this side, as the provider knows it.
func (c *company) us(binding string) *saml.Metadata {
	return &saml.Metadata{EntityID: c.entityID(), Logout: &saml.Endpoint{Binding: binding, Location: c.slo(), Answers: c.slo()}}
}

// send is what the browser does with a message of the provider.
func (c *company) send(t *testing.T, out *saml.Outgoing) *flowtest.Response {
	t.Helper()
	if out.Form != nil {
		values := url.Values{}
		for k, v := range out.Form {
			values.Set(k, v)
		}
		return c.project.Do(t, "POST", "/sso/saml/slo", values.Encode(), flowtest.Key(""), flowtest.Header("Content-Type", "application/x-www-form-urlencoded"))
	}
	return c.project.Do(t, "GET", "/sso/saml/slo"+strings.TrimPrefix(out.Address, c.slo()), nil, flowtest.Key(""))
}

// TestLogoutByProvider: a request of the provider ends the sessions that it names, at
// once and with a cause, and is answered.
func TestLogoutByProvider(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	other := newCompany(t, f, f.B, "acme.example")
	for _, binding := range []string{redirectBinding, postBinding} {
		gone, stays := c.signIn(t, "ann"), c.signIn(t, "bob")
		elsewhere := other.signIn(t, "ann")
		out, err := c.speaker().SignOut(c.us(binding), annsName, []string{"_s"}, "state")
		if err != nil {
			t.Fatal(err)
		}
		res := c.send(t, out).Want(303)
		if to := res.Location(); to.Host != "idp.example" || to.Path != "/slo" || to.Query().Get("RelayState") != "state" || to.Query().Get("Signature") == "" {
			t.Errorf("answer to %s", to)
		}
		m, err := saml.ParseLogoutQuery(res.Location().RawQuery, true)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := saml.ParseMetadata([]byte(idpOf(t, c)), "", f.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := m.Answered(c.speaker(), saml.Provider{EntityID: c.entityID(), Certificates: ours.Certificates}, out.ID); err != nil || !ok {
			t.Errorf("answered %v, %v", ok, err)
		}
		f.A.Do(t, "GET", "/user", nil, flowtest.User(gone.Get("access_token"))).WantError(403, "session_not_found")
		f.A.Do(t, "GET", "/user", nil, flowtest.User(stays.Get("access_token"))).Want(200)
		f.B.Do(t, "GET", "/user", nil, flowtest.User(elsewhere.Get("access_token"))).Want(200)
		if active := f.A.Count(t, `SELECT count(*) FROM auth.sessions s JOIN auth.users u ON u.id = s.user_id WHERE u.email = 'ann@acme.example'`); active != 0 {
			t.Errorf("%d sessions are left", active)
		}
	}
	if n := f.A.Count(t, `SELECT count(*) FROM reeve.ended_session WHERE cause = 'slo'`); n != 2 {
		t.Errorf("%d sessions ended by single logout", n)
	}
	// Another session of the provider is not meant.
	kept := c.signIn(t, "ann")
	out, err := c.speaker().SignOut(c.us(redirectBinding), annsName, []string{"_another"}, "")
	if err != nil {
		t.Fatal(err)
	}
	c.send(t, out).Want(303)
	f.A.Do(t, "GET", "/user", nil, flowtest.User(kept.Get("access_token"))).Want(200)
	// Without one, all are.
	if out, err = c.speaker().SignOut(c.us(redirectBinding), annsName, nil, ""); err != nil {
		t.Fatal(err)
	}
	c.send(t, out).Want(303)
	f.A.Do(t, "GET", "/user", nil, flowtest.User(kept.Get("access_token"))).WantError(403, "session_not_found")
}

// idpOf makes metadata of a provider of ours, to read its certificates by the same code.
func idpOf(t *testing.T, c *company) string {
	t.Helper()
	ours := string(c.project.Do(t, "GET", "/sso/saml/metadata", nil, flowtest.Key("")).Want(200).Raw)
	for _, want := range []string{`SingleLogoutService`, c.slo(), redirectBinding, postBinding} {
		if !strings.Contains(ours, want) {
			t.Errorf("the metadata has no %s", want)
		}
	}
	ours = strings.ReplaceAll(ours, "SPSSODescriptor", "IDPSSODescriptor")
	return strings.Replace(ours, "<md:AssertionConsumerService", `<md:SingleSignOnService Binding="`+redirectBinding+`" Location="https://x.example"/><md:AssertionConsumerService`, 1)
}

// TestForgedLogout: messages that are not the provider's end nothing.
func TestForgedLogout(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	tokens := c.signIn(t, "ann")
	name := annsName
	stranger := &company{IdP: samltest.New(t, c.EntityID, f.Clock.Now()), project: f.A, fixture: f}
	theirs := newCompany(t, f, f.B, "acme.example")
	for what, send := range map[string]func() (*saml.Outgoing, error){
		"another key": func() (*saml.Outgoing, error) {
			return stranger.speaker().SignOut(c.us(redirectBinding), name, nil, "")
		},
		"another key, POST":  func() (*saml.Outgoing, error) { return stranger.speaker().SignOut(c.us(postBinding), name, nil, "") },
		"to another project": func() (*saml.Outgoing, error) { return c.speaker().SignOut(theirs.us(redirectBinding), name, nil, "") },
		"old": func() (*saml.Outgoing, error) {
			s := c.speaker()
			s.Now = s.Now.Add(-saml.MaxAge - 2*saml.Skew)
			return s.SignOut(c.us(redirectBinding), name, nil, "")
		},
		"unsigned": func() (*saml.Outgoing, error) {
			out, err := c.speaker().SignOut(c.us(redirectBinding), name, nil, "")
			out.Address, _, _ = strings.Cut(out.Address, "&SigAlg=")
			return out, err
		},
		"an answer that nobody waits for": func() (*saml.Outgoing, error) {
			return c.speaker().AnswerLogout(c.us(redirectBinding), "_x", "4f2a0f0e-0000-4000-8000-000000000000", true)
		},
	} {
		t.Run(what, func(t *testing.T) {
			out, err := send()
			if err != nil {
				t.Fatal(err)
			}
			if what == "to another project" { // it is sent here nevertheless
				out.Address = strings.Replace(out.Address, theirs.slo(), c.slo(), 1)
			}
			if res := c.send(t, out); res.Status < 400 || res.Status >= 500 {
				t.Errorf("%d %s", res.Status, res.Raw)
			}
		})
	}
	for _, query := range []string{"", "?SAMLRequest=x", "?SAMLRequest=x&SAMLResponse=y", "?SAMLResponse=" + strings.Repeat("A", 100)} {
		if res := f.A.Do(t, "GET", "/sso/saml/slo"+query, nil, flowtest.Key("")); res.Status != 400 {
			t.Errorf("%s: %d", query, res.Status)
		}
	}
	f.A.Do(t, "GET", "/sso/saml/slo/x", nil, flowtest.Key("")).WantError(404, "sso_logout_not_found")
	f.A.Do(t, "GET", "/user", nil, flowtest.User(tokens.Get("access_token"))).Want(200)
}

// TestLogoutByApp: signing out in the app leads through the provider and back.
func TestLogoutByApp(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	tokens := c.signIn(t, "ann")
	res := f.A.Do(t, "POST", "/logout?scope=local&single_logout=true&redirect_to="+url.QueryEscape(app), nil, flowtest.User(tokens.Get("access_token"))).Want(200)
	u, err := url.Parse(res.Get("url"))
	if err != nil || u.Host != "idp.example" || u.Path != "/slo" {
		t.Fatalf("%s %v", res.Raw, err)
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(tokens.Get("access_token"))).WantError(403, "session_not_found")
	m, err := saml.ParseLogoutQuery(u.RawQuery, false)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := saml.ParseMetadata([]byte(idpOf(t, c)), "", f.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	req, err := m.Request(c.speaker(), saml.Provider{EntityID: c.entityID(), Certificates: ours.Certificates})
	if err != nil || req.NameID.Value != "ann" || len(req.Sessions) != 1 || req.Sessions[0] != "_s" {
		t.Fatalf("%+v %v", req, err)
	}
	answer := func(to, relay string) *flowtest.Response {
		out, err := c.speaker().AnswerLogout(c.us(redirectBinding), to, relay, true)
		if err != nil {
			t.Fatal(err)
		}
		return c.send(t, out)
	}
	if to := answer(req.ID, m.RelayState).Want(303).Location(); to.String() != app {
		t.Errorf("back to %s", to)
	}
	answer(req.ID, m.RelayState).WantError(404, "sso_logout_not_found")
	// Without the wish, and for a user of nobody's, all is as before.
	again := c.signIn(t, "ann")
	f.A.Do(t, "POST", "/logout", nil, flowtest.User(again.Get("access_token"))).Want(204)
	plain := f.A.SignUp(t, "eve@example.com", "correct horse battery")
	f.A.Do(t, "POST", "/logout?single_logout=true", nil, flowtest.User(plain.Access)).Want(204)
}

// TestLogoutByForm: a provider that takes logout by POST alone gets a form.
func TestLogoutByForm(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	metadata := strings.Replace(c.Metadata("https://idp.example"), `SingleLogoutService Binding="`+redirectBinding, `SingleLogoutService Binding="`+postBinding, 1)
	f.A.Admin(t, "PUT", path+"/"+c.id, m{"metadata_xml": metadata}).Want(200)
	tokens := c.signIn(t, "ann")
	address := f.A.Do(t, "POST", "/logout?single_logout=true", nil, flowtest.User(tokens.Get("access_token"))).Want(200).Get("url")
	start, ok := strings.CutPrefix(address, f.A.Tenant().Issuer())
	if !ok {
		t.Fatal(address)
	}
	page := f.A.Do(t, "GET", start, nil, flowtest.Key("")).Want(200)
	for _, want := range []string{`action="https://idp.example/slo"`, `name="SAMLRequest"`, `name="RelayState"`, "document.forms[0].submit()"} {
		if !strings.Contains(string(page.Raw), want) {
			t.Errorf("the page has no %s", want)
		}
	}
	out, err := c.speaker().SignOut(c.us(redirectBinding), annsName, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if answer := c.send(t, out).Want(200); !strings.Contains(string(answer.Raw), `name="SAMLResponse"`) {
		t.Errorf("%s", answer.Raw)
	}
}
