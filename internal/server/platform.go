package server

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// The initial contents of every installation. The platform project is an
// ordinary project; its users are the users of the dashboard and the Management
// API, and the operator is the first of them.
const (
	platformName  = "Reeve"
	platformSlug  = "reeve"
	firstOrg      = "Default"
	firstOrgSlug  = "default"
	operatorEmail = "operator@reeve.localhost"
)

// ensurePlatform creates the platform project, the operator and a first
// organization if they are missing. Each step can be repeated; replicas that
// start at the same time take turns.
func (s *Server) ensurePlatform(ctx context.Context) error {
	unlock, err := s.lockPlatform(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := s.ensurePlatformProject(ctx)
	if err != nil {
		return fmt.Errorf("platform project: %w", err)
	}
	if err := s.ensureSite(ctx, p.Ref); err != nil {
		return fmt.Errorf("site of the platform project: %w", err)
	}
	operator, err := s.ensureOperator(ctx, p.Ref)
	if err != nil {
		return fmt.Errorf("operator: %w", err)
	}
	return s.ensureOrganization(ctx, firstOrgSlug, firstOrg, operator)
}

// lockPlatform waits for the advisory lock of the control database.
func (s *Server) lockPlatform(ctx context.Context) (unlock func(), err error) {
	conn, err := s.control.Pool().Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("platform lock: %w", err)
	}
	const call = "(pg_catalog.hashtextextended('reeve platform', 0))"
	if _, err := conn.Exec(ctx, "SELECT pg_catalog.pg_advisory_lock"+call); err != nil {
		conn.Release()
		return nil, fmt.Errorf("platform lock: %w", err)
	}
	return func() {
		if _, err := conn.Exec(context.WithoutCancel(ctx), "SELECT pg_catalog.pg_advisory_unlock"+call); err != nil {
			_ = conn.Conn().Close(context.WithoutCancel(ctx)) // the server releases the lock then
		}
		conn.Release()
	}, nil
}

func (s *Server) ensurePlatformProject(ctx context.Context) (controldb.Project, error) {
	p, err := s.control.PlatformProject(ctx)
	if !errors.Is(err, controldb.ErrNoProject) {
		return p, err
	}
	if err := s.ensureOrganization(ctx, platformSlug, platformName, uuid.Nil); err != nil {
		return p, err
	}
	org, err := s.control.OrganizationBySlug(ctx, platformSlug)
	if err != nil {
		return p, err
	}
	created, err := s.provision.Create(ctx, provision.NewProject{OrganizationID: org.ID, Name: platformName, Platform: true})
	return created.Project, err
}

// ensureSite makes the main host the site of the platform project, where mailed
// links lead to, unless it has one that is not the default of new projects. In a new
// installation recovery codes and passkeys come on.
func (s *Server) ensureSite(ctx context.Context, platform tenants.Ref) error {
	dk, err := s.control.DataKey(ctx, platform)
	if err != nil {
		return err
	}
	return s.control.Tx(ctx, func(tx *controldb.Tx) error {
		p, err := tx.LockProject(ctx, platform)
		if err != nil {
			return err
		}
		stored, err := tx.AuthConfigVersion(ctx, platform, p.ConfigVersion)
		if err != nil {
			return err
		}
		first, unset := p.ConfigVersion == 1, stored.Config.SiteURL == tenants.DefaultConfig().SiteURL
		if !first && !unset {
			return nil
		}
		latest, err := tx.LatestAuthConfigVersion(ctx, platform)
		if err != nil {
			return err
		}
		secrets, err := stored.OpenSecrets(dk)
		if err != nil {
			return err
		}
		next := controldb.AuthConfig{Ref: platform, Version: latest + 1, Config: stored.Config, Reason: "the dashboard is at the main host"}
		if unset {
			next.Config.SiteURL = s.config.HTTP.Origin()
		}
		if first { // people can protect their accounts in each way that the dashboard has
			next.Config.RecoveryEnroll, next.Config.RecoveryVerify, next.Config.PasskeyEnabled = true, true, true
		}
		if err := next.SealSecrets(dk, secrets); err != nil {
			return err
		}
		if err := tx.CreateAuthConfig(ctx, next); err != nil {
			return err
		}
		return tx.SetConfigVersion(ctx, platform, next.Version)
	})
}

// ensureOperator returns the first operator's id. Where there is none, it creates
// one without a password: they use an access token, and get a password by a setup
// link or by recovery.
func (s *Server) ensureOperator(ctx context.Context, platform tenants.Ref) (uuid.UUID, error) {
	operators, err := s.control.Operators(ctx)
	if err != nil {
		return uuid.Nil, err
	}
	t, err := s.registry.Tenant(ctx, platform)
	if err != nil {
		return uuid.Nil, err
	}
	var id uuid.UUID
	err = s.Database(t).Tx(ctx, func(tx *tenantdb.Tx) error {
		id, err = s.firstOperator(ctx, tx, operators)
		return err
	})
	if err != nil || slices.ContainsFunc(operators, func(o controldb.Operator) bool { return o.UserID == id }) {
		return id, err
	}
	return id, s.control.Tx(ctx, func(tx *controldb.Tx) error { return tx.AddOperator(ctx, id, nil) })
}

// firstOperator returns the first of the operators who has a user, or creates the
// user of the first start.
func (s *Server) firstOperator(ctx context.Context, tx *tenantdb.Tx, operators []controldb.Operator) (uuid.UUID, error) {
	for _, o := range operators {
		if u, err := tx.UserByID(ctx, o.UserID, false); err == nil && !u.Gone() {
			return u.ID, nil
		} else if err != nil && !errors.Is(err, auth.ErrUserNotFound) {
			return uuid.Nil, err
		}
	}
	u, err := tx.UserByEmail(ctx, operatorEmail, false)
	if err == nil || !errors.Is(err, auth.ErrUserNotFound) {
		return u.ID, err
	}
	created, err := users.Users{Now: s.now}.Create(ctx, tx, nil, users.New{
		Email: operatorEmail, EmailConfirmed: true,
		Identities: []users.Identity{users.EmailIdentity(operatorEmail, nil)}, SoughtFirst: true,
	})
	if err != nil {
		return uuid.Nil, err
	}
	return created.ID, nil
}

// platformUser returns a user of the platform project; auth.ErrUserNotFound.
func (s *Server) platformUser(ctx context.Context, id uuid.UUID) (u auth.User, err error) {
	p, err := s.control.PlatformProject(ctx)
	if err != nil {
		return u, err
	}
	t, err := s.registry.Tenant(ctx, p.Ref)
	if err != nil {
		return u, err
	}
	err = s.Database(t).Tx(ctx, func(tx *tenantdb.Tx) error {
		u, err = tx.UserByID(ctx, id, false)
		return err
	})
	return u, err
}

// platformUsers returns those of the users of the platform project that exist, by
// id. They have no identities and factors.
func (s *Server) platformUsers(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]auth.User, error) {
	out := make(map[uuid.UUID]auth.User, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	sc, err := s.platformScope(ctx)
	if err != nil {
		return nil, err
	}
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		found, err := tx.UsersByID(ctx, ids)
		for _, u := range found {
			out[u.ID] = u
		}
		return err
	})
	return out, err
}

// secondFactors reports which of the users of the platform project have a second
// factor: a verified one, or a passkey where a sign-in with one counts as two.
func (s *Server) secondFactors(ctx context.Context, ids []uuid.UUID) (out map[uuid.UUID]bool, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	sc, err := s.platformScope(ctx)
	if err != nil {
		return nil, err
	}
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		out, err = tx.SecondFactors(ctx, ids, sc.Tenant.Config.PasskeyCounts())
		return err
	})
	return out, err
}

// ensureOrganization creates an organization, with an owner if there is one.
func (s *Server) ensureOrganization(ctx context.Context, slug, name string, owner uuid.UUID) error {
	if taken, err := s.control.SlugTaken(ctx, slug); err != nil || taken { // or deleted
		return err
	}
	return s.control.Tx(ctx, func(tx *controldb.Tx) error {
		org, err := tx.CreateOrganization(ctx, controldb.Organization{
			Slug: slug, Name: name, MaxProjects: s.config.Limits.MaxProjectsPerOrganization,
			MaxEphemeral: s.config.Limits.MaxEphemeralPerOrganization,
		})
		if err != nil || owner == uuid.Nil {
			return err
		}
		return tx.AddMember(ctx, org.ID, owner, controldb.Owner)
	})
}

// CheckToken reports whether an access token of the Management API is valid.
func (s *Server) CheckToken(ctx context.Context, token string) bool {
	_, err := s.control.AccessTokenByText(ctx, token)
	return err == nil
}
