package apikey

import (
	"context"
	"time"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web/control"
)

// defaultOverlap is how long a replaced key works beside its successor.
const defaultOverlap = 24 * time.Hour

// ErrReplaced is returned for a key that has a successor, or has expired. It can
// only be deleted.
var ErrReplaced = fault.New(fault.Conflict, "api_key_replaced", "The API key was replaced or has expired")

// RotateBody is the body of rotate.
type RotateBody struct {
	OverlapSeconds *int       `json:"overlap_seconds,omitempty" minimum:"0" maximum:"2592000" doc:"How long the old key goes on working; a day if left out."`
	ExpiresAt      *time.Time `json:"expires_at,omitempty" nullable:"true" doc:"When the new key stops working; never if left out."`
}

// Rotate replaces a key by a new one of the same name and restrictions, which it
// returns. The old one expires after the overlap, or earlier if it had to.
// ErrReplaced if it has a successor already.
func (s *Service) Rotate(ctx context.Context, actor authz.Actor, ref, id string, b RotateBody) (*Key, error) {
	p, dk, err := s.open(ctx, actor, authz.WriteAPIKeys, ref)
	if err != nil {
		return nil, err
	}
	now, overlap := s.Now(), defaultOverlap
	if b.OverlapSeconds != nil {
		overlap = time.Duration(*b.OverlapSeconds) * time.Second
	}
	var out Key
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if _, err := tx.LockProject(ctx, p.Ref); err != nil {
			return err
		}
		old, err := s.find(ctx, tx, p.Ref, id)
		if err != nil {
			return err
		}
		if old.Successor != nil || old.ExpiresAt != nil && !now.Before(*old.ExpiresAt) {
			return ErrReplaced
		}
		have, err := tx.APIKeys(ctx, p.Ref)
		if err != nil {
			return err
		}
		if len(have) >= MaxKeys {
			return ErrLimit
		}
		row, shown, err := controldb.NewAPIKey(s.DB.Hasher(), dk, p.Ref, old.Type, old.Name)
		if err != nil {
			return err
		}
		row.Description, row.Scopes, row.Networks = old.Description, old.Scopes, old.Networks
		if err := setExpiry(&row, b.ExpiresAt, now); err != nil {
			return err
		}
		if end := now.Add(overlap); old.ExpiresAt == nil || end.Before(*old.ExpiresAt) {
			old.ExpiresAt = &end
		}
		old.Successor = &row.ID
		if _, err := tx.UpdateAPIKey(ctx, old); err != nil {
			return err
		}
		if row, err = tx.CreateAPIKey(ctx, row); err != nil {
			return err
		}
		out = onWire(row, shown)
		return control.Remember(ctx, tx, out)
	})
	return &out, err
}
