package token

import (
	"encoding/json"
	"slices"

	"github.com/reevehq/reeve/tenants"
)

// JWKS is a JSON Web Key Set (RFC 7517, section 5).
type JWKS struct {
	Keys []json.RawMessage `json:"keys"`
}

// PublicKeys returns the set for verifying the project's tokens: all asymmetric
// keys that are not revoked, including standby ones so that caches know them
// before they sign. It never contains HS256 secrets.
func PublicKeys(t *tenants.Tenant) JWKS {
	set := JWKS{Keys: []json.RawMessage{}}
	for i := range t.SigningKeys {
		if k := &t.SigningKeys[i]; k.Verifies() && k.PublicJWK != nil {
			set.Keys = append(set.Keys, k.PublicJWK)
		}
	}
	return set
}

// Algorithms returns the distinct algorithms of the project's keys that are not
// revoked (RFC 7518, section 3.1), starting with the one of the key in use.
func Algorithms(t *tenants.Tenant) []string {
	algorithms := []string{}
	add := func(k *tenants.SigningKey) {
		if k.Verifies() && !slices.Contains(algorithms, k.Algorithm) {
			algorithms = append(algorithms, k.Algorithm)
		}
	}
	if k, err := inUse(t); err == nil {
		add(k)
	}
	for i := range t.SigningKeys {
		add(&t.SigningKeys[i])
	}
	return algorithms
}
