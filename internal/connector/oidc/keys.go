package oidc

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"

	"github.com/go-jose/go-jose/v4"

	"github.com/reevehq/reeve/internal/connector/oauth"
)

// A cache has many key sets, of addresses that projects chose.
const (
	maxKeys    = 32   // of a key set
	maxKeyID   = 256  // bytes of a key id or the like
	minRSABits = 2048 // RFC 7518, section 3.3
	maxRSABits = 8192
)

// signingKey is a public key; issuer is whose it is, in the key sets that say so.
type signingKey struct {
	key                   crypto.PublicKey
	id, algorithm, issuer string
}

// keySet is the public signing keys of an issuer.
type keySet []signingKey

// fetchKeys reads a key set. Keys that Reeve cannot use are left out (RFC 7517,
// section 5).
func (c *Client) fetchKeys(ctx context.Context, address string) (keySet, error) {
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := c.oauth.GetJSON(ctx, oauth.Request{URL: address}, &document); err != nil {
		return nil, err
	}
	return parseKeys(document.Keys)
}

func parseKeys(raw []json.RawMessage) (keySet, error) {
	var set keySet
	for _, r := range raw {
		var k jose.JSONWebKey
		var owner struct {
			Issuer string `json:"issuer"`
		}
		if json.Unmarshal(r, &k) == nil && json.Unmarshal(r, &owner) == nil && usable(k) &&
			max(len(k.KeyID), len(k.Algorithm), len(owner.Issuer)) <= maxKeyID && len(set) < maxKeys {
			set = append(set, signingKey{k.Key, k.KeyID, k.Algorithm, owner.Issuer})
		}
	}
	if len(set) == 0 {
		return nil, errors.New("the key set has no usable key")
	}
	return set, nil
}

// usable accepts public keys of asymmetric algorithms. A symmetric key must
// never verify an ID token: who can verify with it can sign with it.
func usable(k jose.JSONWebKey) bool {
	if k.Use != "" && k.Use != "sig" || !k.Valid() {
		return false
	}
	switch public := k.Key.(type) {
	case *rsa.PublicKey:
		return public.N.BitLen() >= minRSABits && public.N.BitLen() <= maxRSABits
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false
}

// matching returns the keys of an issuer that may have signed a token with this
// header. A token without a key id may be signed by any.
func (s keySet) matching(i Issuer, kid, algorithm string) []crypto.PublicKey {
	var out []crypto.PublicKey
	for _, k := range s {
		if (kid == "" || k.id == kid) && (k.algorithm == "" || k.algorithm == algorithm) && fits(k.key, algorithm) &&
			(i.KeyIssuer == "" || k.issuer == "" || k.issuer == i.KeyIssuer || k.issuer == i.URL) {
			out = append(out, k.key)
		}
	}
	return out
}

// fits reports whether a key is of the algorithm's type.
func fits(k crypto.PublicKey, algorithm string) bool {
	switch public := k.(type) {
	case *rsa.PublicKey:
		return algorithm[:2] == "RS" || algorithm[:2] == "PS"
	case *ecdsa.PublicKey:
		return map[string]int{"ES256": 256, "ES384": 384, "ES512": 521}[algorithm] == public.Curve.Params().BitSize
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	}
	return false
}
