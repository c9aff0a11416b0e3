package social_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/connectortest"
	"github.com/reevehq/reeve/internal/connector/social"
)

const (
	tenantA   = "11111111-1111-1111-1111-111111111111"
	tenantB   = "22222222-2222-2222-2222-222222222222"
	consumers = "9188040d-6c67-4c5b-b112-36a304b66dad"
	azureKeys = "https://login.microsoftonline.com/common/discovery/v2.0/keys"
)

func azureIssuer(tenant string) string {
	return "https://login.microsoftonline.com/" + tenant + "/v2.0"
}

func hash(nonce string) string { h := sha256.Sum256([]byte(nonce)); return hex.EncodeToString(h[:]) }

// TestIDTokens: the ID tokens that apps may present, and what is made of them.
func TestIDTokens(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		provider, base, keys, issuer string
		claims                       map[string]any
		email                        string
		verified                     bool
		data                         map[string]any
	}{
		// https://developer.apple.com/documentation/signinwithapple/authenticating-users-with-sign-in-with-apple
		"apple": {
			provider: "apple", keys: "https://appleid.apple.com/auth/keys", issuer: "https://appleid.apple.com",
			claims: map[string]any{"email": "x@privaterelay.example", "email_verified": "true", "is_private_email": "true", "auth_time": 1795000000},
			email:  "x@privaterelay.example", verified: true,
			data: map[string]any{"iss": "https://appleid.apple.com", "custom_claims": map[string]any{"is_private_email": true, "auth_time": 1795000000.0}},
		},
		"apple, other issuer, not verified": {
			provider: "apple", keys: "https://appleid.apple.com/auth/keys", issuer: "https://account.apple.com",
			claims: map[string]any{"email": "x@school.example", "email_verified": false},
			email:  "x@school.example",
			data:   map[string]any{"iss": "https://account.apple.com"},
		},
		"google": {
			provider: "google", keys: "https://www.googleapis.com/oauth2/v3/certs", issuer: "https://accounts.google.com",
			claims: map[string]any{"email": "a@example.com", "email_verified": true},
			email:  "a@example.com", verified: true,
			data: map[string]any{"iss": "https://accounts.google.com"},
		},
		"facebook": {
			provider: "facebook", keys: "https://www.facebook.com/.well-known/oauth/openid/jwks/", issuer: "https://www.facebook.com",
			claims: map[string]any{"email": "a@example.com", "name": "Ada", "picture": "https://fb.example/p"},
			email:  "a@example.com", verified: true,
			data: map[string]any{"iss": "https://www.facebook.com", "name": "Ada", "picture": "https://fb.example/p"},
		},
		"facebook, limited": {
			provider: "facebook", keys: "https://limited.facebook.com/.well-known/oauth/openid/jwks/", issuer: "https://limited.facebook.com",
			data: map[string]any{"iss": "https://limited.facebook.com"},
		},
		"kakao": {
			provider: "kakao", keys: "https://kauth.kakao.com/.well-known/jwks.json", issuer: "https://kauth.kakao.com",
			claims: map[string]any{"email": "a@example.com", "nickname": "Hong", "picture": "https://k.example/p"},
			email:  "a@example.com",
			data:   map[string]any{"iss": "https://kauth.kakao.com", "name": "Hong", "preferred_username": "Hong", "picture": "https://k.example/p"},
		},
		"keycloak": {
			provider: "keycloak", base: "https://id.example/realms/a", keys: "https://id.example/realms/a/protocol/openid-connect/certs",
			issuer: "https://id.example/realms/a", claims: map[string]any{"email": "a@example.com", "email_verified": true, "name": "Ada"},
			email: "a@example.com", verified: true,
			data: map[string]any{"iss": "https://id.example/realms/a", "name": "Ada", "full_name": "Ada"},
		},
		"vercel_marketplace": {
			provider: "vercel_marketplace", keys: "https://marketplace.vercel.com/.well-known/jwks", issuer: "https://marketplace.vercel.com",
			claims: map[string]any{"user_email": "v@example.com", "user_name": "Vee"},
			email:  "v@example.com",
			data:   map[string]any{"iss": "https://marketplace.vercel.com", "name": "Vee"},
		},
		"snapchat": {
			provider: "snapchat", keys: "https://accounts.snapchat.com/accounts/oauth2/jwks", issuer: "https://accounts.snapchat.com/accounts/oauth2/token",
			claims: map[string]any{"name": "Snap", "picture": "https://s.example/p"},
			data:   map[string]any{"iss": "https://accounts.snapchat.com/accounts/oauth2/token", "name": "Snap", "picture": "https://s.example/p"},
		},
		// https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference
		"azure": {
			provider: "azure", keys: azureKeys, issuer: azureIssuer(tenantA),
			claims: map[string]any{"tid": tenantA, "oid": "o", "email": "a@example.com", "xms_edov": "1", "name": "Ada", "preferred_username": "ada@example.com", "ver": "2.0", "rh": "x"},
			email:  "a@example.com", verified: true,
			data: map[string]any{
				"iss": azureIssuer(tenantA), "full_name": "Ada", "preferred_username": "ada@example.com",
				"custom_claims": map[string]any{"tid": tenantA, "oid": "o", "email": "a@example.com", "xms_edov": "1"},
			},
		},
		// nOAuth: the administrator of any tenant can give a user any address.
		"azure, domain owner unknown": {
			provider: "azure", keys: azureKeys, issuer: azureIssuer(tenantA),
			claims: map[string]any{"tid": tenantA, "email": "victim@example.com"},
			email:  "victim@example.com",
			data:   map[string]any{"iss": azureIssuer(tenantA), "custom_claims": map[string]any{"tid": tenantA, "email": "victim@example.com"}},
		},
		"azure, domain owner not verified": {
			provider: "azure", keys: azureKeys, issuer: azureIssuer(tenantA),
			claims: map[string]any{"tid": tenantA, "email": "victim@example.com", "xms_edov": false},
			email:  "victim@example.com",
			data:   map[string]any{"iss": azureIssuer(tenantA), "custom_claims": map[string]any{"tid": tenantA, "email": "victim@example.com", "xms_edov": false}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := connectortest.New(t)
			s := idTokens(t, d, c.keys, nil)
			d.JSON("https://www.facebook.com/.well-known/oauth/openid/jwks/", connectortest.KeySet(s.JWK(nil)))
			verifier := connectors(d)[c.provider].(connector.IDTokenVerifier)
			reg := registration()
			reg.BaseURL, reg.MoreIDs = c.base, []string{"ios"}
			sign := func(audience string, more map[string]any) string {
				claims := connectortest.Claims(c.issuer, audience, "user-1", c.claims)
				for name, value := range more {
					claims[name] = value
				}
				return s.Sign(t, claims)
			}
			want := &connector.Profile{Subject: "user-1", Email: c.email, EmailVerified: c.verified, Data: data("user-1", c.email, c.verified, c.data)}
			for _, ok := range []connector.IDToken{
				{Raw: sign("client-id", nil)},
				{Raw: sign("ios", map[string]any{"nonce": hash("n")}), Nonce: "n", Issuer: c.issuer},
			} {
				got, err := verifier.VerifyIDToken(t.Context(), reg, ok)
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Errorf("%v (-want +got):\n%s", err, diff)
				}
			}
			for what, bad := range map[string]connector.IDToken{
				"audience":    {Raw: sign("other", nil)},
				"nonce":       {Raw: sign("client-id", map[string]any{"nonce": hash("m")}), Nonce: "n"},
				"issuer":      {Raw: sign("client-id", map[string]any{"iss": "https://evil.example"})},
				"expired":     {Raw: sign("client-id", map[string]any{"exp": connectortest.Now.Add(-time.Hour).Unix()})},
				"named other": {Raw: sign("client-id", nil), Issuer: "https://evil.example"},
				"stranger":    {Raw: connectortest.NewSigner(t, "key-1", s.Algorithm).Sign(t, connectortest.Claims(c.issuer, "client-id", "user-1", c.claims))},
			} {
				if got, err := verifier.VerifyIDToken(t.Context(), reg, bad); !errors.Is(err, connector.ErrIDToken) {
					t.Errorf("%s: %+v, %v", what, got, err)
				}
			}
		})
	}
}

// TestIDTokenVerifiers: only these providers' ID tokens are accepted alone.
func TestIDTokenVerifiers(t *testing.T) {
	t.Parallel()
	want := map[string]bool{
		"apple": true, "azure": true, "facebook": true, "google": true, "kakao": true, "keycloak": true, "snapchat": true, "vercel_marketplace": true,
	}
	for name, c := range connectors(connectortest.New(t)) {
		if _, ok := c.(connector.IDTokenVerifier); ok != want[name] {
			t.Errorf("%s verifies ID tokens: %v", name, ok)
		}
		poster, ok := c.(connector.FormPoster)
		if (ok && poster.PostsForm()) != (name == "apple") {
			t.Errorf("%s posts a form: %v", name, ok)
		}
	}
}

// TestAzureTenants: the project's address says whose users may sign in.
func TestAzureTenants(t *testing.T) {
	t.Parallel()
	const host = "https://login.microsoftonline.com/"
	for name, c := range map[string]struct {
		base, tenant string
		ok           bool
	}{
		"default":                 {"", tenantA, true},
		"default, personal":       {"", consumers, true},
		"common":                  {host + "common", tenantA, true},
		"organizations":           {host + "organizations", tenantA, true},
		"organizations, personal": {host + "organizations", consumers, false},
		"consumers":               {host + "consumers", consumers, true},
		"consumers, organization": {host + "consumers/", tenantA, false},
		"its tenant":              {host + tenantA, tenantA, true},
		"another tenant":          {host + tenantA, tenantB, false},
		"no tenant":               {host + "common", "common", false},
		"a path":                  {host + "common", tenantA + "/x", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := connectortest.New(t)
			s := idTokens(t, d, azureKeys, map[string]any{"issuer": host + "{tenantid}/v2.0"})
			reg := registration()
			reg.BaseURL = c.base
			raw := s.Sign(t, connectortest.Claims(azureIssuer(c.tenant), "client-id", "u", map[string]any{"tid": c.tenant}))
			_, err := connectors(d)["azure"].(connector.IDTokenVerifier).VerifyIDToken(t.Context(), reg, connector.IDToken{Raw: raw})
			if c.ok && err != nil || !c.ok && !errors.Is(err, connector.ErrIDToken) {
				t.Error(err)
			}
		})
	}
}

// TestAzureKeyIssuer: a key of one tenant signs for no other.
func TestAzureKeyIssuer(t *testing.T) {
	t.Parallel()
	d := connectortest.New(t)
	s := idTokens(t, d, azureKeys, map[string]any{"issuer": azureIssuer(consumers)})
	verifier := connectors(d)["azure"].(connector.IDTokenVerifier)
	for tenant, ok := range map[string]bool{consumers: true, tenantA: false} {
		raw := s.Sign(t, connectortest.Claims(azureIssuer(tenant), "client-id", "u", map[string]any{"tid": tenant}))
		if _, err := verifier.VerifyIDToken(t.Context(), registration(), connector.IDToken{Raw: raw}); (err == nil) != ok {
			t.Errorf("%s: %v", tenant, err)
		}
	}
	raw := s.Sign(t, connectortest.Claims(azureIssuer(consumers), "client-id", "u", map[string]any{"tid": tenantA}))
	if _, err := verifier.VerifyIDToken(t.Context(), registration(), connector.IDToken{Raw: raw}); !errors.Is(err, connector.ErrIDToken) {
		t.Errorf("issuer and tenant differ: %v", err)
	}
}

// TestAzureDiscovered: a tenant that is named by its domain, and another cloud,
// say themselves who their issuer is.
func TestAzureDiscovered(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"https://login.microsoftonline.com/contoso.example", "https://login.microsoftonline.us/" + tenantA} {
		d := connectortest.New(t)
		issuer := strings.Replace(base, "contoso.example", tenantA, 1) + "/v2.0"
		document := func(issuer string) string {
			return `{"issuer":"` + issuer + `","authorization_endpoint":"` + base + `/a","token_endpoint":"` + base + `/t","jwks_uri":"` + base + `/keys"}`
		}
		d.JSON(base+"/v2.0/.well-known/openid-configuration", document(issuer))
		s := idTokens(t, d, base+"/keys", nil)
		reg := registration()
		reg.BaseURL = base
		verifier := connectors(d)["azure"].(connector.IDTokenVerifier)
		for tenant, ok := range map[string]bool{tenantA: true, tenantB: false} {
			raw := s.Sign(t, connectortest.Claims(strings.Replace(issuer, tenantA, tenant, 1), "client-id", "u", nil))
			if _, err := verifier.VerifyIDToken(t.Context(), reg, connector.IDToken{Raw: raw}); (err == nil) != ok {
				t.Errorf("%s %s: %v", base, tenant, err)
			}
		}
		// A document for all tenants would admit none in particular.
		d2 := connectortest.New(t)
		d2.JSON(base+"/v2.0/.well-known/openid-configuration", document("https://login.microsoftonline.us/{tenantid}/v2.0"))
		_, err := connectors(d2)["azure"].(connector.IDTokenVerifier).VerifyIDToken(t.Context(), reg, connector.IDToken{Raw: "a.e30.b"})
		if !errors.Is(err, connector.ErrMisconfigured) {
			t.Error(err)
		}
	}
}

// TestAzureExchange: the code's ID token is checked like any other.
func TestAzureExchange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		claims map[string]any
		want   error
	}{
		"valid":        {map[string]any{"nonce": "the-nonce"}, nil},
		"other nonce":  {map[string]any{"nonce": "evil"}, connector.ErrProfile},
		"no nonce":     {nil, connector.ErrProfile},
		"other client": {map[string]any{"nonce": "the-nonce", "aud": "evil"}, connector.ErrProfile},
		"other issuer": {map[string]any{"nonce": "the-nonce", "iss": "https://evil.example"}, connector.ErrProfile},
	} {
		d := connectortest.New(t)
		s := idTokens(t, d, azureKeys, nil)
		raw := s.Sign(t, connectortest.Claims(azureIssuer(tenantA), "client-id", "u", c.claims))
		d.Token("https://login.microsoftonline.com/common/oauth2/v2.0/token", "access-token", `,"id_token":"`+raw+`"`)
		got, err := connectors(d)["azure"].Exchange(t.Context(), registration(), callback())
		if !errors.Is(err, c.want) || c.want == nil && (err != nil || got.Subject != "u") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	d := connectortest.New(t)
	d.Token("https://login.microsoftonline.com/common/oauth2/v2.0/token", "access-token", "")
	if _, err := connectors(d)["azure"].Exchange(t.Context(), registration(), callback()); !errors.Is(err, connector.ErrProfile) {
		t.Errorf("no ID token: %v", err)
	}
}

// TestApple: the name comes with the first callback, and nothing else of it
// counts.
func TestApple(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ user, want string }{
		"first":       {`{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"victim@example.com"}`, "Ada Lovelace"},
		"later":       {"", ""},
		"no JSON":     {`{"name":`, ""},
		"wrong types": {`{"name":{"firstName":5}}`, ""},
		"array":       {`[]`, ""},
		"very long":   {`{"name":{"firstName":"` + strings.Repeat("x", 1<<20) + `"}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := connectortest.New(t)
			s := idTokens(t, d, "https://appleid.apple.com/auth/keys", nil)
			raw := s.Sign(t, connectortest.Claims("https://appleid.apple.com", "client-id", "u", map[string]any{
				"nonce": "the-nonce", "email": "a@example.com", "email_verified": true,
			}))
			d.Token("https://appleid.apple.com/auth/token", "access-token", `,"refresh_token":"r","id_token":"`+raw+`"`)
			cb := callback()
			cb.User = c.user
			got, err := connectors(d)["apple"].Exchange(t.Context(), registration(), cb)
			if err != nil {
				t.Fatal(err)
			}
			shown, _ := got.Data["full_name"].(string)
			if shown != c.want || got.Email != "a@example.com" || got.Subject != "u" || !got.EmailVerified {
				t.Errorf("%+v", got)
			}
		})
	}
}

func appleJWT(t *testing.T, expires time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"iss": "team", "exp": expires.Unix()}).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAppleSecretExpiry(t *testing.T) {
	t.Parallel()
	at := connectortest.Now.Add(24 * time.Hour)
	if got, ok := social.AppleSecretExpiry(appleJWT(t, at)); !ok || !got.Equal(at) {
		t.Errorf("%v %v", got, ok)
	}
	for _, secret := range []string{"", "x", `{"team_id":"t"}`, "a.b.c", "eyJhbGciOiJub25lIn0.e30."} {
		if got, ok := social.AppleSecretExpiry(secret); ok {
			t.Errorf("%q expires at %v", secret, got)
		}
	}
}

// TestAppleSecret: the client secret is the stored JWT, or is signed with the
// stored key.
func TestAppleSecret(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	object := func(change map[string]string) string {
		o := map[string]string{"team_id": "TEAM", "key_id": "KEY", "private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))}
		for name, value := range change {
			o[name] = value
		}
		raw, _ := json.Marshal(o)
		return string(raw)
	}
	const tokenURL = "https://appleid.apple.com/auth/token"
	for name, c := range map[string]struct {
		secret string
		ok     bool
	}{
		"JWT":          {appleJWT(t, connectortest.Now.Add(time.Hour)), true},
		"expired":      {appleJWT(t, connectortest.Now.Add(-time.Hour)), false},
		"key":          {object(nil), true},
		"no team":      {object(map[string]string{"team_id": ""}), false},
		"no key id":    {object(map[string]string{"key_id": ""}), false},
		"no PEM":       {object(map[string]string{"private_key": "x"}), false},
		"no key":       {object(map[string]string{"private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}), false},
		"broken JSON":  {"{", false},
		"other string": {"opaque", true}, // Apple refuses it
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := connectortest.New(t)
			d.Answer(tokenURL, 400, "application/json", `{"error":"invalid_client"}`)
			reg := registration()
			reg.Secret = c.secret
			_, err := connectors(d)["apple"].Exchange(t.Context(), reg, callback())
			if !c.ok {
				if !errors.Is(err, connector.ErrMisconfigured) || len(d.Requests(tokenURL)) > 0 || strings.Contains(err.Error(), c.secret) {
					t.Errorf("%v", err)
				}
				return
			}
			sent := d.Last(t, tokenURL).Form.Get("client_secret")
			if name != "key" {
				if sent != c.secret {
					t.Errorf("sent %q", sent)
				}
				return
			}
			parsed, err := jwt.NewParser(jwt.WithTimeFunc(now), jwt.WithIssuer("TEAM"), jwt.WithAudience("https://appleid.apple.com"), jwt.WithSubject("client-id"), jwt.WithExpirationRequired()).
				Parse(sent, func(*jwt.Token) (any, error) { return &key.PublicKey, nil })
			if err != nil || parsed.Header["kid"] != "KEY" || parsed.Header["alg"] != "ES256" {
				t.Errorf("%v: %+v", err, parsed)
			}
		})
	}
}

// TestKakaoAccessToken: with the access token, Kakao says whether the address of
// an ID token is verified.
func TestKakaoAccessToken(t *testing.T) {
	t.Parallel()
	const me = "https://kapi.kakao.com/v2/user/me"
	for name, c := range map[string]struct {
		document string
		verified bool
		want     error
	}{
		"verified":        {`{"id":7,"kakao_account":{"email":"a@example.com","is_email_valid":true,"is_email_verified":true}}`, true, nil},
		"not verified":    {`{"id":7,"kakao_account":{"email":"a@example.com","is_email_valid":true,"is_email_verified":false}}`, false, nil},
		"another address": {`{"id":7,"kakao_account":{"email":"b@example.com","is_email_valid":true,"is_email_verified":true}}`, false, nil},
		"another user":    {`{"id":8,"kakao_account":{"email":"a@example.com","is_email_valid":true,"is_email_verified":true}}`, false, connector.ErrIDToken},
		"HTML":            {`<html>`, false, connector.ErrProfile},
	} {
		d := connectortest.New(t)
		d.JSON(me, c.document)
		s := idTokens(t, d, "https://kauth.kakao.com/.well-known/jwks.json", nil)
		raw := s.Sign(t, connectortest.Claims("https://kauth.kakao.com", "client-id", "7", map[string]any{"email": "a@example.com"}))
		got, err := connectors(d)["kakao"].(connector.IDTokenVerifier).VerifyIDToken(t.Context(), registration(), connector.IDToken{Raw: raw, AccessToken: "access-token"})
		if !errors.Is(err, c.want) || c.want == nil && (err != nil || got.EmailVerified != c.verified) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
