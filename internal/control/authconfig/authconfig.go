package authconfig

import (
	"context"
	"errors"
	"time"

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
	// WaysIn counts users for the warnings of a dry run; nil for no count.
	WaysIn WaysIn
	Trials Trials
	Now    func() time.Time
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
	control.SetETag(ctx, p.ConfigVersion)
	return onWire(v, f), nil
}

// Update applies a patch, all of it or nothing, as a new version that is in
// force in every process within a second, and returns the whole configuration.
// A patch that changes nothing creates no version. Concurrent patches are
// applied one after the other: none undoes another's fields. With a dry run it
// returns a Preview. Faults: validation_failed names a wrong field,
// auth_config_changed.
func (s *Service) Update(ctx context.Context, actor authz.Actor, ref string, patch control.Object, terms Terms) (any, error) {
	p, err := s.Authz.Project(ctx, actor, authz.WriteAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	// Checking templates takes processor time: no connection is held for it.
	if err := s.check(ctx, patch); err != nil {
		return nil, err
	}
	return s.change(ctx, actor, p.Ref, terms, func(_ *controldb.Tx, k keys, before values) (values, map[string]any, error) {
		after, err := apply(before, k.fingerprints, patch)
		after.config.BeginMFAPolicy(&before.config, s.Now())
		return after, before.only(patch), err
	})
}

// errDryRun ends the transaction of a dry run.
var errDryRun = errors.New("dry run")

// change makes a new version of the values in force, unless it is the same. to
// returns the values, and what the audit log has of those before.
func (s *Service) change(ctx context.Context, actor authz.Actor, ref tenants.Ref, terms Terms,
	to func(tx *controldb.Tx, k keys, before values) (values, map[string]any, error),
) (any, error) {
	expected, err := terms.check()
	if err != nil {
		return nil, err
	}
	var k keys
	if k.data, k.fingerprints, err = s.keys(ctx, ref); err != nil {
		return nil, err
	}
	var before, after values
	var version int
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		p, err := tx.LockProject(ctx, ref)
		if err != nil {
			return err
		}
		version = p.ConfigVersion
		if expected != 0 && expected != version {
			return ErrStale
		}
		stored, err := tx.AuthConfigVersion(ctx, p.Ref, p.ConfigVersion)
		if err != nil {
			return err
		}
		if before, err = open(stored, k.data); err != nil {
			return err
		}
		var changed map[string]any
		if after, changed, err = to(tx, k, before); err != nil {
			return err
		}
		if p.Platform {
			if err := checkPlatform(&after.config); err != nil {
				return err
			}
		}
		if terms.DryRun {
			return errDryRun
		}
		if after.equal(before) {
			return nil
		}
		control.Before(ctx, changed)
		latest, err := tx.LatestAuthConfigVersion(ctx, p.Ref)
		if err != nil {
			return err
		}
		version = latest + 1
		next := controldb.AuthConfig{Ref: p.Ref, Version: version, Config: after.config, Author: &actor.UserID, Reason: terms.Reason}
		if err := next.SealSecrets(k.data, after.secrets); err != nil {
			return err
		}
		return tx.ChangeAuthConfig(ctx, next)
	})
	control.SetETag(ctx, version)
	switch {
	case errors.Is(err, errDryRun):
		control.DryRun(ctx)
		return Preview{
			DryRun: true, Version: version, Changes: differences(before, after, k.fingerprints),
			Warnings: s.warnings(ctx, ref, before, after),
		}, nil
	case err != nil:
		return nil, err
	}
	return onWire(after, k.fingerprints), nil
}

// keys are the keys that decrypt and that fingerprint the project's secrets.
type keys struct {
	data         *secret.DataKey
	fingerprints fingerprinter
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
