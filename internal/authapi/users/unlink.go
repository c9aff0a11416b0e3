package users

import (
	"context"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Unlink removes an identity of a user, who keeps at least one. Without the
// identity of the e-mail address the password is gone too, and the verified address
// of another identity takes its place; without that of the phone number, the number.
// auth.ErrIdentityNotFound; auth.ErrLastIdentity; auth.ErrEmailExists when the
// other address belongs to another user.
func (s Users) Unlink(ctx context.Context, tx *tenantdb.Tx, u *auth.User, id uuid.UUID) (*auth.Identity, error) {
	removed, rest := splitIdentities(u.Identities, id)
	switch {
	case removed == nil:
		return nil, auth.ErrIdentityNotFound
	case len(rest) == 0:
		return nil, auth.ErrLastIdentity
	}
	if err := tx.DeleteIdentity(ctx, u.ID, id); err != nil {
		return nil, err
	}
	u.Identities = rest
	app, err := tenantdb.AppMetadata(auth.ProvidersOf(rest))
	if err != nil {
		return nil, err
	}
	changes := []tenantdb.UserChange{app}
	switch removed.Provider {
	case auth.ProviderPhone:
		changes = append(changes, tenantdb.Phone(""), tenantdb.PhoneConfirmedAt(nil))
	case auth.ProviderEmail:
		changes = append(changes, tenantdb.EncryptedPassword(""))
		moved, err := otherAddress(ctx, tx, u, rest)
		if err != nil {
			return nil, err
		}
		changes = append(changes, moved...)
	}
	if err := tx.UpdateUser(ctx, u, s.Now(), changes...); err != nil {
		return nil, err
	}
	return removed, tx.DeleteTokens(ctx, u.ID)
}

func splitIdentities(all []auth.Identity, id uuid.UUID) (removed *auth.Identity, rest []auth.Identity) {
	for i := range all {
		if all[i].ID == id {
			removed = &all[i]
			continue
		}
		rest = append(rest, all[i])
	}
	return removed, rest
}

// otherAddress is the change to the address of the user's oldest other identity
// that has a verified one; without one the user has no address any more. What an
// identity says unverified, and what the user has written into that of a number, may
// be somebody else's address, who would be led into the account.
func otherAddress(ctx context.Context, tx *tenantdb.Tx, u *auth.User, rest []auth.Identity) ([]tenantdb.UserChange, error) {
	for i := range rest {
		email, err := auth.NormalizeEmail(rest[i].Email)
		if err != nil || rest[i].Provider == auth.ProviderPhone || !rest[i].EmailVerified() {
			continue
		}
		if email == u.Email {
			return nil, nil
		}
		if err := EmailFree(ctx, tx, email, u.ID); err != nil {
			return nil, err
		}
		return []tenantdb.UserChange{tenantdb.Email(email)}, nil
	}
	return []tenantdb.UserChange{tenantdb.Email(""), tenantdb.EmailConfirmedAt(nil), tenantdb.NewEmail("")}, nil
}
