package authconfig

import (
	"context"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// Service implements the rules of the auth configuration.
type Service struct {
	DB    *controldb.DB
	Authz *authz.Authorizer
	// CheckTemplate reports whether a text can be a mail's subject or content:
	// message.Checker.Check.
	CheckTemplate func(ctx context.Context, kind message.Kind, subject bool, text string) error
}

// Get returns the configuration in force.
func (s *Service) Get(ctx context.Context, actor authz.Actor, ref string) (Config, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	stored, err := s.DB.AuthConfigVersion(ctx, p.Ref, p.ConfigVersion)
	if err != nil {
		return nil, err
	}
	dk, f, err := s.keys(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	v, err := open(stored, dk)
	if err != nil {
		return nil, err
	}
	return onWire(v, f), nil
}

// Update applies a patch, all of it or nothing, as a new version that is in
// force in every process within a second, and returns the whole configuration.
// A patch that changes nothing creates no version. Concurrent patches are
// applied one after the other: none undoes another's fields. Fault
// validation_failed names a wrong field.
func (s *Service) Update(ctx context.Context, actor authz.Actor, ref string, patch control.Object) (Config, error) {
	p, err := s.Authz.Project(ctx, actor, authz.WriteAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	dk, f, err := s.keys(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	// Checking templates takes processor time: no connection is held for it.
	if err := s.check(ctx, patch); err != nil {
		return nil, err
	}
	var after values
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		p, err := tx.LockProject(ctx, p.Ref)
		if err != nil {
			return err
		}
		stored, err := tx.AuthConfigVersion(ctx, p.Ref, p.ConfigVersion)
		if err != nil {
			return err
		}
		before, err := open(stored, dk)
		if err != nil {
			return err
		}
		if after, err = apply(before, f, patch); err != nil || after.equal(before) {
			return err
		}
		control.Before(ctx, before.only(patch))
		latest, err := tx.LatestAuthConfigVersion(ctx, p.Ref)
		if err != nil {
			return err
		}
		next := controldb.AuthConfig{Ref: p.Ref, Version: latest + 1, Config: after.config, Author: &actor.UserID}
		if err := next.SealSecrets(dk, after.secrets); err != nil {
			return err
		}
		if err := tx.CreateAuthConfig(ctx, next); err != nil {
			return err
		}
		return tx.SetConfigVersion(ctx, p.Ref, next.Version)
	})
	if err != nil {
		return nil, err
	}
	return onWire(after, f), nil
}

// keys returns the keys that decrypt and that fingerprint the project's
// secrets.
func (s *Service) keys(ctx context.Context, ref tenants.Ref) (*secret.DataKey, fingerprinter, error) {
	dk, err := s.DB.DataKey(ctx, ref)
	if err != nil {
		return nil, fingerprinter{}, err
	}
	return dk, fingerprinter{key: dk.Derive("auth setting fingerprint")}, nil
}

func open(stored controldb.AuthConfig, dk *secret.DataKey) (values, error) {
	secrets, err := stored.OpenSecrets(dk)
	return values{config: stored.Config, secrets: secrets}, err
}
