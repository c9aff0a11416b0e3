package users

import (
	"context"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// ConfirmEmail marks the user's address as confirmed, in the user and in the
// identity, and deletes other links and sign-ups that would confirm it.
func (s Users) ConfirmEmail(ctx context.Context, tx *tenantdb.Tx, u *auth.User, changes ...tenantdb.UserChange) error {
	if err := s.AssumeEmail(ctx, tx, u, changes...); err != nil {
		return err
	}
	if i := u.IdentityOf(auth.ProviderEmail); i != nil {
		return tx.UpdateIdentity(ctx, i, s.Now(), map[string]any{"email": u.Email, "email_verified": true})
	}
	return nil
}

// AssumeEmail is ConfirmEmail for an address that an admin confirms without
// proof of ownership: the identity stays as it is.
func (s Users) AssumeEmail(ctx context.Context, tx *tenantdb.Tx, u *auth.User, changes ...tenantdb.UserChange) error {
	now := s.Now()
	verified, err := emailVerified()
	if err != nil {
		return err
	}
	changes = append(changes, verified)
	if !u.EmailConfirmed() {
		changes = append(changes, tenantdb.EmailConfirmedAt(&now))
	}
	if err := tx.UpdateUser(ctx, u, now, changes...); err != nil {
		return err
	}
	if err := tx.DeleteTokens(ctx, u.ID, auth.TokenConfirmation); err != nil {
		return err
	}
	return tx.EndSignups(ctx, u.ID)
}

// emailVerified is the change of a user's metadata for a confirmed address. It
// is not bounded by auth.MaxMetadata, so that a user with larger metadata,
// which SQL may write, can confirm the address.
func emailVerified() (tenantdb.UserChange, error) {
	return tenantdb.UserMetadata(map[string]any{"email_verified": true})
}

// SetUserMetadata returns the change that merges members into a user's
// metadata; auth.ErrValidation when it gets too large.
func (s Users) SetUserMetadata(u *auth.User, changes map[string]any) (tenantdb.UserChange, error) {
	if _, err := auth.MergeMetadata(u.UserMetadata, changes); err != nil {
		return tenantdb.UserChange{}, err
	}
	return tenantdb.UserMetadata(changes)
}

// SetAppMetadata is SetUserMetadata for app_metadata.
func (s Users) SetAppMetadata(u *auth.User, changes map[string]any) (tenantdb.UserChange, error) {
	if _, err := auth.MergeMetadata(u.AppMetadata, changes); err != nil {
		return tenantdb.UserChange{}, err
	}
	return tenantdb.AppMetadata(changes)
}

// BeginEmailChange stores the address that a user wants to change to, and
// invalidates the links of an earlier change. auth.ErrEmailExists when another
// user has the address.
func (s Users) BeginEmailChange(ctx context.Context, tx *tenantdb.Tx, u *auth.User, email string) error {
	if err := EmailFree(ctx, tx, email, u.ID); err != nil {
		return err
	}
	if email != u.NewEmail {
		if err := tx.DeleteTokens(ctx, u.ID, auth.TokenEmailChangeNew, auth.TokenEmailChangeCurrent); err != nil {
			return err
		}
	}
	now := s.Now()
	return tx.UpdateUser(ctx, u, now, tenantdb.NewEmail(email), tenantdb.EmailChangeSentAt(&now))
}

// ChangeEmail makes email, which must be normalized, the user's address: in the
// user and in the identity of provider email, which is created if it is
// missing. It ends a pending change, and deletes all one-time tokens, because
// links that were mailed to the old address must not act on the new one. proved
// says that the user has just proved ownership; else the user stays confirmed or
// not, and the identity is not verified. auth.ErrEmailExists.
func (s Users) ChangeEmail(ctx context.Context, tx *tenantdb.Tx, u *auth.User, email string, proved bool) error {
	now := s.Now()
	changes := []tenantdb.UserChange{tenantdb.Email(email), tenantdb.NewEmail("")}
	if proved {
		if !u.EmailConfirmed() {
			verified, err := emailVerified()
			if err != nil {
				return err
			}
			changes = append(changes, verified)
		}
		changes = append(changes, tenantdb.EmailConfirmedAt(&now), tenantdb.NotAnonymous())
	}
	if err := EmailFree(ctx, tx, email, u.ID); err != nil {
		return err
	}
	if err := tx.UpdateUser(ctx, u, now, changes...); err != nil {
		return err
	}
	if err := s.putIdentity(ctx, tx, u, EmailIdentity(u.Email, nil), map[string]any{"email": u.Email, "email_verified": proved}); err != nil {
		return err
	}
	if err := tx.DeleteTokens(ctx, u.ID); err != nil {
		return err
	}
	return tx.EndSignups(ctx, u.ID)
}

// putIdentity merges data into the user's identity of a provider, or creates
// the identity.
func (s Users) putIdentity(ctx context.Context, tx *tenantdb.Tx, u *auth.User, identity Identity, data map[string]any) error {
	if i := u.IdentityOf(identity.Provider); i != nil {
		return tx.UpdateIdentity(ctx, i, s.Now(), data)
	}
	for name, value := range data {
		identity.Data[name] = value
	}
	return s.Link(ctx, tx, u, identity)
}

// ChangePhone sets (unless phone is "") and confirms a user's number. A number
// that is set is also the identity's of provider phone. auth.ErrPhoneExists.
func (s Users) ChangePhone(ctx context.Context, tx *tenantdb.Tx, u *auth.User, phone string, confirm bool) error {
	var changes []tenantdb.UserChange
	if phone != "" {
		if err := PhoneFree(ctx, tx, phone, u.ID); err != nil {
			return err
		}
		changes = append(changes, tenantdb.Phone(phone))
	}
	now := s.Now()
	if confirm && (phone != "" || u.Phone != "") {
		changes = append(changes, tenantdb.NotAnonymous())
		if u.PhoneConfirmedAt == nil {
			changes = append(changes, tenantdb.PhoneConfirmedAt(&now))
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := tx.UpdateUser(ctx, u, now, changes...); err != nil {
		return err
	}
	if phone == "" {
		return nil
	}
	return s.putIdentity(ctx, tx, u, PhoneIdentity(phone), map[string]any{"phone": phone, "phone_verified": confirm})
}

// SetPassword writes a new password, as its hash, and ends everything that
// somebody else in the account may have begun: sessions, links, a change of
// address, exchanges. People change their password when they fear for their
// account.
func (s Users) SetPassword(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, hash string, which session.Which, by audit.By) error {
	if err := s.Sessions.End(ctx, tx, sc, u, which, session.CausePassword); err != nil {
		return err
	}
	if err := s.endFlows(ctx, tx, u, tenantdb.EncryptedPassword(hash)); err != nil {
		return err
	}
	return by(ctx, tx, sc, u, auth.ActionUserUpdatedPassword, s.Now())
}

// endFlows ends pending links and a pending change of address. It keeps
// email_change_sent_at, which limits mails to addresses that are not the
// user's: a new password must not allow them again. It keeps other sign-ups for
// an unconfirmed address, because they are somebody else's.
func (s Users) endFlows(ctx context.Context, tx *tenantdb.Tx, u *auth.User, changes ...tenantdb.UserChange) error {
	changes = append(changes, tenantdb.ConfirmationSentAt(nil))
	changes = append(changes, endedFlows()...)
	if err := tx.UpdateUser(ctx, u, s.Now(), changes...); err != nil {
		return err
	}
	return tx.EndFlows(ctx, u.ID)
}

// endedFlows are the changes to the row of a user whose flows end, beside
// confirmation_sent_at.
func endedFlows() []tenantdb.UserChange {
	return []tenantdb.UserChange{tenantdb.RecoverySentAt(nil), tenantdb.ReauthenticationSentAt(nil), tenantdb.NewEmail(""), tenantdb.NewPhone("")}
}
