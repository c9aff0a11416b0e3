package signingkey

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode"

	"github.com/golang-jwt/jwt/v5"

	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/tenants"
)

// key generates the requested key, or parses the imported one.
func (b *CreateBody) key() (tenants.SigningKey, error) {
	status := tenants.KeyStatus(b.Status)
	if b.Status == "" {
		status = tenants.KeyStandby
	}
	if b.PrivateJWK == nil {
		key, _, err := tenants.NewSigningKey(b.Algorithm)
		key.Status = status
		return key, err
	}
	if err := checkMembers(b.PrivateJWK); err != nil {
		return tenants.SigningKey{}, err
	}
	raw, err := json.Marshal(b.PrivateJWK)
	if err != nil {
		return tenants.SigningKey{}, fmt.Errorf("encode private JWK: %w", err)
	}
	key, err := tenants.ParseSigningKey(raw)
	if err != nil {
		return key, err
	}
	if key.Algorithm != b.Algorithm {
		return key, text.Invalid("private_jwk: is a key for %s, not %s", key.Algorithm, b.Algorithm)
	}
	if err := prove(key); err != nil {
		return key, err
	}
	key.Status, key.Imported = status, true
	return key, nil
}

// checkMembers refuses members that a private JWK of the type does not have,
// and kids that are unsuitable for a header.
func checkMembers(jwk map[string]any) error {
	known := []string{"kty", "kid", "use", "key_ops", "ext", "alg"}
	switch jwk["kty"] {
	case "RSA":
		known = append(known, "n", "e", "d", "p", "q", "dp", "dq", "qi")
	case "EC":
		known = append(known, "crv", "x", "y", "d")
	case "OKP":
		known = append(known, "crv", "x", "d")
	case "oct":
		known = append(known, "k")
	default:
		return text.Invalid("private_jwk.kty: must be RSA, EC, OKP or oct")
	}
	for _, member := range slices.Sorted(maps.Keys(jwk)) {
		if !slices.Contains(known, member) {
			return text.Invalid("private_jwk.%s: unknown field", member)
		}
	}
	if use, given := jwk["use"]; given && use != "sig" {
		return text.Invalid("private_jwk.use: must be sig")
	}
	kid, given := jwk["kid"]
	id, isText := kid.(string)
	if given && (!isText || len(id) < 1 || len(id) > 128) {
		return text.Invalid("private_jwk.kid: must be a string of 1 to 128 characters")
	}
	for _, r := range id {
		if r > unicode.MaxASCII || !unicode.IsPrint(r) {
			return text.Invalid("private_jwk.kid: must be printable ASCII")
		}
	}
	return nil
}

// prove signs and verifies once: a JWK whose public and private keys do not
// match would sign tokens that no verifier accepts.
func prove(key tenants.SigningKey) error {
	method := jwt.GetSigningMethod(key.Algorithm)
	const sample = "reeve"
	signature, err := method.Sign(sample, key.Private)
	if err == nil {
		err = method.Verify(sample, signature, key.Public)
	}
	if err != nil {
		return tenants.ErrBadSigningKey.Because(err).Saying("private_jwk: its public and private halves do not belong together")
	}
	return nil
}
