package admin

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service manages users for an admin.
type Service struct {
	Hasher *password.Hasher
	Now    func() time.Time
}

// User gives a user, soft-deleted ones included; auth.ErrUserNotFound.
func (s Service) User(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*auth.User, error) {
	var u auth.User
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		u, err = tx.UserByID(ctx, id, false)
		return err
	})
	return &u, err
}

// Users gives a page of users and the number of all that match.
func (s Service) Users(ctx context.Context, sc *tenants.Scope, p tenantdb.UserPage) (users []auth.User, total int64, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		users, total, err = tx.Users(ctx, p)
		return err
	})
	return users, total, err
}

// Audit gives a page of the audit log and the number of all entries that match.
func (s Service) Audit(ctx context.Context, sc *tenants.Scope, p tenantdb.AuditPage) (list []tenantdb.AuditEntry, total int64, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		list, total, err = tx.AuditEntries(ctx, p)
		return err
	})
	return list, total, err
}

// Create makes a user. auth.ErrValidation, auth.ErrEmailExists,
// auth.ErrPhoneExists, auth.ErrUserExists for a taken id. The project's rules for
// passwords do not apply, as in the reference: an admin may make users with a
// password that they are to change.
func (s Service) Create(ctx context.Context, sc *tenants.Scope, a *Attributes) (*auth.User, error) {
	if a.Email == "" && a.Phone == "" {
		return nil, auth.ErrValidation.Saying("Cannot create a user without either an email or phone")
	}
	c, err := s.check(ctx, sc, a)
	if err != nil {
		return nil, err
	}
	if a.ID != "" {
		id, ok := parseID(a.ID)
		if !ok || id == uuid.Nil {
			return nil, auth.ErrValidation.Saying("id: must be a UUID")
		}
		c.id = id
	}
	now := s.Now()
	u, err := newUser(c, now)
	if err != nil {
		return nil, err
	}
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		if err := tx.CreateUser(ctx, u); err != nil {
			return err
		}
		for i := range u.Identities {
			if err := tx.CreateIdentity(ctx, &u.Identities[i]); err != nil {
				return err
			}
		}
		return Record(ctx, tx, sc, u, "user_signedup", "team", now)
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// newUser makes the user of a change and its identities.
func newUser(c *change, now time.Time) (*auth.User, error) {
	u := auth.NewUser(now)
	if c.id != uuid.Nil {
		u.ID = c.id
	}
	u.Email, u.Phone, u.EncryptedPassword = c.email, c.phone, c.hash
	if c.email != "" && c.emailConfirm {
		u.EmailConfirmedAt = &now
	}
	if c.phone != "" && c.phoneConfirm {
		u.PhoneConfirmedAt = &now
	}
	u.ConfirmedAt = firstOf(u.EmailConfirmedAt, u.PhoneConfirmedAt)
	if err := c.applyPlain(u, now); err != nil {
		return nil, err
	}
	if c.email != "" {
		if err := addEmail(u, now); err != nil {
			return nil, err
		}
	}
	if c.phone != "" {
		if err := addPhone(u, now); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// addEmail gives a new user the identity of the address.
func addEmail(u *auth.User, now time.Time) error {
	meta, err := auth.MergeMetadata(u.UserMetadata, map[string]any{"email_verified": u.EmailConfirmed()})
	if err != nil {
		return err
	}
	u.UserMetadata = meta
	if err := u.AddProvider(auth.ProviderEmail); err != nil {
		return err
	}
	_, err = u.AddEmailIdentity(nil, now)
	return err
}

// applyPlain sets what concerns no address.
func (c *change) applyPlain(u *auth.User, now time.Time) (err error) {
	if c.user != nil {
		if u.UserMetadata, err = auth.MergeMetadata(u.UserMetadata, c.user); err != nil {
			return err
		}
	}
	if c.app != nil {
		if u.AppMetadata, err = auth.MergeMetadata(u.AppMetadata, c.app); err != nil {
			return err
		}
	}
	if c.role != "" {
		u.Role = c.role
	}
	if c.setsBan {
		u.BannedUntil = nil
		if c.ban > 0 {
			until := now.Add(c.ban)
			u.BannedUntil = &until
		}
	}
	return nil
}

// firstOf is what the database generates for confirmed_at.
func firstOf(a, b *time.Time) *time.Time {
	if a == nil || (b != nil && b.Before(*a)) {
		return b
	}
	return a
}

// free refuses an address that somebody else has, before a constraint does.
func free(ctx context.Context, tx *tenantdb.Tx, email string, id uuid.UUID) error {
	other, err := tx.UserByEmail(ctx, email, false)
	switch {
	case errors.Is(err, auth.ErrUserNotFound):
		return nil
	case err != nil:
		return err
	case other.ID != id:
		return auth.ErrEmailExists
	}
	return nil
}
