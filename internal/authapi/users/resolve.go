package users

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// FromProvider is what a provider's profile says about the user.
// auth.ErrProviderEmail when it has no usable address and one is required; an
// optional address that is malformed is left out.
func FromProvider(provider string, p *connector.Profile, emailOptional bool) (ProviderUser, error) {
	c := ProviderUser{Identity: Identity{Provider: provider, ProviderID: p.Subject, Data: p.Data}}
	email, err := auth.NormalizeEmail(p.Email)
	if err != nil {
		if !emailOptional {
			return c, auth.ErrProviderEmail.Because(err)
		}
		return c, nil
	}
	c.Email, c.Verified = email, p.EmailVerified
	return c, nil
}

// ProviderUser is an identity provider's description of the user who signed in.
type ProviderUser struct {
	Identity
	Email    string // normalized; "" when the provider sends none
	Verified bool   // the provider has verified that the user owns the address
}

// Resolution is how Resolve came to a user.
type Resolution int

// The resolutions.
const (
	Found   Resolution = iota // the user had the identity
	Linked                    // the user had the address and got the identity
	Created                   // the user is new
)

// String returns the resolution in words of the API.
func (r Resolution) String() string { return [...]string{"found", "linked", "created"}[r] }

// Resolve finds the user that a provider describes, creates one, or refuses.
//
//  1. The user with the identity, if there is one. Their metadata gets what the
//     provider says now; their address stays, whatever the provider says.
//  2. Else the user with the address, if the provider has verified it, gets the
//     identity too. An account with an unproved address may have been
//     created by somebody else: it loses its password, its other identities, its
//     second factors, its sessions and the metadata of a sign-up first.
//  3. Else a new user: auth.ErrSignupDisabled where the project does not allow
//     sign-ups, auth.ErrEmailDomain for an address that it does not take. An
//     address that another user has is left out.
//
// An account that is deleted or of another audience is auth.ErrUserNotFound.
func (s Users) Resolve(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, c ProviderUser) (*auth.User, Resolution, error) {
	u, err := tx.UserByIdentity(ctx, c.Provider, c.ProviderID, true)
	switch {
	case err == nil && u.Gone():
		return nil, Found, auth.ErrUserNotFound
	case err == nil:
		return &u, Found, s.refreshIdentity(ctx, tx, &u, c)
	case !errors.Is(err, auth.ErrUserNotFound):
		return nil, Found, err
	}
	holder, err := c.holder(ctx, tx)
	if err != nil {
		return nil, Found, err
	}
	if holder == nil || !c.Verified {
		u, err := s.register(ctx, tx, sc, c, holder == nil)
		return u, Created, err
	}
	if holder.Gone() {
		return nil, Found, auth.ErrUserNotFound
	}
	return holder, Linked, s.adopt(ctx, tx, sc, holder, c)
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

// refreshIdentity updates the identity and the user's metadata with the
// provider's current data. An address that nobody had proved is confirmed if the
// provider has verified it by now.
func (s Users) refreshIdentity(ctx context.Context, tx *tenantdb.Tx, u *auth.User, c ProviderUser) error {
	for n := range u.Identities {
		row := &u.Identities[n]
		if row.Provider != c.Provider || row.ProviderID != c.ProviderID {
			continue
		}
		if err := tx.UpdateIdentity(ctx, row, s.Now(), c.data()); err != nil {
			return err
		}
	}
	data, err := s.SetUserMetadata(u, c.Data)
	if err != nil {
		return err
	}
	if err := tx.UpdateUser(ctx, u, s.Now(), data); err != nil {
		return err
	}
	if c.Verified && c.Email == u.Email && !u.EmailConfirmed() {
		return s.ConfirmEmail(ctx, tx, u)
	}
	return nil
}

// LinkProvider links an identity to a user who asked for it. An anonymous user
// becomes a permanent one. A user without an address gets the provider's if it is
// verified. auth.ErrIdentityExists; auth.ErrEmailExists if that address belongs
// to another user; auth.ErrEmailDomain.
func (s Users) LinkProvider(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, c ProviderUser) error {
	if err := s.Link(ctx, tx, u, c.Identity); err != nil {
		return err
	}
	changes := []tenantdb.UserChange{tenantdb.NotAnonymous()}
	if u.Email == "" && c.Email != "" && c.Verified {
		if err := AdmitEmail(ctx, sc, c.Email); err != nil {
			return err
		}
		if err := EmailFree(ctx, tx, c.Email, u.ID); err != nil {
			return err
		}
		now := s.Now()
		changes = append(changes, tenantdb.Email(c.Email), tenantdb.EmailConfirmedAt(&now))
	}
	return tx.UpdateUser(ctx, u, s.Now(), changes...)
}

// register creates the user, with the address if it is free.
func (s Users) register(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, c ProviderUser, free bool) (*auth.User, error) {
	if sc.Tenant.Config.DisableSignup {
		return nil, auth.ErrSignupDisabled
	}
	n := New{UserMetadata: c.Data, Identities: []Identity{c.Identity}, SoughtFirst: true}
	if free && c.Email != "" {
		if err := AdmitEmail(ctx, sc, c.Email); err != nil {
			return nil, err
		}
		n.Email, n.EmailConfirmed = c.Email, c.Verified
	}
	u, err := s.Create(ctx, tx, sc, n)
	if err == nil && u.Email != "" && !u.EmailConfirmed() {
		err = tx.BeginSignup(ctx, u.ID, s.Now())
	}
	return u, err
}

// adopt links the identity to the user with the same address, which the
// provider has verified.
func (s Users) adopt(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, c ProviderUser) error {
	if !u.EmailConfirmed() {
		if err := s.vacate(ctx, tx, sc, u); err != nil {
			return err
		}
		if err := s.ConfirmEmail(ctx, tx, u); err != nil {
			return err
		}
	}
	return s.Link(ctx, tx, u, c.Identity)
}

// vacate removes what somebody else may have put into an account whose address
// nobody has proved: every way to sign in, and the metadata of a sign-up. The
// metadata that an admin or SQL wrote stay.
func (s Users) vacate(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User) error {
	origin, err := s.Unproved(ctx, tx, u)
	if err != nil {
		return err
	}
	changes := []tenantdb.UserChange{tenantdb.EncryptedPassword("")}
	if origin.Public {
		if changes, err = (New{}).replacing(u); err != nil {
			return err
		}
	}
	app, err := tenantdb.AppMetadata(auth.ProvidersOf(nil))
	if err != nil {
		return err
	}
	if err := s.evict(ctx, tx, sc, u, nil); err != nil {
		return err
	}
	return s.endFlows(ctx, tx, u, append(changes, app)...)
}

// Enterprise is a user as an enterprise connection describes them, and what the
// connection may do.
type Enterprise struct {
	ProviderUser
	// AppMetadata is written at each sign-in.
	AppMetadata map[string]any
	// NewUserMetadata and NewAppMetadata are of a user who is created.
	NewUserMetadata, NewAppMetadata map[string]any
	Create                          bool // the connection makes users
	// Links reports whether the connection may take over users with an address; nil for no.
	Links func(email string) (bool, error)
}

// ResolveSSO finds the user of an enterprise connection, or creates one. The caller has
// locked the connection with tenantdb.Tx.ShareSSOProvider: its directory, which takes a
// lock of its own, then cannot make the same user at once, and sign-ins do not wait for
// each other. Errors are
// auth.ErrSignupDisabled where project or connection do not allow it, auth.ErrEmailDomain
// for an address that the project does not take. Nobody is found by an address, which may
// be another user's too, except among those whom the connection's directory provisioned,
// and unless the connection may link: then a user who has confirmed the address gets the
// identity. Their metadata gets what the provider says now. An account that is deleted or
// of another audience is auth.ErrUserNotFound, one that the directory has withdrawn is
// auth.ErrSSODeprovisioned.
func (s Users) ResolveSSO(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, c Enterprise) (*auth.User, Resolution, error) {
	u, err := tx.UserByIdentity(ctx, c.Provider, c.ProviderID, true)
	switch {
	case err == nil && u.Gone():
		return nil, Found, auth.ErrUserNotFound
	case err == nil:
		if err := c.mayUse(&u); err != nil {
			return nil, Found, err
		}
		if err := s.tie(ctx, tx, c.ProviderUser, &u); err != nil {
			return nil, Found, err
		}
		if err := withdrawn(ctx, tx, c.ProviderUser, &u); err != nil {
			return nil, Found, err
		}
		if err := s.prove(ctx, tx, &u, c.Identity); err != nil {
			return nil, Found, err
		}
		if err := s.refreshIdentity(ctx, tx, &u, c.ProviderUser); err != nil {
			return nil, Found, err
		}
		return &u, Found, s.stateApp(ctx, tx, &u, c.AppMetadata)
	case !errors.Is(err, auth.ErrUserNotFound):
		return nil, Found, err
	}
	provisioned, entry, err := s.fromDirectory(ctx, tx, c.ProviderUser)
	switch {
	case err != nil:
		return nil, Found, err
	case provisioned != nil:
		return provisioned, Found, s.stateApp(ctx, tx, provisioned, c.AppMetadata)
	}
	link, err := c.links(c.Email)
	if err != nil {
		return nil, Found, err
	}
	if link {
		holder, err := c.holder(ctx, tx)
		if err != nil {
			return nil, Found, err
		}
		if holder != nil && !holder.Gone() && !holder.IsAnonymous && holder.EmailConfirmed() && !byOther(holder, c.Provider) {
			if entry == nil {
				if entry, err = waiting(ctx, tx, c.ProviderUser); err != nil {
					return nil, Found, err
				}
			}
			if err := s.Link(ctx, tx, holder, c.Identity); err != nil {
				return nil, Found, err
			}
			if entry != nil {
				if err := tx.LinkSCIMUser(ctx, *entry, holder.ID); err != nil {
					return nil, Found, err
				}
			}
			return holder, Linked, s.stateApp(ctx, tx, holder, c.AppMetadata)
		}
	}
	if (sc.Tenant.Config.DisableSignup || !c.Create) && entry == nil {
		return nil, Found, auth.ErrSignupDisabled
	}
	if err := AdmitEmail(ctx, sc, c.Email); err != nil {
		return nil, Found, err
	}
	created, err := s.Create(ctx, tx, sc, New{
		Email: c.Email, EmailConfirmed: true, SSO: true, Identities: []Identity{c.Identity}, SoughtFirst: true,
		UserMetadata: over(c.NewUserMetadata, c.Data), AppMetadata: over(c.NewAppMetadata, c.AppMetadata),
	})
	if err == nil && entry != nil {
		err = tx.LinkSCIMUser(ctx, *entry, created.ID)
	}
	return created, Created, err
}

func (c Enterprise) links(email string) (bool, error) {
	if c.Links == nil || email == "" {
		return false, nil
	}
	return c.Links(email)
}

// mayUse checks that the user is the one whom the provider names, and not one whom it names
// otherwise by the same value; auth.ErrSSOSubject. An ordinary user whom a connection was
// linked to it may still sign in if it would link them today; auth.ErrSSODomain.
func (c Enterprise) mayUse(u *auth.User) error {
	for n := range u.Identities {
		if i := &u.Identities[n]; i.Provider == c.Provider && i.ProviderID == c.ProviderID && !c.sameKind(i) {
			return auth.ErrSSOSubject
		}
	}
	if u.IsSSOUser {
		return nil
	}
	link, err := c.links(u.Email)
	if err == nil && !link {
		err = auth.ErrSSODomain.Saying("The account is not one of the connection's domains any more")
	}
	return err
}

// byOther reports whether another connection signs the user in already: tokens name one.
func byOther(u *auth.User, provider string) bool {
	return slices.ContainsFunc(u.Identities, func(i auth.Identity) bool {
		return strings.HasPrefix(i.Provider, auth.SSOPrefix) && i.Provider != provider
	})
}

// stateApp writes what a connection says into app_metadata.
func (s Users) stateApp(ctx context.Context, tx *tenantdb.Tx, u *auth.User, changes map[string]any) error {
	if len(changes) == 0 {
		return nil
	}
	change, err := s.SetAppMetadata(u, changes)
	if err != nil {
		return err
	}
	return tx.UpdateUser(ctx, u, s.Now(), change)
}

// over returns a map with the members of both, those of upper where both have one.
func over(lower, upper map[string]any) map[string]any {
	all := maps.Clone(lower)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, upper)
	return all
}
