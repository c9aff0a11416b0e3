package connectortest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Now is the time in tests.
var Now = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// Signer signs ID tokens with a new key.
type Signer struct {
	KeyID     string
	Algorithm jose.SignatureAlgorithm
	key       crypto.Signer
}

// NewSigner makes a key of the algorithm's type.
func NewSigner(tb testing.TB, kid string, algorithm jose.SignatureAlgorithm) *Signer {
	tb.Helper()
	s := &Signer{KeyID: kid, Algorithm: algorithm}
	var err error
	switch algorithm {
	case jose.ES256:
		s.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.ES384:
		s.key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jose.EdDSA:
		_, s.key, err = ed25519.GenerateKey(rand.Reader)
	default:
		s.key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// JWK is the public key; it is changed by more.
func (s *Signer) JWK(more map[string]any) map[string]any {
	raw, _ := json.Marshal(jose.JSONWebKey{Key: s.key.Public(), KeyID: s.KeyID, Use: "sig", Algorithm: string(s.Algorithm)})
	out := map[string]any{}
	_ = json.Unmarshal(raw, &out)
	maps.Copy(out, more)
	return out
}

// Public is the public key.
func (s *Signer) Public() crypto.PublicKey { return s.key.Public() }

// Sign returns a token with the claims.
func (s *Signer) Sign(tb testing.TB, claims map[string]any) string {
	tb.Helper()
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: s.Algorithm, Key: jose.JSONWebKey{Key: s.key, KeyID: s.KeyID}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		tb.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		tb.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		tb.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// KeySet is a document with the public keys.
func KeySet(keys ...map[string]any) string {
	raw, _ := json.Marshal(map[string]any{"keys": keys})
	return string(raw)
}

// Claims are those of a token that is valid at Now; more replaces and, by nil,
// removes claims.
func Claims(issuer, audience, subject string, more map[string]any) map[string]any {
	out := map[string]any{
		"iss": issuer, "aud": audience, "sub": subject,
		"iat": Now.Add(-10 * time.Second).Unix(), "exp": Now.Add(time.Hour).Unix(),
	}
	for name, value := range more {
		if value == nil {
			delete(out, name)
		} else {
			out[name] = value
		}
	}
	return out
}
