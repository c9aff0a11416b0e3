package apikey

import (
	"context"
	"errors"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// Legacy reports whether a project accepts legacy JWT keys.
func (s *Service) Legacy(ctx context.Context, actor authz.Actor, ref string) (bool, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadAPIKeys, ref)
	return p.LegacyKeys, err
}

// SetLegacy enables or disables legacy JWT keys. They have the time at which
// they were first enabled, so that they stay the same after a pause. A project
// without a secret to sign them gets one, as on signing-keys/legacy;
// controldb.ErrSigningKeyLimit.
func (s *Service) SetLegacy(ctx context.Context, actor authz.Actor, ref string, on bool) error {
	p, dk, err := s.open(ctx, actor, authz.WriteAPIKeys, ref)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		p, err := tx.LockProject(ctx, p.Ref)
		if err != nil {
			return err
		}
		if on {
			if err := tx.EnsureLegacySecret(ctx, dk, p.Ref); err != nil {
				return err
			}
		}
		if p.LegacyKeys == on {
			return nil
		}
		at := s.Now()
		if p.LegacyKeysAt != nil {
			at = *p.LegacyKeysAt
		}
		return tx.SetLegacyKeys(ctx, p.Ref, on, at)
	})
}

// legacyKeys returns the two legacy keys of a project that has them enabled.
// Only those who may see secrets see the text of the service_role key. After
// their secret was revoked neither has a text.
func (s *Service) legacyKeys(ctx context.Context, actor authz.Actor, p controldb.Project) ([]Key, error) {
	out := []Key{}
	if !p.LegacyKeys || p.LegacyKeysAt == nil {
		return out, nil
	}
	t, err := s.DB.Tenant(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	err = s.Authz.Require(ctx, actor, authz.RevealAPIKeys, p.OrganizationID)
	if err != nil && !errors.Is(err, authz.ErrForbidden) {
		return nil, err
	}
	for _, role := range []tenants.Role{tenants.RoleAnon, tenants.RoleService} {
		id, since := string(role), p.LegacyKeysAt.UTC()
		key := Key{ID: &id, Type: "legacy", Name: id, InsertedAt: &since, UpdatedAt: &since}
		if role == tenants.RoleAnon || err == nil {
			text, err := t.NewLegacyKey(role, since)
			switch {
			case err == nil:
				key.APIKey = &text
			case !errors.Is(err, tenants.ErrNoLegacySecret):
				return nil, err
			}
		}
		out = append(out, key)
	}
	return out, nil
}
