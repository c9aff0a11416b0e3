package external_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// TestLinkEndsWithItsSession: a session that ends at any moment of the round trip
// links nothing, not even while the provider is asked.
func TestLinkEndsWithItsSession(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, settings, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	for name, c := range map[string]struct {
		when string
		end  func(t *testing.T, email string, held flowtest.Session)
	}{
		"signed out while the flow begins":      {"begin", signOut(f, "local")},
		"signed out before the callback":        {"away", signOut(f, "local")},
		"signed out during the callback":        {"callback", signOut(f, "local")},
		"signed out everywhere in the callback": {"callback", signOut(f, "global")},
		"new password during the callback": {"callback", func(t *testing.T, email string, _ flowtest.Session) {
			other := f.A.SignIn(t, email, "password123")
			f.A.Do(t, "PUT", "/user", m{"password": "another-password"}, flowtest.User(other.Access)).Want(200)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			email := strings.ReplaceAll(name, " ", "-") + "@example.com"
			held := f.A.SignUp(t, email, "password123")
			ended := false
			at := func(when string) {
				if c.when == when && !ended {
					ended = true
					c.end(t, email, held)
				}
			}
			defer func() { f.IDP.During = nil }()

			f.IDP.During = func() { at("begin") }
			b := newBrowser()
			begun := f.A.Do(t, "GET", "/user/identities/authorize?provider=idp&skip_http_redirect=true&redirect_to="+url.QueryEscape(app), nil, flowtest.User(held.Access)).Want(200)
			for _, c := range (&http.Response{Header: begun.Header}).Cookies() {
				b.cookies[c.Name] = c
			}
			state, code := f.IDP.SignIn(begun.Get("url"), ann(name, "eve@example.com", true))
			at("away")
			f.IDP.During = func() { at("callback") }
			u := target(t, b.open(t, f.A, "GET", callback(state, code), nil).Want(303))
			if !ended {
				t.Fatal("the session did not end")
			}
			if u.Query().Get("error_code") != "session_not_found" || fragment(t, u).Get("access_token") != "" {
				t.Errorf("redirect to %s", u)
			}
			if n := f.A.Count(t, "SELECT count(*) FROM auth.identities WHERE provider_id = $1", name); n != 0 {
				t.Error("the identity was linked")
			}
		})
	}
}

func signOut(f *flowtest.Fixture, scope string) func(*testing.T, string, flowtest.Session) {
	return func(t *testing.T, _ string, held flowtest.Session) {
		f.A.Do(t, "POST", "/logout?scope="+scope, nil, flowtest.User(held.Access)).Want(204)
	}
}
