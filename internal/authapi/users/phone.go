package users

import (
	"context"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// SignedUpByPhone is SignedUp for a phone number.
func SignedUpByPhone(id uuid.UUID, phone string, data map[string]any, hash string, confirmed bool) New {
	identity := PhoneIdentity(phone)
	for name, value := range data {
		if _, ours := identity.Data[name]; !ours {
			identity.Data[name] = value
		}
	}
	n := signedUpWith(id, identity, hash)
	n.Phone, n.PhoneConfirmed = phone, confirmed
	n.UserMetadata["phone_verified"] = confirmed
	return n
}

// ByPhone is ByEmail for a number.
func (s Users) ByPhone(ctx context.Context, tx *tenantdb.Tx, phone string) (*auth.User, error) {
	return usable(tx.UserByPhone(ctx, phone, true))
}

// UnprovedPhone is Unproved for an account that is named by its phone number. An
// account with any proof is its owner's.
func (s Users) UnprovedPhone(ctx context.Context, tx *tenantdb.Tx, u *auth.User) (Unproved, error) {
	if u.PhoneConfirmed() || u.EmailConfirmed() || u.InvitedAt != nil {
		return Unproved{}, nil
	}
	state, err := tx.SignupState(ctx, u.ID)
	return Unproved{Public: state.First, Contested: state.Contested}, err
}

// ConfirmPhone marks the user's number as confirmed, in the user and in the
// identity, and deletes other codes and sign-ups that would confirm it. The number
// says nothing of an address that is not confirmed: what is known of its sign-ups
// stays.
func (s Users) ConfirmPhone(ctx context.Context, tx *tenantdb.Tx, u *auth.User, changes ...tenantdb.UserChange) error {
	now := s.Now()
	verified, err := tenantdb.UserMetadata(map[string]any{"phone_verified": true})
	if err != nil {
		return err
	}
	changes = append(changes, verified, tenantdb.NotAnonymous())
	if !u.PhoneConfirmed() {
		changes = append(changes, tenantdb.PhoneConfirmedAt(&now))
	}
	if err := tx.UpdateUser(ctx, u, now, changes...); err != nil {
		return err
	}
	if err := s.putIdentity(ctx, tx, u, PhoneIdentity(u.Phone), map[string]any{"phone": u.Phone, "phone_verified": true}); err != nil {
		return err
	}
	if err := tx.DeleteTokens(ctx, u.ID, auth.TokenConfirmation); err != nil {
		return err
	}
	if u.Email != "" && !u.EmailConfirmed() {
		return nil
	}
	return tx.EndSignups(ctx, u.ID)
}

// ConfirmPhoneSignup makes a sign-up, whose code has proved ownership of the
// number, the user's.
func (s Users) ConfirmPhoneSignup(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, signup auth.Signup) error {
	if err := s.TakeOver(ctx, tx, sc, u, SignedUpByPhone(u.ID, u.Phone, signup.Data, signup.Password, false)); err != nil {
		return err
	}
	return s.ConfirmPhone(ctx, tx, u)
}

// ProvePhone confirms the number by a code that came with no sign-up. The password
// of an account that may be somebody else's does not outlive the proof.
func (s Users) ProvePhone(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User) error {
	origin, err := s.UnprovedPhone(ctx, tx, u)
	switch {
	case err != nil:
		return err
	case origin.Contested:
		return s.ConfirmPhoneSignup(ctx, tx, sc, u, auth.Signup{})
	case !origin.Public:
		return s.ConfirmPhone(ctx, tx, u)
	}
	if err := s.evict(ctx, tx, sc, u, &Identity{Provider: auth.ProviderPhone}); err != nil {
		return err
	}
	if err := tx.EndFlows(ctx, u.ID); err != nil {
		return err
	}
	return s.ConfirmPhone(ctx, tx, u, tenantdb.EncryptedPassword(""), tenantdb.NewEmail(""), tenantdb.NewPhone(""))
}

// BeginPhoneChange stores the number that a user wants to change to, and
// invalidates the code of an earlier change. auth.ErrPhoneExists when another user
// has the number.
func (s Users) BeginPhoneChange(ctx context.Context, tx *tenantdb.Tx, u *auth.User, phone string) error {
	if err := PhoneFree(ctx, tx, phone, u.ID); err != nil {
		return err
	}
	if err := tx.DeleteTokens(ctx, u.ID, auth.TokenPhoneChange); err != nil {
		return err
	}
	now := s.Now()
	return tx.UpdateUser(ctx, u, now, tenantdb.NewPhone(phone), tenantdb.PhoneChangeSentAt(&now))
}

// EndPhoneChange makes the number that a user has just proved theirs, and ends the
// change. auth.ErrPhoneExists.
func (s Users) EndPhoneChange(ctx context.Context, tx *tenantdb.Tx, u *auth.User) error {
	phone := u.NewPhone
	if err := PhoneFree(ctx, tx, phone, u.ID); err != nil {
		return err
	}
	if err := tx.UpdateUser(ctx, u, s.Now(), tenantdb.Phone(phone), tenantdb.NewPhone("")); err != nil {
		return err
	}
	if err := tx.DeleteTokens(ctx, u.ID, auth.TokenPhoneChange, auth.TokenReauthentication); err != nil {
		return err
	}
	return s.ConfirmPhone(ctx, tx, u)
}
