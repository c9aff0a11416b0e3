package admin

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Update changes a user and gives it as it is now. auth.ErrUserNotFound, also
// for one that was deleted softly; weak_password; else as Create.
func (s Service) Update(ctx context.Context, sc *tenants.Scope, id uuid.UUID, a *Attributes) (*auth.User, error) {
	if a.Password != nil {
		if err := password.PolicyOf(&sc.Tenant.Config).Check(*a.Password); err != nil {
			return nil, err
		}
	}
	c, err := s.check(ctx, sc, a)
	if err != nil {
		return nil, err
	}
	var u auth.User
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		if u, err = tx.UserByID(ctx, id, true); err != nil {
			return err
		}
		if u.DeletedAt != nil {
			return auth.ErrUserNotFound
		}
		return s.apply(ctx, tx, sc, &u, c)
	})
	if err != nil {
		return nil, err
	}
	return &u, nil
}

func (s Service) apply(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, c *change) error {
	now := s.Now()
	u.UpdatedAt = now
	if err := c.applyPlain(u, now); err != nil {
		return err
	}
	moved, err := c.applyEmail(ctx, tx, u, now)
	if err != nil {
		return err
	}
	phone, err := c.applyPhone(u, now)
	if err != nil {
		return err
	}
	u.ConfirmedAt = firstOf(u.EmailConfirmedAt, u.PhoneConfirmedAt)
	if c.hash != "" {
		if err := s.setPassword(ctx, tx, sc, u, c.hash); err != nil {
			return err
		}
	}
	save := tx.SaveUser
	switch {
	case moved:
		save = tx.ChangeEmail
	case c.emailConfirm:
		save = tx.SaveEmail
	}
	if err := save(ctx, u); err != nil {
		return err
	}
	if phone != nil {
		if err := tx.PutIdentity(ctx, phone); err != nil {
			return err
		}
	}
	return Record(ctx, tx, sc, u, "user_modified", "user", now)
}

// applyEmail sets and confirms the address. moved means that it is another one.
func (c *change) applyEmail(ctx context.Context, tx *tenantdb.Tx, u *auth.User, now time.Time) (moved bool, err error) {
	if moved = c.email != "" && c.email != u.Email; moved {
		if err := free(ctx, tx, c.email, u.ID); err != nil {
			return false, err
		}
		if err := u.SetEmail(c.email, now); err != nil {
			return false, err
		}
	}
	if !c.emailConfirm || u.Email == "" {
		return moved, nil
	}
	u.IsAnonymous = false
	return moved, u.ConfirmEmail(now)
}

// applyPhone sets and confirms the phone number, and gives its identity if that
// is to be written.
func (c *change) applyPhone(u *auth.User, now time.Time) (*auth.Identity, error) {
	if c.phone != "" {
		u.Phone = c.phone
	}
	if c.phoneConfirm && u.Phone != "" {
		u.IsAnonymous = false
		if u.PhoneConfirmedAt == nil {
			u.PhoneConfirmedAt = &now
		}
	}
	if c.phone == "" && !c.phoneConfirm || u.Phone == "" {
		return nil, nil
	}
	i := phoneIdentity(u)
	if i == nil {
		err := addPhone(u, now)
		return phoneIdentity(u), err
	}
	data, err := auth.MergeMetadata(i.Data, phoneData(u))
	if err != nil {
		return nil, err
	}
	i.Data, i.UpdatedAt = data, &now
	return i, nil
}

// setPassword also ends the sessions and everything that was begun: whoever had
// the old password is out.
func (s Service) setPassword(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, hash string) error {
	u.EncryptedPassword = hash
	if err := tx.DeleteSessions(ctx, u.ID); err != nil {
		return err
	}
	u.ForgetFlows()
	if err := tx.EndFlows(ctx, u.ID); err != nil {
		return err
	}
	return Record(ctx, tx, sc, u, "user_updated_password", "user", s.Now())
}
