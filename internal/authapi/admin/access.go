package admin

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// What the reference has no admin route for: sessions are ended, and ways to sign in
// taken away.

// Faults of objects of a user.
var (
	ErrChanged        = fault.New(fault.Conflict, "user_changed", "The user has changed in the meantime")
	ErrFactorNotFound = fault.New(fault.NotFound, "factor_not_found", "The user has no such factor")
)

// unchanged returns ErrChanged if a user, who is locked, was written after since.
func unchanged(u *auth.User, since *time.Time) error {
	if since != nil && !u.UpdatedAt.Equal(*since) {
		return ErrChanged
	}
	return nil
}

// change runs fn with a user, locked, in one transaction; auth.ErrUserNotFound.
func (s Service) change(ctx context.Context, sc *tenants.Scope, id uuid.UUID, fn func(*tenantdb.Tx, *auth.User) error) error {
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		u, err := tx.UserByID(ctx, id, true)
		if err != nil {
			return err
		}
		return fn(tx, &u)
	})
}

// EndSessions signs a user out everywhere. auth.ErrUserNotFound.
func (s Service) EndSessions(ctx context.Context, sc *tenants.Scope, id uuid.UUID) error {
	return s.change(ctx, sc, id, func(tx *tenantdb.Tx, u *auth.User) error {
		if err := s.Sessions.End(ctx, tx, sc, u, session.All, session.CauseAdmin); err != nil {
			return err
		}
		return audit.Admin(ctx, tx, sc, u, auth.ActionLogout, s.Now())
	})
}

// EndSession ends one session of a user. auth.ErrUserNotFound, session.ErrNoSuchSession.
func (s Service) EndSession(ctx context.Context, sc *tenants.Scope, id, sessionID uuid.UUID) error {
	return s.change(ctx, sc, id, func(tx *tenantdb.Tx, u *auth.User) error {
		if err := s.Sessions.EndOne(ctx, tx, sc, u, sessionID, session.CauseAdmin); err != nil {
			return err
		}
		return audit.AdminWith(ctx, tx, sc, u, auth.ActionLogout, audit.Traits{"session_id": sessionID.String()}, s.Now())
	})
}

// Unlink removes an identity of a user, as users.Users.Unlink does, whatever the
// project allows its users. auth.ErrUserNotFound, auth.ErrIdentityNotFound,
// auth.ErrLastIdentity.
func (s Service) Unlink(ctx context.Context, sc *tenants.Scope, id, identity uuid.UUID) error {
	return s.change(ctx, sc, id, func(tx *tenantdb.Tx, u *auth.User) error {
		removed, err := s.Users.Unlink(ctx, tx, u, identity)
		if err != nil {
			return err
		}
		return audit.AdminWith(ctx, tx, sc, u, auth.ActionIdentityUnlinked, audit.Traits{
			"identity_id": identity.String(), "provider": removed.Provider, "provider_id": removed.ProviderID,
		}, s.Now())
	})
}

// DeleteFactor removes a second factor of a user, who lost it. Sessions that it raised
// go back to aal1. Recovery codes go with the last other factor: they are never the
// only one. auth.ErrUserNotFound, ErrFactorNotFound.
func (s Service) DeleteFactor(ctx context.Context, sc *tenants.Scope, id, factor uuid.UUID) error {
	return s.changeFactors(ctx, sc, id, func(tx *tenantdb.Tx, u *auth.User, told *mail.Notices) error {
		i := slices.IndexFunc(u.Factors, func(f auth.Factor) bool { return f.ID == factor })
		if i < 0 {
			return ErrFactorNotFound
		}
		removed, rest := u.Factors[i], slices.Delete(slices.Clone(u.Factors), i, i+1)
		if err := s.deleteFactor(ctx, tx, sc, u, told, removed); err != nil {
			return err
		}
		protects := func(f auth.Factor) bool { return f.Verified() && f.Type != auth.FactorRecoveryCode }
		if !protects(removed) || slices.ContainsFunc(rest, protects) {
			return nil
		}
		for _, f := range rest {
			if f.Type != auth.FactorRecoveryCode {
				continue
			}
			if err := s.deleteFactor(ctx, tx, sc, u, told, f); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteRecoveryCodes removes the recovery codes of a user and returns the factor that
// they were. auth.ErrUserNotFound, auth.ErrCodesNotFound.
func (s Service) DeleteRecoveryCodes(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (removed auth.Factor, err error) {
	err = s.changeFactors(ctx, sc, id, func(tx *tenantdb.Tx, u *auth.User, told *mail.Notices) error {
		i := slices.IndexFunc(u.Factors, func(f auth.Factor) bool { return f.Type == auth.FactorRecoveryCode })
		if i < 0 {
			return auth.ErrCodesNotFound
		}
		removed = u.Factors[i]
		return s.deleteFactor(ctx, tx, sc, u, told, removed)
	})
	return removed, err
}

// changeFactors is change for a removal of factors, which users are told of.
func (s Service) changeFactors(ctx context.Context, sc *tenants.Scope, id uuid.UUID, fn func(*tenantdb.Tx, *auth.User, *mail.Notices) error) error {
	told, err := s.Mailer.Notify(ctx, sc, message.FactorUnenrolled)
	if err != nil {
		return err
	}
	err = s.change(ctx, sc, id, func(tx *tenantdb.Tx, u *auth.User) error { return fn(tx, u, told) })
	told.End(err)
	return err
}

// deleteFactor removes a factor of a user, who is locked.
func (s Service) deleteFactor(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, told *mail.Notices, f auth.Factor) error {
	if err := tx.LowerSessions(ctx, u.ID, f.ID, s.Now()); err != nil {
		return err
	}
	if _, err := tx.DeleteFactor(ctx, u.ID, f.ID); err != nil {
		return err
	}
	action := auth.ActionFactorDeleted
	if f.Type == auth.FactorRecoveryCode {
		action = auth.ActionRecoveryCodesDeleted
	}
	if err := audit.AdminWith(ctx, tx, sc, u, action, audit.Traits{"factor_id": f.ID.String()}, s.Now()); err != nil || !f.Verified() {
		return err
	}
	return told.Put(ctx, tx, mail.Notice{Kind: message.FactorUnenrolled, User: u, FactorType: f.Type})
}
