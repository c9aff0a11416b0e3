package signingkey

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/keyrotation"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
)

// advance makes the next step, with the project locked, and returns which it was. A
// key that somebody moved by hand leads to the phase that this meant instead, and
// no step is returned.
func advance(ctx context.Context, tx *controldb.Tx, k *controldb.KeyRotation, dk *secret.DataKey, now time.Time) (made keyrotation.Step, err error) {
	keys, err := tx.SigningKeys(ctx, k.Ref)
	if err != nil {
		return "", err
	}
	switch k.Phase {
	case keyrotation.Published:
		made, err = promote(ctx, tx, k, keys, now)
	case keyrotation.Promoted:
		made, err = retire(ctx, tx, k, keys, now)
	default:
		made, err = publish(ctx, tx, k, keys, dk, now)
	}
	if err != nil {
		return "", err
	}
	_, k.LookAt = k.Next(k.Plan)
	return made, nil
}

// publish takes a key of the planned algorithm that stands by, or makes one.
func publish(ctx context.Context, tx *controldb.Tx, k *controldb.KeyRotation, keys []controldb.SigningKey, dk *secret.DataKey, now time.Time) (keyrotation.Step, error) {
	var next *controldb.SigningKey
	for i := range keys {
		if keys[i].Status == tenants.KeyStandby && keys[i].Algorithm == k.Algorithm && next == nil {
			next = &keys[i]
		}
	}
	if next == nil {
		made, err := create(ctx, tx, dk, k, keys)
		if err != nil {
			return "", err
		}
		next = &made
	}
	k.State = keyrotation.State{Phase: keyrotation.Published, Since: now, Key: next.ID}
	return keyrotation.Publish, nil
}

// create makes a standby key. Where there is no room, it removes the key that was
// revoked first.
func create(ctx context.Context, tx *controldb.Tx, dk *secret.DataKey, k *controldb.KeyRotation, keys []controldb.SigningKey) (controldb.SigningKey, error) {
	if len(keys) >= controldb.MaxSigningKeys {
		var oldest *controldb.SigningKey
		for i := range keys {
			if keys[i].Status == tenants.KeyRevoked && (oldest == nil || keys[i].UpdatedAt.Before(oldest.UpdatedAt)) {
				oldest = &keys[i]
			}
		}
		if oldest == nil {
			return controldb.SigningKey{}, controldb.ErrSigningKeyLimit
		}
		if err := tx.DeleteSigningKey(ctx, k.Ref, oldest.ID); err != nil {
			return controldb.SigningKey{}, err
		}
	}
	key, _, err := tenants.NewSigningKey(k.Algorithm)
	if err != nil {
		return controldb.SigningKey{}, err
	}
	key.Status = tenants.KeyStandby
	row, err := controldb.SealSigningKey(dk, k.Ref, key)
	if err != nil {
		return controldb.SigningKey{}, err
	}
	return tx.CreateSigningKey(ctx, row)
}

// promote puts the published key in use.
func promote(ctx context.Context, tx *controldb.Tx, k *controldb.KeyRotation, keys []controldb.SigningKey, now time.Time) (keyrotation.Step, error) {
	next, inUse := byID(keys, k.Key), byStatus(keys, tenants.KeyInUse)
	life, err := tx.LongestTokenLife(ctx, k.Ref, tokensOf)
	if err != nil {
		return "", err
	}
	state := keyrotation.State{Phase: keyrotation.Promoted, Since: now, Key: k.Key, TokenLife: life}
	switch {
	case next != nil && next.Status == tenants.KeyInUse: // somebody did
		state.Since = next.UpdatedAt
		if last := byStatus(keys, tenants.KeyPreviouslyUsed); last != nil {
			state.Previous = last.ID
		}
		k.State = state
		return "", nil
	case next == nil || next.Status != tenants.KeyStandby: // deleted or revoked
		k.State = keyrotation.State{Phase: keyrotation.Idle, Since: now}
		return "", nil
	}
	if inUse != nil {
		state.Previous = inUse.ID
		if err := tx.RetireSigningKey(ctx, k.Ref); err != nil {
			return "", err
		}
	}
	if _, err := tx.SetSigningKeyStatus(ctx, k.Ref, k.Key, tenants.KeyInUse); err != nil {
		return "", err
	}
	k.State = state
	return keyrotation.Promote, nil
}

// retire revokes the previous key, unless somebody moved it, or legacy API keys are
// signed with it.
func retire(ctx context.Context, tx *controldb.Tx, k *controldb.KeyRotation, keys []controldb.SigningKey, now time.Time) (keyrotation.Step, error) {
	previous := byID(keys, k.Previous)
	legacy, err := controldb.LegacySecret(keys)
	kept := err == nil && legacy.ID == k.Previous
	if previous != nil && previous.Status == tenants.KeyPreviouslyUsed && !kept {
		if _, err := tx.SetSigningKeyStatus(ctx, k.Ref, k.Previous, tenants.KeyRevoked); err != nil {
			return "", err
		}
	}
	k.State = keyrotation.State{Phase: keyrotation.Idle, Since: now}
	return keyrotation.Retire, nil
}

func byID(keys []controldb.SigningKey, id uuid.UUID) *controldb.SigningKey {
	for i := range keys {
		if keys[i].ID == id {
			return &keys[i]
		}
	}
	return nil
}

// byStatus returns the key of a status that got it last.
func byStatus(keys []controldb.SigningKey, status tenants.KeyStatus) (last *controldb.SigningKey) {
	for i := range keys {
		if keys[i].Status == status && (last == nil || keys[i].UpdatedAt.After(last.UpdatedAt)) {
			last = &keys[i]
		}
	}
	return last
}
