package authconfig

import (
	"context"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// Service is the rules of the auth configuration.
type Service struct {
	DB    *controldb.DB
	Authz *authz.Authorizer
	// CheckTemplate tells whether a text can be a mail's subject or content:
	// message.CheckTemplate.
	CheckTemplate func(kind message.Kind, subject bool, text string) error
}

// Get gives the configuration in force.
func (s *Service) Get(ctx context.Context, actor authz.Actor, ref string) (tenants.Config, controldb.AuthSecrets, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadAuthConfig, ref)
	if err != nil {
		return tenants.Config{}, controldb.AuthSecrets{}, err
	}
	stored, err := s.DB.AuthConfigVersion(ctx, p.Ref, p.ConfigVersion)
	if err != nil {
		return tenants.Config{}, controldb.AuthSecrets{}, err
	}
	dk, err := s.DB.DataKey(ctx, p.Ref)
	if err != nil {
		return tenants.Config{}, controldb.AuthSecrets{}, err
	}
	secrets, err := stored.OpenSecrets(dk)
	return stored.Config, secrets, err
}

// Update applies a patch, all of it or nothing, as a new version that is in
// force in every process within a second. A patch that changes nothing makes no
// version. Concurrent patches follow each other: none undoes another's fields.
// Fault validation_failed names the first wrong field.
func (s *Service) Update(ctx context.Context, actor authz.Actor, ref string, patch control.Object) (config tenants.Config, secrets controldb.AuthSecrets, err error) {
	p, err := s.Authz.Project(ctx, actor, authz.WriteAuthConfig, ref)
	if err != nil {
		return config, secrets, err
	}
	dk, err := s.DB.DataKey(ctx, p.Ref)
	if err != nil {
		return config, secrets, err
	}
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		p, err := tx.LockProject(ctx, p.Ref)
		if err != nil {
			return err
		}
		stored, err := tx.AuthConfigVersion(ctx, p.Ref, p.ConfigVersion)
		if err != nil {
			return err
		}
		before, err := stored.OpenSecrets(dk)
		if err != nil {
			return err
		}
		if config, secrets, err = s.apply(stored.Config, before, patch); err != nil {
			return err
		}
		if config == stored.Config && secrets == before {
			return nil
		}
		latest, err := tx.LatestAuthConfigVersion(ctx, p.Ref)
		if err != nil {
			return err
		}
		next := controldb.AuthConfig{Ref: p.Ref, Version: latest + 1, Config: config, Author: &actor.UserID}
		if err := next.SealSecrets(dk, secrets); err != nil {
			return err
		}
		if err := tx.CreateAuthConfig(ctx, next); err != nil {
			return err
		}
		return tx.SetConfigVersion(ctx, p.Ref, next.Version)
	})
	return config, secrets, err
}
