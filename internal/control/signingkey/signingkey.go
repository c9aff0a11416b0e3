package signingkey

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// The errors.
var (
	ErrInUse      = fault.New(fault.Conflict, "signing_key_in_use", "The key is in use: put another one in use first")
	ErrNotRevoked = fault.New(fault.Conflict, "signing_key_not_revoked", "Tokens signed with the key are still accepted: revoke it first")
	ErrMove       = fault.New(fault.Conflict, "signing_key_status", "The key cannot move to that status from the one it has")
	ErrLegacy     = fault.New(fault.Conflict, "signing_key_exists", "The project has a legacy secret already")
)

// Service implements the rules of signing keys.
type Service struct {
	DB    *controldb.DB
	Authz *authz.Authorizer
	Now   func() time.Time // time.Now if nil
}

// Create generates or imports a key. If the key is put in use, the one before
// becomes a previously used one in the same transaction, so its tokens stay
// valid. Faults: validation_failed, conflict for a kid that the project has.
func (s *Service) Create(ctx context.Context, actor authz.Actor, ref string, b CreateBody) (*Key, error) {
	p, err := s.Authz.Project(ctx, actor, authz.WriteSigningKeys, ref)
	if err != nil {
		return nil, err
	}
	key, err := b.key()
	if err != nil {
		return nil, err
	}
	dk, err := s.DB.DataKey(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	row, err := controldb.SealSigningKey(dk, p.Ref, key)
	if err != nil {
		return nil, err
	}
	return s.insert(ctx, row)
}

// CreateLegacy generates the HS256 secret that legacy API keys are signed with;
// see controldb.NewLegacySecret. ErrLegacy if there is one, generated or
// imported.
func (s *Service) CreateLegacy(ctx context.Context, actor authz.Actor, ref string) (*Key, error) {
	p, err := s.Authz.Project(ctx, actor, authz.WriteSigningKeys, ref)
	if err != nil {
		return nil, err
	}
	dk, err := s.DB.DataKey(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	row, err := controldb.NewLegacySecret(dk, p.Ref)
	if err != nil {
		return nil, err
	}
	return s.insert(ctx, row)
}

func (s *Service) insert(ctx context.Context, row controldb.SigningKey) (*Key, error) {
	var out Key
	err := s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if err := room(ctx, tx, row.Ref, row.Legacy); err != nil {
			return err
		}
		if row.Status == tenants.KeyInUse {
			if err := tx.RetireSigningKey(ctx, row.Ref); err != nil {
				return err
			}
		}
		created, err := tx.CreateSigningKey(ctx, row)
		if err != nil {
			return err
		}
		out = onWire(created)
		return control.Remember(ctx, tx, out)
	})
	return &out, err
}

// room locks the project and checks that it may have one more key.
func room(ctx context.Context, tx *controldb.Tx, ref tenants.Ref, legacy bool) error {
	if _, err := tx.LockProject(ctx, ref); err != nil {
		return err
	}
	have, err := tx.SigningKeys(ctx, ref)
	if err != nil {
		return err
	}
	if legacy {
		if _, err := controldb.LegacySecret(have); err == nil {
			return ErrLegacy
		}
	}
	if len(have) >= controldb.MaxSigningKeys {
		return controldb.ErrSigningKeyLimit
	}
	return nil
}

// List returns the project's keys, the oldest first.
func (s *Service) List(ctx context.Context, actor authz.Actor, ref string) ([]controldb.SigningKey, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadSigningKeys, ref)
	if err != nil {
		return nil, err
	}
	return s.DB.SigningKeys(ctx, p.Ref)
}

// Legacy returns the key that legacy API keys are signed with;
// controldb.ErrNoSigningKey.
func (s *Service) Legacy(ctx context.Context, actor authz.Actor, ref string) (controldb.SigningKey, error) {
	have, err := s.List(ctx, actor, ref)
	if err != nil {
		return controldb.SigningKey{}, err
	}
	return controldb.LegacySecret(have)
}

// Get returns a key; controldb.ErrNoSigningKey.
func (s *Service) Get(ctx context.Context, actor authz.Actor, ref, id string) (controldb.SigningKey, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadSigningKeys, ref)
	if err != nil {
		return controldb.SigningKey{}, err
	}
	return find(ctx, s.DB, p.Ref, id)
}

// Move changes a key's status. Standby, previously used and revoked can follow
// each other; a revoked key cannot be put in use directly; the key in use
// changes its status only when another one replaces it (ErrInUse). Setting the
// present status changes nothing.
func (s *Service) Move(ctx context.Context, actor authz.Actor, ref, id, status string) (controldb.SigningKey, error) {
	p, err := s.Authz.Project(ctx, actor, authz.WriteSigningKeys, ref)
	if err != nil {
		return controldb.SigningKey{}, err
	}
	var row controldb.SigningKey
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if _, err := tx.LockProject(ctx, p.Ref); err != nil {
			return err
		}
		if row, err = find(ctx, tx, p.Ref, id); err != nil {
			return err
		}
		to := tenants.KeyStatus(status)
		switch {
		case row.Status == to:
			return nil
		case row.Status == tenants.KeyInUse:
			return ErrInUse
		case row.Status == tenants.KeyRevoked && to == tenants.KeyInUse:
			return ErrMove
		case to == tenants.KeyInUse:
			if err := tx.RetireSigningKey(ctx, p.Ref); err != nil {
				return err
			}
		}
		row, err = tx.SetSigningKeyStatus(ctx, p.Ref, row.ID, to)
		return err
	})
	return row, err
}

// Delete removes a key that is on standby or revoked, and returns it.
func (s *Service) Delete(ctx context.Context, actor authz.Actor, ref, id string) (controldb.SigningKey, error) {
	p, err := s.Authz.Project(ctx, actor, authz.WriteSigningKeys, ref)
	if err != nil {
		return controldb.SigningKey{}, err
	}
	var row controldb.SigningKey
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if _, err := tx.LockProject(ctx, p.Ref); err != nil {
			return err
		}
		if row, err = find(ctx, tx, p.Ref, id); err != nil {
			return err
		}
		switch row.Status {
		case tenants.KeyInUse:
			return ErrInUse
		case tenants.KeyPreviouslyUsed:
			return ErrNotRevoked
		}
		return tx.DeleteSigningKey(ctx, p.Ref, row.ID)
	})
	return row, err
}

type finder interface {
	SigningKeyByID(ctx context.Context, ref tenants.Ref, id uuid.UUID) (controldb.SigningKey, error)
}

func find(ctx context.Context, in finder, ref tenants.Ref, id string) (controldb.SigningKey, error) {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return controldb.SigningKey{}, controldb.ErrNoSigningKey
	}
	return in.SigningKeyByID(ctx, ref, parsed)
}
