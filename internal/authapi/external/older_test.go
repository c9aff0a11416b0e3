package external_test

import (
	"net/url"
	"testing"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

// TestOAuth1: what a provider of OAuth 1.0a must get back is kept in the flow,
// sealed, and its callback has other parameters.
func TestOAuth1(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, settings)
	begin := func(b *browser, query string) string {
		t.Helper()
		return b.open(t, f.A, "GET", "/authorize?provider="+flowtest.Older+"&redirect_to="+url.QueryEscape(app)+query, nil).Want(303).Header.Get("Location")
	}
	back := func(b *browser, q url.Values) *url.URL {
		t.Helper()
		return target(t, b.open(t, f.A, "GET", "/callback?"+q.Encode(), nil).Want(303))
	}
	b := newBrowser()
	state, code := f.IDP.SignIn(begin(b, ""), ann("1", "ann@example.com", true))
	if n := f.A.Count(t, "SELECT count(*) FROM auth.flow_state f WHERE provider_access_token IS NOT NULL AND f::text NOT LIKE '%kept-canary%'"); n != 1 {
		t.Error("the secret is not kept sealed")
	}
	u := back(b, url.Values{"state": {state}, "oauth_token": {"t"}, "oauth_verifier": {code}})
	if got := fragment(t, u); got.Get("provider_token") != "provider-access-canary" || got.Get("access_token") == "" {
		t.Errorf("redirect to %s", u)
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(fragment(t, u).Get("access_token"))).Want(200)

	// The secret of one flow is of no use in another.
	state, code = f.IDP.SignIn(begin(b, ""), ann("1", "ann@example.com", true))
	other, _ := f.IDP.SignIn(begin(b, ""), ann("2", "eve@example.com", true))
	f.A.Exec(t, `UPDATE auth.flow_state f SET provider_access_token = (SELECT provider_access_token FROM auth.flow_state WHERE id = $2) WHERE id = $1`, state, other)
	if u := back(b, url.Values{"state": {state}, "oauth_verifier": {code}}); u.Query().Get("error") == "" {
		t.Errorf("redirect to %s", u)
	}

	state, _ = f.IDP.SignIn(begin(b, withPKCE), ann("1", "ann@example.com", true))
	if u := back(b, url.Values{"state": {state}, "denied": {"t"}}); u.Query().Get("error") != "access_denied" {
		t.Errorf("after a refusal: %s", u)
	}
}
