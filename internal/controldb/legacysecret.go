package controldb

import (
	"context"
	"slices"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
)

// MaxSigningKeys is the limit of signing keys of a project: all that are not
// revoked are published and tried.
const MaxSigningKeys = 20

// ErrSigningKeyLimit is returned when a project has MaxSigningKeys.
var ErrSigningKeyLimit = fault.New(fault.Conflict, "signing_key_limit_reached", "The project has reached its maximum number of signing keys")

// LegacySecret finds, among a project's keys with the oldest first, the one
// that tenants.Tenant.NewLegacyKey signs with; ErrNoSigningKey.
func LegacySecret(keys []SigningKey) (SigningKey, error) {
	for _, good := range []func(SigningKey) bool{
		func(k SigningKey) bool { return k.Legacy },
		func(k SigningKey) bool { return k.Imported && k.Algorithm == "HS256" },
	} {
		i := slices.IndexFunc(keys, func(k SigningKey) bool { return k.Status != tenants.KeyRevoked && good(k) })
		if i >= 0 {
			return keys[i], nil
		}
	}
	return SigningKey{}, ErrNoSigningKey
}

// NewLegacySecret generates the HS256 secret that legacy API keys are signed
// with. It is on standby: it signs no users' tokens unless it is put in use.
func NewLegacySecret(dk *secret.DataKey, ref tenants.Ref) (SigningKey, error) {
	key, _, err := tenants.NewSigningKey("HS256")
	if err != nil {
		return SigningKey{}, err
	}
	key.Status, key.Legacy = tenants.KeyStandby, true
	return SealSigningKey(dk, ref, key)
}

// EnsureLegacySecret creates a legacy secret if the project has none. The
// project must be locked. ErrSigningKeyLimit.
func (tx *Tx) EnsureLegacySecret(ctx context.Context, dk *secret.DataKey, ref tenants.Ref) error {
	have, err := tx.SigningKeys(ctx, ref)
	if err != nil {
		return err
	}
	if _, err := LegacySecret(have); err == nil {
		return nil
	}
	if len(have) >= MaxSigningKeys {
		return ErrSigningKeyLimit
	}
	row, err := NewLegacySecret(dk, ref)
	if err != nil {
		return err
	}
	_, err = tx.CreateSigningKey(ctx, row)
	return err
}
