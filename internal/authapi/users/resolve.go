package users

import (
	"context"
	"errors"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// ProviderUser is an identity provider's description of the user who signed in.
type ProviderUser struct {
	Identity
	Email    string // normalized; "" when the provider sends none
	Verified bool   // the provider has verified that the user owns the address
}

// Resolve finds the user that a provider describes, creates one, or refuses.
//
//  1. The user with the identity, if there is one.
//  2. Else the user with the address, if the provider has verified it, gets the
//     identity too. An account with an unproved address may have been
//     created by somebody else: it loses its password, its other identities, its
//     second factors and its sessions first.
//  3. Else a new user: auth.ErrSignupDisabled where the project does not allow
//     sign-ups. An address that another user has is left out.
//
// An account that is deleted or of another audience is auth.ErrUserNotFound.
func (s Users) Resolve(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, c ProviderUser) (*auth.User, error) {
	u, err := tx.UserByIdentity(ctx, c.Provider, c.ProviderID, true)
	switch {
	case err == nil && u.Gone():
		return nil, auth.ErrUserNotFound
	case err == nil:
		return &u, s.refreshIdentity(ctx, tx, &u, c.Identity)
	case !errors.Is(err, auth.ErrUserNotFound):
		return nil, err
	}
	holder, err := c.holder(ctx, tx)
	if err != nil {
		return nil, err
	}
	if holder == nil || !c.Verified {
		return s.register(ctx, tx, sc, c, holder == nil)
	}
	if holder.Gone() {
		return nil, auth.ErrUserNotFound
	}
	return holder, s.adopt(ctx, tx, sc, holder, c)
}

// holder returns the user with the provider's address, locked; nil when there
// is none.
func (c ProviderUser) holder(ctx context.Context, tx *tenantdb.Tx) (*auth.User, error) {
	if c.Email == "" {
		return nil, nil
	}
	u, err := tx.UserByEmail(ctx, c.Email, true)
	if errors.Is(err, auth.ErrUserNotFound) {
		return nil, nil
	}
	return &u, err
}

// refreshIdentity updates the identity with the provider's current data.
func (s Users) refreshIdentity(ctx context.Context, tx *tenantdb.Tx, u *auth.User, i Identity) error {
	for n := range u.Identities {
		row := &u.Identities[n]
		if row.Provider == i.Provider && row.ProviderID == i.ProviderID {
			return tx.UpdateIdentity(ctx, row, s.Now(), i.Data)
		}
	}
	return nil
}

// register creates the user, with the address if it is free.
func (s Users) register(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, c ProviderUser, free bool) (*auth.User, error) {
	if sc.Tenant.Config.DisableSignup {
		return nil, auth.ErrSignupDisabled
	}
	n := New{UserMetadata: c.Data, Identities: []Identity{c.Identity}, SoughtFirst: true}
	if free {
		n.Email, n.EmailConfirmed = c.Email, c.Verified
	}
	return s.Create(ctx, tx, sc, n)
}

// adopt links the identity to the user with the same address, which the
// provider has verified.
func (s Users) adopt(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, c ProviderUser) error {
	if !u.EmailConfirmed() {
		if err := s.evict(ctx, tx, sc, u, nil); err != nil {
			return err
		}
		if err := s.endFlows(ctx, tx, u, tenantdb.EncryptedPassword(""), tenantdb.OnlyMetadata(nil, nil)); err != nil {
			return err
		}
		if err := s.ConfirmEmail(ctx, tx, u); err != nil {
			return err
		}
	}
	return s.Link(ctx, tx, u, c.Identity)
}
