package tenants

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
)

// KeyStatus is the status of a signing key in its life cycle.
type KeyStatus string

// The life cycle of a signing key: standby (published, not used) → in_use
// (signs) → previously_used (still verifies) → revoked.
const (
	KeyStandby        KeyStatus = "standby"
	KeyInUse          KeyStatus = "in_use"
	KeyPreviouslyUsed KeyStatus = "previously_used"
	KeyRevoked        KeyStatus = "revoked"
)

// SigningKey signs or verifies a project's access tokens.
type SigningKey struct {
	ID        string // the kid
	Algorithm string // ES256, RS256, EdDSA or HS256
	Status    KeyStatus
	Imported  bool   // imported from another system, so foreign issuers are expected
	Legacy    bool   // the HS256 secret that legacy API keys are signed with
	Private   any    // *ecdsa.PrivateKey, *rsa.PrivateKey, ed25519.PrivateKey or []byte
	Public    any    // what verifies; for HS256 the same bytes
	PublicJWK []byte // JSON for the JWKS; nil for HS256, which is never published
}

// ErrBadSigningKey is returned for a JWK that cannot sign access tokens.
var ErrBadSigningKey = fault.New(fault.Invalid, "validation_failed", "private_jwk: not a usable private key")

// NewSigningKey generates a key for the algorithm and returns it with its
// private JWK, which is sealed and stored.
func NewSigningKey(algorithm string) (SigningKey, []byte, error) {
	var private any
	var err error
	switch algorithm {
	case "ES256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "RS256":
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case "EdDSA":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case "HS256":
		secret := make([]byte, 32)
		_, err = rand.Read(secret)
		private = secret
	default:
		return SigningKey{}, nil, ErrBadSigningKey.Saying("algorithm: must be ES256, RS256, EdDSA or HS256")
	}
	if err != nil {
		return SigningKey{}, nil, fmt.Errorf("generate %s key: %w", algorithm, err)
	}
	jwk := jose.JSONWebKey{Key: private, KeyID: uuid.NewString(), Algorithm: algorithm, Use: "sig"}
	raw, err := json.Marshal(jwk)
	if err != nil {
		return SigningKey{}, nil, fmt.Errorf("encode %s key: %w", algorithm, err)
	}
	key, err := ParseSigningKey(raw)
	return key, raw, err
}

// ParseSigningKey reads a private JWK (RFC 7517). The key type determines the
// algorithm; alg, when given, must agree. A missing kid is generated.
func ParseSigningKey(raw []byte) (SigningKey, error) {
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(raw, &jwk); err != nil {
		return SigningKey{}, ErrBadSigningKey.Because(err)
	}
	k := SigningKey{ID: jwk.KeyID, Private: jwk.Key}
	if k.ID == "" {
		k.ID = uuid.NewString()
	}
	if err := k.classify(); err != nil {
		return SigningKey{}, err
	}
	if jwk.Algorithm != "" && jwk.Algorithm != k.Algorithm {
		return SigningKey{}, ErrBadSigningKey.Saying("private_jwk.alg: does not fit the key type")
	}
	if k.Algorithm == "HS256" {
		return k, nil
	}
	public, err := json.Marshal(publicJWK{
		JSONWebKey: jose.JSONWebKey{Key: k.Public, KeyID: k.ID, Algorithm: k.Algorithm, Use: "sig"},
	})
	if err != nil {
		return SigningKey{}, ErrBadSigningKey.Because(err)
	}
	k.PublicJWK = public
	return k, nil
}

func (k *SigningKey) classify() error {
	switch p := k.Private.(type) {
	case *ecdsa.PrivateKey:
		if p.Curve != elliptic.P256() {
			return ErrBadSigningKey.Saying("private_jwk.crv: only P-256 is supported")
		}
		if !ownPublicKey(p) {
			return ErrBadSigningKey.Saying("private_jwk.d: does not belong to x and y")
		}
		k.Algorithm, k.Public = "ES256", p.Public()
	case *rsa.PrivateKey:
		if p.N.BitLen() < 2048 || p.N.BitLen() > 4096 {
			return ErrBadSigningKey.Saying("private_jwk.n: RSA keys must have 2048 to 4096 bits")
		}
		if err := p.Validate(); err != nil {
			return ErrBadSigningKey.Because(err)
		}
		k.Algorithm, k.Public = "RS256", p.Public()
	case ed25519.PrivateKey:
		k.Algorithm, k.Public = "EdDSA", p.Public()
	case []byte:
		if len(p) < 16 || len(p) > 512 {
			return ErrBadSigningKey.Saying("private_jwk.k: HS256 secrets must have 16 to 512 bytes")
		}
		k.Algorithm, k.Public = "HS256", p
	default:
		return ErrBadSigningKey
	}
	return nil
}

// ownPublicKey checks that the public key matches the private one: otherwise
// the JWKS could not verify the key's signatures. (RSA and Ed25519 keys are
// checked by parsing.)
func ownPublicKey(p *ecdsa.PrivateKey) bool {
	private, err := p.ECDH()
	if err != nil {
		return false
	}
	public, err := p.PublicKey.ECDH()
	return err == nil && private.PublicKey().Equal(public)
}

// Signer is the private half of an asymmetric key, nil for HS256.
func (k *SigningKey) Signer() crypto.Signer {
	s, _ := k.Private.(crypto.Signer)
	return s
}

// Verifies reports whether tokens signed with the key are still accepted.
func (k *SigningKey) Verifies() bool { return k.Status != KeyRevoked }

// publicJWK adds the members that SDKs expect of a published key.
type publicJWK struct{ jose.JSONWebKey }

// MarshalJSON writes the key with key_ops and ext.
func (p publicJWK) MarshalJSON() ([]byte, error) {
	raw, err := p.JSONWebKey.MarshalJSON()
	if err != nil {
		return nil, err
	}
	m := map[string]any{}
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	m["key_ops"], m["ext"] = []string{"verify"}, true
	return json.Marshal(m)
}
