package saml_test

import (
	"crypto/x509"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/saml"
)

func newService(t testing.TB) saml.Service {
	t.Helper()
	key, err := saml.NewKey("ref.reeve.example", now)
	if err != nil {
		t.Fatal(err)
	}
	return saml.Service{EntityID: entityID, ACS: acs, Logout: "https://ref.reeve.example/auth/v1/sso/saml/slo", Keys: []saml.Key{*key}, Now: now}
}

// peer is the other side: it speaks the protocol by the same code, with its own key.
func peer(t testing.TB) (saml.Service, saml.Provider, *saml.Metadata) {
	s := newService(t)
	s.EntityID, s.Logout = "https://idp.example/metadata", "https://idp.example/slo"
	return s, saml.Provider{EntityID: s.EntityID, Certificates: certificates(s)},
		&saml.Metadata{EntityID: s.EntityID, Logout: &saml.Endpoint{Binding: redirectBinding, Location: s.Logout, Answers: s.Logout}}
}

func certificates(s saml.Service) (out []*x509.Certificate) {
	for _, k := range s.Keys {
		out = append(out, k.Certificate)
	}
	return out
}

// toward is the peer's knowledge of us.
func toward(s saml.Service, binding string) *saml.Metadata {
	return &saml.Metadata{EntityID: s.EntityID, Certificates: certificates(s), Logout: &saml.Endpoint{Binding: binding, Location: s.Logout, Answers: s.Logout}}
}

const (
	redirectBinding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	postBinding     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
)

// received parses what was sent.
func received(t *testing.T, o *saml.Outgoing, answer bool) (*saml.Message, error) {
	t.Helper()
	if o.Form != nil {
		return saml.ParseLogoutForm(o.Form["SAMLRequest"]+o.Form["SAMLResponse"], o.Form["RelayState"], answer)
	}
	u, err := url.Parse(o.Address)
	if err != nil {
		t.Fatal(err)
	}
	return saml.ParseLogoutQuery(u.RawQuery, answer)
}

func TestLogout(t *testing.T) {
	us := newService(t)
	them, idp, metadata := peer(t)
	name := saml.NameID{Value: "ann", Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"}
	for _, binding := range []string{redirectBinding, postBinding} {
		t.Run(binding, func(t *testing.T) {
			// The provider asks, we answer.
			asked, err := them.SignOut(toward(us, binding), name, []string{"_s1", "_s2"}, "relay/&= state")
			if err != nil {
				t.Fatal(err)
			}
			m, err := received(t, asked, false)
			if err != nil {
				t.Fatal(err)
			}
			r, err := m.Request(us, idp)
			if err != nil {
				t.Fatal(err)
			}
			if r.ID != asked.ID || r.NameID != name || len(r.Sessions) != 2 || m.RelayState != "relay/&= state" {
				t.Errorf("%+v", r)
			}
			for _, all := range []bool{true, false} {
				metadata.Logout.Binding = binding
				answer, err := us.AnswerLogout(metadata, r.ID, m.RelayState, all)
				if err != nil {
					t.Fatal(err)
				}
				back, err := received(t, answer, true)
				if err != nil {
					t.Fatal(err)
				}
				ours := saml.Provider{EntityID: us.EntityID, Certificates: certificates(us)}
				if ok, err := back.Answered(them, ours, r.ID); err != nil || ok != all {
					t.Errorf("all %v: %v, %v", all, ok, err)
				}
				if _, err := back.Answered(them, ours, "_other"); err == nil {
					t.Error("an answer to another request was accepted")
				}
			}
		})
	}
}

func TestForgedLogout(t *testing.T) {
	us := newService(t)
	them, idp, _ := peer(t)
	stranger, _, _ := peer(t)
	name := saml.NameID{Value: "ann"}
	ask := func(s saml.Service, binding string) *saml.Outgoing {
		o, err := s.SignOut(toward(us, binding), name, nil, "state")
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	old, early, elsewhere := them, them, us
	old.Now, early.Now = now.Add(-time.Hour), now.Add(time.Hour)
	elsewhere.Logout = "https://other.reeve.example/auth/v1/sso/saml/slo"
	misaddressed, err := them.SignOut(toward(elsewhere, redirectBinding), name, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	param := func(fn func(v string) string) *saml.Outgoing {
		o := ask(them, redirectBinding)
		o.Address = fn(o.Address)
		return o
	}
	for label, c := range map[string]struct {
		sent  *saml.Outgoing
		check saml.Check
	}{
		"another key":         {ask(stranger, redirectBinding), saml.CheckSignature},
		"another key, posted": {ask(stranger, postBinding), saml.CheckSignature},
		"old":                 {ask(old, redirectBinding), saml.CheckAge},
		"of the future":       {ask(early, postBinding), saml.CheckAge},
		"to another service":  {misaddressed, saml.CheckDestination},
		"relay state changed": {param(func(v string) string { return strings.Replace(v, "RelayState=state", "RelayState=other", 1) }), saml.CheckSignature},
		"relay state added":   {param(func(v string) string { return v + "&RelayState=two" }), saml.CheckForm},
		"no signature":        {param(func(v string) string { return v[:strings.Index(v, "&Signature")] }), saml.CheckSignature},
		"SHA-1":               {param(func(v string) string { return strings.Replace(v, "rsa-sha256", "rsa-sha1", 1) }), saml.CheckSignature},
		"no algorithm":        {param(func(v string) string { return strings.Replace(v, "SigAlg=", "x=", 1) }), saml.CheckSignature},
		"another encoding":    {param(func(v string) string { return v + "&SAMLEncoding=none" }), saml.CheckForm},
		"no message":          {param(func(v string) string { return v[:strings.Index(v, "?")] + "?SAMLRequest=" }), saml.CheckForm},
	} {
		t.Run(label, func(t *testing.T) {
			m, err := received(t, c.sent, false)
			if err == nil {
				_, err = m.Request(us, idp)
			}
			var r *saml.Refusal
			if !errors.As(err, &r) || r.Check != c.check {
				t.Errorf("%v, want %s", err, c.check)
			}
		})
	}
	// A request by redirect is signed in its query: one inside does not count.
	posted := ask(them, postBinding)
	if _, err := saml.ParseLogoutQuery("SAMLRequest="+url.QueryEscape(posted.Form["SAMLRequest"]), false); err == nil {
		t.Error("a message that is not deflated was read")
	}
}

// TestSignInRequest: the request names us, is signed over the query as it is written, and
// keeps what the provider's address has.
func TestSignInRequest(t *testing.T) {
	us := newService(t)
	id, address, err := us.SignIn(&saml.Metadata{SSO: "https://idp.example/sso?tenant=a%20b"}, saml.Request{RelayState: "r s"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(address, "https://idp.example/sso?tenant=a%20b&SAMLRequest=") || !strings.HasPrefix(id, "_") {
		t.Error(address)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("RelayState") != "r s" || !strings.HasSuffix(q.Get("SigAlg"), "rsa-sha256") || q.Get("Signature") == "" {
		t.Error(q)
	}
	if again, _, _ := us.SignIn(&saml.Metadata{SSO: "https://idp.example/sso"}, saml.Request{}); again == id {
		t.Error("two requests have one identifier")
	}
}

func FuzzLogout(f *testing.F) {
	us := newService(f)
	them, idp, _ := peer(f)
	o, err := them.SignOut(toward(us, redirectBinding), saml.NameID{Value: "ann"}, []string{"_s"}, "state")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(strings.SplitN(o.Address, "?", 2)[1])
	f.Fuzz(func(t *testing.T, query string) {
		m, err := saml.ParseLogoutQuery(query, false)
		if err != nil {
			return
		}
		if r, err := m.Request(us, idp); err == nil && (r.ID != o.ID || r.NameID.Value != "ann") {
			t.Errorf("accepted %+v", r)
		}
	})
}
