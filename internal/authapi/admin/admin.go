package admin

import (
	"context"
	"maps"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/strength"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service manages users on behalf of an admin.
type Service struct {
	users.Users
	Hasher   *password.Hasher
	Strength strength.Checker
	// Mailer tells users what an admin did to their factors.
	Mailer *mail.Mailer
}

// User returns a user, soft-deleted ones included; auth.ErrUserNotFound.
func (s Service) User(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*auth.User, error) {
	var u auth.User
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		u, err = tx.UserByID(ctx, id, false)
		return err
	})
	return &u, err
}

// List returns a page of users and the number of all that match.
func (s Service) List(ctx context.Context, sc *tenants.Scope, p tenantdb.UserPage) (list []auth.User, total int64, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		list, total, err = tx.Users(ctx, p)
		return err
	})
	return list, total, err
}

// Audit returns a page of the audit log and the number of all entries that match.
func (s Service) Audit(ctx context.Context, sc *tenants.Scope, p tenantdb.AuditPage) (list []tenantdb.AuditEntry, total int64, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		list, total, err = tx.AuditEntries(ctx, p)
		return err
	})
	return list, total, err
}

// Create creates a user. auth.ErrValidation, auth.ErrEmailExists,
// auth.ErrPhoneExists, auth.ErrUserExists for a taken id. The project's
// password rules do not apply, as in the reference: an admin may set a password
// that the user is to change.
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
	var u auth.User
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		made, err := s.Users.Create(ctx, tx, sc, c.newUser(s.Now()))
		if err != nil {
			return err
		}
		if err := audit.Admin(ctx, tx, sc, made, auth.ActionUserSignedUp, s.Now()); err != nil {
			return err
		}
		u, err = tx.Settle(ctx, made.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &u, nil
}

// newUser is the user to create, with the identities of their addresses.
func (c *change) newUser(now time.Time) users.New {
	n := users.New{
		ByAdmin: true, ID: c.id, Email: c.email, Phone: c.phone, EmailConfirmed: c.emailConfirm, PhoneConfirmed: c.phoneConfirm,
		Password: c.hash, Role: c.role, BannedUntil: c.bannedUntil(now), AppMetadata: c.app, UserMetadata: c.user,
	}
	if c.email != "" {
		n.Identities = append(n.Identities, users.EmailIdentity(c.email, nil))
		if c.emailConfirm {
			n.UserMetadata = maps.Clone(n.UserMetadata)
			if n.UserMetadata == nil {
				n.UserMetadata = map[string]any{}
			}
			n.UserMetadata["email_verified"] = true
		}
	}
	if c.phone != "" {
		n.Identities = append(n.Identities, users.PhoneIdentity(c.phone))
	}
	return n
}

// bannedUntil is the end of the requested ban; nil for none.
func (c *change) bannedUntil(now time.Time) *time.Time {
	if c.ban <= 0 {
		return nil
	}
	until := now.Add(c.ban)
	return &until
}
