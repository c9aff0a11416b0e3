package passkey

import (
	"context"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// List returns the passkeys of a user, oldest first; never nil.
func (s Service) List(ctx context.Context, sc *tenants.Scope, user uuid.UUID) (list []auth.Passkey, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		list, err = tx.Passkeys(ctx, user)
		return err
	})
	return list, err
}

// Rename names a passkey of the user. auth.ErrPasskeysOff, auth.ErrPasskeyNotFound.
func (s Service) Rename(ctx context.Context, sc *tenants.Scope, p *auth.Principal, id uuid.UUID, name string) (k auth.Passkey, err error) {
	err = s.change(ctx, sc, p, func(tx *tenantdb.Tx, u *auth.User) error {
		if err := tx.RenamePasskey(ctx, u.ID, id, name, s.Sessions.Now()); err != nil {
			return err
		}
		if k, err = tx.PasskeyOf(ctx, u.ID, id); err != nil {
			return err
		}
		return s.audit(ctx, tx, sc, u, auth.ActionPasskeyUpdated, id)
	})
	return k, err
}

// Delete removes a passkey of the user. auth.ErrPasskeysOff,
// auth.ErrPasskeyNotFound, auth.ErrPasskeyAAL.
func (s Service) Delete(ctx context.Context, sc *tenants.Scope, p *auth.Principal, id uuid.UUID) error {
	return s.change(ctx, sc, p, func(tx *tenantdb.Tx, u *auth.User) error {
		if err := checkAAL(&auth.Principal{User: *u, Session: p.Session}); err != nil {
			return err
		}
		existing, err := tx.Passkeys(ctx, u.ID)
		if err != nil {
			return err
		}
		if asks(sc, p, existing) {
			return auth.ErrPasskeyAAL
		}
		if err := s.remove(ctx, tx, u.ID, id); err != nil {
			return err
		}
		return s.audit(ctx, tx, sc, u, auth.ActionPasskeyDeleted, id)
	})
}

// remove deletes a passkey. Sessions that passkeys of the user raised to aal2 go back
// to aal1, because whoever has the lost one may have begun them.
func (s Service) remove(ctx context.Context, tx *tenantdb.Tx, user, id uuid.UUID) error {
	if err := tx.DeletePasskey(ctx, user, id); err != nil {
		return err
	}
	return tx.LowerPasskeySessions(ctx, user, s.Sessions.Now())
}

// change runs fn with the user, locked, in one transaction.
func (s Service) change(ctx context.Context, sc *tenants.Scope, p *auth.Principal, fn func(*tenantdb.Tx, *auth.User) error) error {
	if !sc.Tenant.Config.PasskeyEnabled {
		return auth.ErrPasskeysOff
	}
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		u, err := s.Sessions.Lock(ctx, tx, p)
		if err != nil {
			return err
		}
		return fn(tx, u)
	})
}

// ListOf is List for admins, who may look while passkeys are off; auth.ErrUserNotFound.
func (s Service) ListOf(ctx context.Context, sc *tenants.Scope, user uuid.UUID) (list []auth.Passkey, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		if _, err := tx.UserByID(ctx, user, false); err != nil {
			return err
		}
		list, err = tx.Passkeys(ctx, user)
		return err
	})
	return list, err
}

// DeleteOf removes a passkey of a user, who lost it. auth.ErrUserNotFound,
// auth.ErrPasskeyNotFound.
func (s Service) DeleteOf(ctx context.Context, sc *tenants.Scope, user, id uuid.UUID) error {
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		u, err := tx.UserByID(ctx, user, true)
		if err != nil {
			return err
		}
		if err := s.remove(ctx, tx, u.ID, id); err != nil {
			return err
		}
		return audit.AdminWith(ctx, tx, sc, &u, auth.ActionPasskeyDeleted, traits(id), s.Sessions.Now())
	})
}
