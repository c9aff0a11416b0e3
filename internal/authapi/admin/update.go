package admin

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Update changes a user and gives it as it is now. auth.ErrUserNotFound, also
// for one that was deleted softly; else as Create.
func (s Service) Update(ctx context.Context, sc *tenants.Scope, id uuid.UUID, a *Attributes) (*auth.User, error) {
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
	had := len(u.Identities)
	if err := c.applyPlain(u, now); err != nil {
		return err
	}
	if err := c.applyEmail(ctx, tx, u, now); err != nil {
		return err
	}
	if err := c.applyPhone(u, now); err != nil {
		return err
	}
	u.ConfirmedAt = firstOf(u.EmailConfirmedAt, u.PhoneConfirmedAt)
	if c.hash != "" {
		if err := s.setPassword(ctx, tx, sc, u, c.hash); err != nil {
			return err
		}
	}
	if err := tx.SaveUser(ctx, u); err != nil {
		return err
	}
	if c.email != "" || c.phone != "" || c.emailConfirm || c.phoneConfirm {
		if err := saveIdentities(ctx, tx, u, had); err != nil {
			return err
		}
	}
	return Record(ctx, tx, sc, u, "user_modified", "user", now)
}

// applyEmail sets and confirms the address. Links mailed to an earlier one die.
func (c *change) applyEmail(ctx context.Context, tx *tenantdb.Tx, u *auth.User, now time.Time) error {
	if c.email != "" && c.email != u.Email {
		if err := free(ctx, tx, c.email, u.ID); err != nil {
			return err
		}
		if err := tx.DeleteTokens(ctx, u.ID); err != nil {
			return err
		}
		u.Email, u.NewEmail, u.EmailChangeConfirmStatus = c.email, "", 0
		if err := setEmailMetadata(u); err != nil {
			return err
		}
		if err := setEmailIdentity(u, now); err != nil {
			return err
		}
	}
	if !c.emailConfirm || u.Email == "" {
		return nil
	}
	u.IsAnonymous = false
	return u.ConfirmEmail(now)
}

// setEmailMetadata makes the address follow that a sign-up left in the metadata.
func setEmailMetadata(u *auth.User) error {
	var meta map[string]json.RawMessage
	_ = json.Unmarshal(u.UserMetadata, &meta) // what is no object has no address
	if _, there := meta["email"]; !there {
		return nil
	}
	merged, err := auth.MergeMetadata(u.UserMetadata, map[string]any{"email": u.Email})
	if err != nil {
		return err
	}
	u.UserMetadata = merged
	return nil
}

// setEmailIdentity makes the identity of provider email follow the address.
func setEmailIdentity(u *auth.User, now time.Time) error {
	i := u.EmailIdentity()
	if i == nil {
		if err := u.AddProvider(auth.ProviderEmail); err != nil {
			return err
		}
		_, err := u.AddEmailIdentity(nil, now)
		return err
	}
	data, err := auth.MergeMetadata(i.Data, map[string]any{"email": u.Email, "email_verified": u.EmailConfirmed()})
	if err != nil {
		return err
	}
	i.Data, i.Email, i.UpdatedAt = data, u.Email, &now
	return nil
}

// applyPhone sets and confirms the phone number.
func (c *change) applyPhone(u *auth.User, now time.Time) error {
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
		return nil
	}
	i := phoneIdentity(u)
	if i == nil {
		return addPhone(u, now)
	}
	data, err := auth.MergeMetadata(i.Data, phoneData(u))
	if err != nil {
		return err
	}
	i.Data, i.UpdatedAt = data, &now
	return nil
}

// setPassword also ends the sessions and the recovery links: whoever had the old
// password is out.
func (s Service) setPassword(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, hash string) error {
	u.EncryptedPassword = hash
	if err := tx.DeleteSessions(ctx, u.ID); err != nil {
		return err
	}
	if err := tx.DeleteTokens(ctx, u.ID, auth.TokenRecovery, auth.TokenReauthentication); err != nil {
		return err
	}
	return Record(ctx, tx, sc, u, "user_updated_password", "user", s.Now())
}

// saveIdentities writes the first had identities, which the database knows, and
// the rest, which it does not.
func saveIdentities(ctx context.Context, tx *tenantdb.Tx, u *auth.User, had int) error {
	for i := range u.Identities {
		id := &u.Identities[i]
		if id.Provider != auth.ProviderEmail && id.Provider != providerPhone {
			continue
		}
		write := tx.SaveIdentity
		if i >= had {
			write = tx.CreateIdentity
		}
		if err := write(ctx, id); err != nil {
			return err
		}
	}
	return nil
}
