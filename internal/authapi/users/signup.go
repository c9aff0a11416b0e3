package users

import (
	"context"
	"reflect"
	"slices"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// SignedUp is the user of a sign-up. The identity's data are also the user's
// metadata. With confirmed, the address in them counts as verified.
func SignedUp(id uuid.UUID, email string, data map[string]any, hash string, confirmed bool) New {
	n := signedUpWith(id, EmailIdentity(email, data), hash)
	n.Email, n.EmailConfirmed = email, confirmed
	n.UserMetadata["email_verified"] = confirmed
	return n
}

// signedUpWith is the user of a sign-up with this identity, without its contact.
func signedUpWith(id uuid.UUID, identity Identity, hash string) New {
	metadata := map[string]any{"sub": id.String()}
	for name, value := range identity.Data {
		if name != "sub" {
			metadata[name] = value
		}
	}
	return New{ID: id, Password: hash, UserMetadata: metadata, Identities: []Identity{identity}, SoughtFirst: true}
}

// Unproved says who may have put into an unconfirmed account what it holds,
// above all its password. The zero value is an account that an admin or SQL
// created, or that is confirmed: it stays as it is when its address is
// confirmed.
type Unproved struct {
	// Public is set if the account comes from a sign-up, or from a provider that
	// has not verified the address: from somebody who may not own the address,
	// whatever else they have proved.
	Public bool
	// Contested is set if somebody signed up with the address since. Then a
	// proof of ownership that came with no sign-up does not tell whose account
	// it is.
	Contested bool
}

// Unproved returns what is known of the origin of an account, which must be
// locked.
func (s Users) Unproved(ctx context.Context, tx *tenantdb.Tx, u *auth.User) (Unproved, error) {
	if u.EmailConfirmed() || u.InvitedAt != nil {
		return Unproved{}, nil
	}
	state, err := tx.SignupState(ctx, u.ID)
	if err != nil {
		return Unproved{}, err
	}
	return Unproved{
		Public:    state.First || federated(u) || replaceable(u), // the others are for accounts before there was a record
		Contested: state.Contested,
	}, nil
}

// federated reports whether all identities of a user are of other providers than
// e-mail. A user with a number that is confirmed has proved that.
func federated(u *auth.User) bool {
	return len(u.Identities) > 0 && u.IdentityOf(auth.ProviderEmail) == nil && u.PhoneConfirmedAt == nil
}

// ConfirmSignup makes a sign-up, whose token has proved ownership of the
// address, the user's. A sign-up without a password leaves the user without one.
func (s Users) ConfirmSignup(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, signup auth.Signup) error {
	if err := s.TakeOver(ctx, tx, sc, u, SignedUp(u.ID, u.Email, signup.Data, signup.Password, false)); err != nil {
		return err
	}
	return s.ConfirmEmail(ctx, tx, u)
}

// TakeOver gives an account of which Unproved is Public the password, the user
// metadata and the only identity of n. It ends
// everything that others began in the account. Of the user's metadata it replaces
// what came from the first sign-up; what SQL has written stays. The address
// stays unconfirmed.
func (s Users) TakeOver(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, n New) error {
	changes, err := n.replacing(u)
	if err != nil {
		return err
	}
	if err := s.evict(ctx, tx, sc, u, &n.Identities[0]); err != nil {
		return err
	}
	app, err := tenantdb.AppMetadata(signedUpBy(n.provider()))
	if err != nil {
		return err
	}
	if err := tx.UpdateUser(ctx, u, s.Now(), append(append(changes, app), endedFlows()...)...); err != nil {
		return err
	}
	if err := tx.EndSignups(ctx, u.ID); err != nil {
		return err
	}
	return endFlowsOfOthers(ctx, tx, u)
}

// endFlowsOfOthers ends all flows of a user except the exchange of a recovery or
// magic link, which goes on when it proves the address.
func endFlowsOfOthers(ctx context.Context, tx *tenantdb.Tx, u *auth.User) error {
	return tx.EndFlows(ctx, u.ID, auth.MethodRecovery, auth.MethodMagicLink)
}

// ProveEmail confirms the address by a token that came with no sign-up, such as
// one for recovery. The password of an account that may be somebody else's does
// not outlive the proof, nor does its number.
func (s Users) ProveEmail(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User) error {
	origin, err := s.Unproved(ctx, tx, u)
	switch {
	case err != nil:
		return err
	case origin.Contested, origin.Public && u.IdentityOf(auth.ProviderEmail) == nil:
		return s.ConfirmSignup(ctx, tx, sc, u, auth.Signup{})
	case !origin.Public:
		return s.ConfirmEmail(ctx, tx, u)
	}
	if err := s.evict(ctx, tx, sc, u, &Identity{Provider: auth.ProviderEmail}); err != nil {
		return err
	}
	if err := endFlowsOfOthers(ctx, tx, u); err != nil {
		return err
	}
	changes := append(withoutPhone(u), tenantdb.EncryptedPassword(""), tenantdb.NewEmail(""), tenantdb.NewPhone(""))
	return s.ConfirmEmail(ctx, tx, u, changes...)
}

// withoutPhone are the changes that remove the number of a user who has one.
func withoutPhone(u *auth.User) []tenantdb.UserChange {
	if u.Phone == "" && u.PhoneConfirmedAt == nil {
		return nil
	}
	return []tenantdb.UserChange{tenantdb.Phone(""), tenantdb.PhoneConfirmedAt(nil)}
}

// DropContestedPassword removes the password of an account that several sign-ups
// named, before an admin confirms its address: nothing tells whose password it
// is.
func (s Users) DropContestedPassword(ctx context.Context, tx *tenantdb.Tx, u *auth.User) error {
	origin, err := s.Unproved(ctx, tx, u)
	if err != nil || !origin.Contested {
		return err
	}
	return tx.UpdateUser(ctx, u, s.Now(), tenantdb.EncryptedPassword(""))
}

// provider is that of the contact which a sign-up names.
func (n New) provider() string {
	if n.Phone != "" {
		return auth.ProviderPhone
	}
	return auth.ProviderEmail
}

// replacing returns the changes that replace what the first sign-up wrote into
// the row of u, except app_metadata.
func (n New) replacing(u *auth.User) ([]tenantdb.UserChange, error) {
	current := auth.DecodeObject(u.UserMetadata)
	// Somebody who has signed in may have written any of it.
	first := current
	if i := u.IdentityOf(n.provider()); i != nil && u.LastSignInAt == nil {
		first = auth.DecodeObject(i.Data)
	}
	metadata := map[string]any{}
	for name, value := range current {
		if written, ok := first[name]; ok && reflect.DeepEqual(value, written) {
			metadata[name] = nil
		}
	}
	for name, value := range n.UserMetadata {
		_, exists := current[name]
		if _, replaced := metadata[name]; replaced || !exists {
			metadata[name] = value
		}
	}
	user, err := tenantdb.UserMetadata(metadata)
	changes := []tenantdb.UserChange{tenantdb.EncryptedPassword(n.Password), user}
	if n.Phone == "" {
		changes = append(changes, withoutPhone(u)...)
	}
	return changes, err
}

// evict ends the sessions of an account, and removes its second factors, its
// passkeys and its identities, except one of the provider of keep. That one gets the data of keep
// if there are any, and is created if it is missing.
func (s Users) evict(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, keep *Identity) error {
	if err := s.Sessions.End(ctx, tx, sc, u, session.All, session.CauseTakenOver); err != nil {
		return err
	}
	if err := tx.DeleteFactors(ctx, u.ID); err != nil {
		return err
	}
	u.Factors = nil
	if err := tx.DeletePasskeys(ctx, u.ID); err != nil {
		return err
	}
	var except []string
	if keep != nil {
		except = append(except, keep.Provider)
	}
	if err := tx.DeleteIdentities(ctx, u.ID, except...); err != nil {
		return err
	}
	u.Identities = slices.DeleteFunc(u.Identities, func(i auth.Identity) bool { return !slices.Contains(except, i.Provider) })
	if keep == nil || keep.Data == nil {
		return nil
	}
	existing := u.IdentityOf(keep.Provider)
	if existing == nil {
		return s.addIdentity(ctx, tx, u, *keep)
	}
	row, err := keep.row(u.ID, s.Now())
	if err != nil {
		return err
	}
	return tx.ReplaceIdentityData(ctx, existing, s.Now(), row.Data)
}
