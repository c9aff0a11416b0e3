package apikey

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// MaxKeys is the limit of keys of a project: every process caches them all.
const MaxKeys = 100

// ErrLimit is returned when a project has MaxKeys.
var ErrLimit = fault.New(fault.Conflict, "api_key_limit_reached", "The project has reached its maximum number of API keys")

// Service implements the rules of API keys.
type Service struct {
	DB    *controldb.DB
	Authz *authz.Authorizer
	Now   func() time.Time
	Log   *slog.Logger
}

// Create generates a key. Only this answer has the text of a secret key. A
// taken name is fault conflict.
func (s *Service) Create(ctx context.Context, actor authz.Actor, ref string, b CreateBody) (*Key, error) {
	p, dk, err := s.open(ctx, actor, authz.WriteAPIKeys, ref)
	if err != nil {
		return nil, err
	}
	row, shown, err := controldb.NewAPIKey(s.DB.Hasher(), dk, p.Ref, tenants.KeyType(b.Type), b.Name)
	if err != nil {
		return nil, err
	}
	if row.Description, err = describe(b.Description); err != nil {
		return nil, err
	}
	if err := b.restrict(&row, s.Now()); err != nil {
		return nil, err
	}
	if err := checkTemplate(row.Type, b.SecretJWTTemplate); err != nil {
		return nil, err
	}
	var out Key
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if _, err := tx.LockProject(ctx, p.Ref); err != nil {
			return err
		}
		have, err := tx.APIKeys(ctx, p.Ref)
		if err != nil {
			return err
		}
		if len(have) >= MaxKeys {
			return ErrLimit
		}
		if row, err = tx.CreateAPIKey(ctx, row); err != nil {
			return err
		}
		out = onWire(row, shown)
		return control.Remember(ctx, tx, out)
	})
	return &out, err
}

// List returns the project's keys, starting with the legacy ones if they are
// enabled.
func (s *Service) List(ctx context.Context, actor authz.Actor, ref string) ([]Key, error) {
	p, dk, err := s.open(ctx, actor, authz.ReadAPIKeys, ref)
	if err != nil {
		return nil, err
	}
	out, err := s.legacyKeys(ctx, actor, p)
	if err != nil {
		return nil, err
	}
	rows, err := s.DB.APIKeys(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		key, err := show(row, dk)
		if err != nil {
			return nil, err
		}
		out = append(out, *key)
	}
	return out, nil
}

// Get returns a key; controldb.ErrNoAPIKey.
func (s *Service) Get(ctx context.Context, actor authz.Actor, ref, id string) (*Key, error) {
	p, dk, err := s.open(ctx, actor, authz.ReadAPIKeys, ref)
	if err != nil {
		return nil, err
	}
	row, err := s.find(ctx, s.DB, p.Ref, id)
	if err != nil {
		return nil, err
	}
	return show(row, dk)
}

// Update changes the members in the body; see UpdateBody.
func (s *Service) Update(ctx context.Context, actor authz.Actor, ref, id string, body control.Object) (*Key, error) {
	p, dk, err := s.open(ctx, actor, authz.WriteAPIKeys, ref)
	if err != nil {
		return nil, err
	}
	var row controldb.APIKey
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if _, err := tx.LockProject(ctx, p.Ref); err != nil {
			return err
		}
		if row, err = s.find(ctx, tx, p.Ref, id); err != nil {
			return err
		}
		if row.Successor != nil {
			return ErrReplaced
		}
		if err := change(&row, body, s.Now()); err != nil {
			return err
		}
		row, err = tx.UpdateAPIKey(ctx, row)
		return err
	})
	if err != nil {
		return nil, err
	}
	return show(row, dk)
}

// Delete deletes a key, which is refused everywhere within a second, and
// returns it. The reason for the deletion is logged.
func (s *Service) Delete(ctx context.Context, actor authz.Actor, ref, id string, why Deletion) (*Key, error) {
	p, dk, err := s.open(ctx, actor, authz.WriteAPIKeys, ref)
	if err != nil {
		return nil, err
	}
	var row controldb.APIKey
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if row, err = s.find(ctx, tx, p.Ref, id); err != nil {
			return err
		}
		return tx.DeleteAPIKey(ctx, p.Ref, row.ID)
	})
	if err != nil {
		return nil, err
	}
	s.Log.InfoContext(ctx, "API key deleted", "project", p.Ref, "key", row.ID, "actor", actor.UserID,
		"was_compromised", why.WasCompromised, "reason", why.Reason)
	return show(row, dk)
}

// open returns the project and its data key.
func (s *Service) open(ctx context.Context, actor authz.Actor, action authz.Action, ref string) (controldb.Project, *secret.DataKey, error) {
	p, err := s.Authz.Project(ctx, actor, action, ref)
	if err != nil {
		return p, nil, err
	}
	dk, err := s.DB.DataKey(ctx, p.Ref)
	return p, dk, err
}

type finder interface {
	APIKeyByID(ctx context.Context, ref tenants.Ref, id uuid.UUID) (controldb.APIKey, error)
}

func (s *Service) find(ctx context.Context, in finder, ref tenants.Ref, id string) (controldb.APIKey, error) {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return controldb.APIKey{}, controldb.ErrNoAPIKey
	}
	return in.APIKeyByID(ctx, ref, parsed)
}

func show(row controldb.APIKey, dk *secret.DataKey) (*Key, error) {
	shown, err := row.Text(dk)
	if err != nil {
		return nil, err
	}
	out := onWire(row, shown)
	return &out, nil
}

func describe(s *string) (*string, error) {
	if s == nil {
		return nil, nil
	}
	out, err := text.Name("description", *s, 0, 1024)
	return &out, err
}
