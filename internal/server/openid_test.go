package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestOpenIDDiscovery does the same as a gateway's JWT authorizer: it goes from
// the iss of an access token, without any key, to the keys that verify it.
func TestOpenIDDiscovery(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "openid", nil)
	access, err := jwt.ParseSigned(p.SignUp(t, "a@example.com", goodPassword).AccessToken, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	var claims jwt.Claims
	if err := access.UnsafeClaimsWithoutVerification(&claims); err != nil {
		t.Fatal(err)
	}
	var config struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	byIssuer := fetch(t, reeve, claims.Issuer+"/.well-known/openid-configuration").Expect(t, http.StatusOK).Into(t, &config)
	if config.Issuer != claims.Issuer {
		t.Errorf("issuer %q of a token with iss %q", config.Issuer, claims.Issuer)
	}
	var keys jose.JSONWebKeySet
	fetch(t, reeve, config.JWKSURI).Expect(t, http.StatusOK).Into(t, &keys)
	if err := access.Claims(keys, &claims); err != nil {
		t.Errorf("the keys do not verify the token: %v", err)
	}
	// The document is the same at each of the project's addresses.
	const path = "/auth/v1/.well-known/openid-configuration"
	for name, got := range map[string]*servertest.Answer{
		"host": reeve.Do(t, http.MethodGet, path, nil, "Host", p.Ref+".localhost"),
		"path": reeve.Do(t, http.MethodGet, "/p/"+p.Ref+path, nil),
		"key":  reeve.Do(t, http.MethodGet, path, nil, "apikey", p.PublishableKey),
	} {
		if got.Expect(t, http.StatusOK); string(got.Body) != string(byIssuer.Body) || !json.Valid(got.Body) {
			t.Errorf("by %s: %s", name, got.Body)
		}
	}
	reeve.Do(t, http.MethodGet, path, nil).Refused(t, http.StatusUnauthorized, "no_api_key")
}

// fetch gets a URL of this Reeve, whatever its host resolves to.
func fetch(t *testing.T, reeve *servertest.Reeve, address string) *servertest.Answer {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return reeve.Do(t, http.MethodGet, u.RequestURI(), nil, "Host", u.Host)
}
