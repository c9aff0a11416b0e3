package tenants_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/reevehq/reeve/tenants"
)

// privateMembers are the members of a JWK that must never be published.
var privateMembers = []string{"d", "k", "p", "q", "dp", "dq", "qi", "oth"}

func TestSigningKey(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"ES256", "RS256", "EdDSA", "HS256"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			k, raw, err := tenants.NewSigningKey(algorithm)
			if err != nil {
				t.Fatal(err)
			}
			again, err := tenants.ParseSigningKey(raw)
			if err != nil || again.ID != k.ID || again.Algorithm != algorithm || k.ID == "" {
				t.Fatalf("stored and read again: %s %s, %v", again.ID, again.Algorithm, err)
			}
			if (k.Signer() == nil) != (algorithm == "HS256") {
				t.Errorf("Signer = %v", k.Signer())
			}
			token := sign(t, k, k.ID, jwt.MapClaims{"sub": "x"})
			if _, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return again.Public, nil }); err != nil {
				t.Errorf("the stored key does not verify: %v", err)
			}
			checkPublished(t, k)
		})
	}
	if _, _, err := tenants.NewSigningKey("HS512"); !errors.Is(err, tenants.ErrBadSigningKey) {
		t.Errorf("HS512: %v", err)
	}
}

func checkPublished(t *testing.T, k tenants.SigningKey) {
	t.Helper()
	if k.Algorithm == "HS256" {
		if k.PublicJWK != nil {
			t.Error("a secret is published")
		}
		return
	}
	var jwk map[string]any
	if err := json.Unmarshal(k.PublicJWK, &jwk); err != nil {
		t.Fatal(err)
	}
	for _, name := range privateMembers {
		if _, ok := jwk[name]; ok {
			t.Errorf("private member %s is published", name)
		}
	}
	if jwk["kid"] != k.ID || jwk["alg"] != k.Algorithm || jwk["use"] != "sig" || jwk["ext"] != true || jwk["key_ops"] == nil {
		t.Errorf("published %s", k.PublicJWK)
	}
}

func TestParseSigningKeyRefuses(t *testing.T) {
	t.Parallel()
	_, es, err := tenants.NewSigningKey("ES256")
	if err != nil {
		t.Fatal(err)
	}
	public, err := tenants.ParseSigningKey(es)
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string]string{
		"nothing":           "",
		"no JSON":           "{",
		"no members":        "{}",
		"a list":            "[]",
		"null":              "null",
		"public half":       string(public.PublicJWK),
		"wrong alg":         string(bytes.Replace(es, []byte(`"ES256"`), []byte(`"RS256"`), 1)),
		"point off curve":   `{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA","d":"AAAA"}`,
		"short secret":      `{"kty":"oct","k":"YWJj"}`,
		"empty secret":      `{"kty":"oct","k":""}`,
		"long secret":       `{"kty":"oct","k":"` + strings.Repeat("YWJj", 200) + `"}`,
		"HS512 secret":      `{"kty":"oct","alg":"HS512","k":"` + strings.Repeat("YWJj", 20) + `"}`,
		"unknown kty":       `{"kty":"XX"}`,
		"broken RSA":        `{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB","p":"Aw","q":"Aw"}`,
		"encrypted by name": `{"kty":"oct","k":"%%%"}`,
	} {
		if k, err := tenants.ParseSigningKey([]byte(raw)); !errors.Is(err, tenants.ErrBadSigningKey) {
			t.Errorf("%s: %s key, error %v", name, k.Algorithm, err)
		}
	}
}

func TestSigningKeyStatus(t *testing.T) {
	t.Parallel()
	for status, verifies := range map[tenants.KeyStatus]bool{
		tenants.KeyStandby: true, tenants.KeyInUse: true, tenants.KeyPreviouslyUsed: true, tenants.KeyRevoked: false,
	} {
		k := tenants.SigningKey{Status: status}
		if k.Verifies() != verifies {
			t.Errorf("%s: %v", status, k.Verifies())
		}
	}
}

func FuzzParseSigningKey(f *testing.F) {
	for _, algorithm := range []string{"ES256", "EdDSA", "HS256"} {
		_, raw, err := tenants.NewSigningKey(algorithm)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}`))
	f.Add([]byte(`{"kty":"EC","crv":"P-384"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		k, err := tenants.ParseSigningKey(raw)
		if err != nil {
			if !errors.Is(err, tenants.ErrBadSigningKey) || k.Private != nil {
				t.Errorf("ParseSigningKey(%q) = %v, %v", raw, k.Private != nil, err)
			}
			return
		}
		// An accepted key must be able to sign and verify.
		token := sign(t, k, k.ID, jwt.MapClaims{"sub": "x"})
		if _, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return k.Public, nil }); err != nil {
			t.Errorf("key of %q does not verify its own token: %v", raw, err)
		}
		checkPublished(t, k)
	})
}
