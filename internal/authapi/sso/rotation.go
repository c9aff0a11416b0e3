package sso

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// A key is rotated in three steps that nobody else can take for the identity providers:
// a second key is added, and published in the metadata; they read it, by themselves or by
// hand; the first is removed, and the second signs.

// Key is a key of the project's service provider, without its private part.
type Key struct {
	ID          uuid.UUID `json:"id"`
	Certificate string    `json:"certificate"` // base64 of its DER
	Signs       bool      `json:"signs"`
	CreatedAt   time.Time `json:"created_at"`
	ExpiresAt   time.Time `json:"expires_at"`
}

// Keys returns the keys of the project's service provider. The first one is made if there
// is none; auth.ErrSAMLOff.
func (s Service) Keys(ctx context.Context, sc *tenants.Scope) ([]Key, error) {
	if !sc.Tenant.Config.SAMLEnabled {
		return nil, auth.ErrSAMLOff
	}
	if _, err := s.keys(ctx, sc); err != nil {
		return nil, err
	}
	var list []tenantdb.SAMLKey
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		list, err = tx.SAMLKeys(ctx)
		return err
	})
	out := make([]Key, 0, len(list))
	for n, k := range list {
		key, openErr := openKey(sc.Tenant, k)
		if openErr != nil {
			return nil, openErr
		}
		out = append(out, Key{
			ID: k.ID, Certificate: base64.StdEncoding.EncodeToString(key.Certificate.Raw), Signs: n == 0,
			CreatedAt: k.CreatedAt, ExpiresAt: key.Certificate.NotAfter,
		})
	}
	return out, err
}

// AddKey adds a second key, which is published and does not sign yet.
// auth.ErrSAMLKeys if there are two; auth.ErrSAMLOff.
func (s Service) AddKey(ctx context.Context, sc *tenants.Scope) ([]Key, error) {
	if _, err := s.Keys(ctx, sc); err != nil {
		return nil, err
	}
	k, err := s.newKey(sc)
	if err != nil {
		return nil, err
	}
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		added, err := tx.AddSAMLKey(ctx, *k)
		if err == nil && !added {
			err = auth.ErrSAMLKeys
		}
		if err != nil {
			return err
		}
		return audit.Service(ctx, tx, sc, auth.ActionSSOKeyAdded, audit.Traits{"key": k.ID.String()}, s.Now())
	})
	if err != nil {
		return nil, err
	}
	return s.Keys(ctx, sc)
}

// RemoveKey removes a key of two. If it was the one that signs, the other does from now
// on. auth.ErrSAMLKeyNotFound, also for the last key; auth.ErrSAMLOff.
func (s Service) RemoveKey(ctx context.Context, sc *tenants.Scope, id uuid.UUID) ([]Key, error) {
	if !sc.Tenant.Config.SAMLEnabled {
		return nil, auth.ErrSAMLOff
	}
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		removed, err := tx.RemoveSAMLKey(ctx, id)
		if err == nil && !removed {
			err = auth.ErrSAMLKeyNotFound
		}
		if err != nil {
			return err
		}
		return audit.Service(ctx, tx, sc, auth.ActionSSOKeyRemoved, audit.Traits{"key": id.String()}, s.Now())
	})
	if err != nil {
		return nil, err
	}
	return s.Keys(ctx, sc)
}
