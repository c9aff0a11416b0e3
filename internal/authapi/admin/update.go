package admin

import (
	"context"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Update changes a user and returns it as it is now. auth.ErrUserNotFound, also
// for a soft-deleted user; weak_password; else as Create.
func (s Service) Update(ctx context.Context, sc *tenants.Scope, id uuid.UUID, a *Attributes) (*auth.User, error) {
	if a.Password != nil {
		if err := s.Strength.Check(ctx, sc, *a.Password); err != nil {
			return nil, err
		}
	}
	c, err := s.check(ctx, sc, a)
	if err != nil {
		return nil, err
	}
	var u auth.User
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		locked, err := tx.UserByID(ctx, id, true)
		if err != nil {
			return err
		}
		if locked.DeletedAt != nil {
			return auth.ErrUserNotFound
		}
		if err := unchanged(&locked, a.Unchanged); err != nil {
			return err
		}
		if err := s.apply(ctx, tx, sc, &locked, c); err != nil {
			return err
		}
		u, err = tx.Settle(ctx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &u, nil
}

func (s Service) apply(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, c *change) error {
	if err := s.applyPlain(ctx, tx, sc, u, c); err != nil {
		return err
	}
	if c.email != "" && c.email != u.Email {
		if err := s.ChangeEmail(ctx, tx, u, c.email, false); err != nil {
			return err
		}
	}
	if c.emailConfirm && u.Email != "" {
		if err := s.DropContestedPassword(ctx, tx, u); err != nil {
			return err
		}
		confirm := s.AssumeEmail
		if c.email != "" { // the identity changes with what the admin says of it
			confirm = s.ConfirmEmail
		}
		if err := confirm(ctx, tx, u, tenantdb.NotAnonymous()); err != nil {
			return err
		}
	}
	if c.phone != "" || c.phoneConfirm {
		if err := s.ChangePhone(ctx, tx, u, c.phone, c.phoneConfirm); err != nil {
			return err
		}
	}
	if c.hash != "" {
		if err := s.SetPassword(ctx, tx, sc, u, c.hash, session.All, audit.Admin); err != nil {
			return err
		}
		// The account is the admin's from here on: no sign-up replaces it.
		if err := tx.EndSignups(ctx, u.ID); err != nil {
			return err
		}
	}
	return audit.Admin(ctx, tx, sc, u, auth.ActionUserModified, s.Now())
}

// applyPlain writes everything except addresses and the password. A ban ends the
// sessions: neither access tokens nor policies can be asked about it.
func (s Service) applyPlain(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, c *change) error {
	now := s.Now()
	var changes []tenantdb.UserChange
	if c.user != nil {
		data, err := s.SetUserMetadata(u, c.user)
		if err != nil {
			return err
		}
		changes = append(changes, data)
	}
	if c.app != nil {
		data, err := s.SetAppMetadata(u, c.app)
		if err != nil {
			return err
		}
		changes = append(changes, data)
	}
	if c.role != "" {
		changes = append(changes, tenantdb.Role(c.role))
	}
	if c.setsBan {
		changes = append(changes, tenantdb.BannedUntil(c.bannedUntil(now)))
	}
	if err := tx.UpdateUser(ctx, u, now, changes...); err != nil {
		return err
	}
	if c.bannedUntil(now) == nil {
		return nil
	}
	return s.Sessions.End(ctx, tx, sc, u, session.All, session.CauseBanned)
}
