package users

import (
	"context"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// ConfirmEmail marks the user's address as proved, in the user and in the
// identity. Another link that would confirm it is not needed any more.
func (s Users) ConfirmEmail(ctx context.Context, tx *tenantdb.Tx, u *auth.User, changes ...tenantdb.UserChange) error {
	now := s.Now()
	verified, err := s.userMetadata(u, map[string]any{"email_verified": true})
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
	if i := u.IdentityOf(auth.ProviderEmail); i != nil {
		if err := tx.UpdateIdentity(ctx, i, now, map[string]any{"email": u.Email, "email_verified": true}); err != nil {
			return err
		}
	}
	return tx.DeleteTokens(ctx, u.ID, auth.TokenConfirmation)
}

// userMetadata is the change of a user's metadata, which must not outgrow
// auth.MaxMetadata.
func (s Users) userMetadata(u *auth.User, changes map[string]any) (tenantdb.UserChange, error) {
	if _, err := auth.MergeMetadata(u.UserMetadata, changes); err != nil {
		return tenantdb.UserChange{}, err
	}
	return tenantdb.UserMetadata(changes)
}

// SetUserMetadata is a change that merges members into a user's metadata;
// auth.ErrValidation when it gets too large.
func (s Users) SetUserMetadata(u *auth.User, changes map[string]any) (tenantdb.UserChange, error) {
	return s.userMetadata(u, changes)
}

// SetAppMetadata is SetUserMetadata for app_metadata.
func (s Users) SetAppMetadata(u *auth.User, changes map[string]any) (tenantdb.UserChange, error) {
	if _, err := auth.MergeMetadata(u.AppMetadata, changes); err != nil {
		return tenantdb.UserChange{}, err
	}
	return tenantdb.AppMetadata(changes)
}

// BeginEmailChange notes the address that a user wants to change to. Links of
// another change count no more. auth.ErrEmailExists when somebody has the
// address.
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
// user and in the identity of provider email, which is made where there is none.
// A change that was pending is over. All one-time tokens go: links that were
// mailed to the old address must not act on the new one. proved says that the
// user has just proved to own it; else it counts as proved as the old one did.
// auth.ErrEmailExists.
func (s Users) ChangeEmail(ctx context.Context, tx *tenantdb.Tx, u *auth.User, email string, proved bool) error {
	now := s.Now()
	changes := []tenantdb.UserChange{tenantdb.Email(email), tenantdb.NewEmail("")}
	if proved {
		if !u.EmailConfirmed() {
			verified, err := s.userMetadata(u, map[string]any{"email_verified": true})
			if err != nil {
				return err
			}
			changes = append(changes, verified)
		}
		changes = append(changes, tenantdb.EmailConfirmedAt(&now))
	}
	if err := EmailFree(ctx, tx, email, u.ID); err != nil {
		return err
	}
	if err := tx.UpdateUser(ctx, u, now, changes...); err != nil {
		return err
	}
	if err := s.putIdentity(ctx, tx, u, EmailIdentity(email, nil), map[string]any{"email": email, "email_verified": u.EmailConfirmed()}); err != nil {
		return err
	}
	return tx.DeleteTokens(ctx, u.ID)
}

// putIdentity changes data of the user's identity of a provider, or gives them
// one.
func (s Users) putIdentity(ctx context.Context, tx *tenantdb.Tx, u *auth.User, fresh Identity, data map[string]any) error {
	if i := u.IdentityOf(fresh.Provider); i != nil {
		return tx.UpdateIdentity(ctx, i, s.Now(), data)
	}
	for name, value := range data {
		fresh.Data[name] = value
	}
	return s.Link(ctx, tx, u, fresh)
}

// ChangePhone sets, with phone not "", and confirms a user's number, with the
// identity of provider phone. auth.ErrPhoneExists.
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
	return s.putIdentity(ctx, tx, u, PhoneIdentity(u.Phone), map[string]any{
		"phone": u.Phone, "email_verified": u.EmailConfirmed(), "phone_verified": u.PhoneConfirmedAt != nil,
	})
}

// SetPassword writes a new password, as its hash, and ends what somebody may
// have begun who was in the account: sessions, links, a change of address,
// exchanges. This is what people do who fear for their account.
func (s Users) SetPassword(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, hash string, which session.Which, by audit.By) error {
	if err := s.Sessions.End(ctx, tx, sc, u, which, session.CausePassword); err != nil {
		return err
	}
	if err := s.endFlows(ctx, tx, u, tenantdb.EncryptedPassword(hash)); err != nil {
		return err
	}
	return by(ctx, tx, sc, u, auth.ActionUserUpdatedPassword, s.Now())
}

// endFlows forgets what was asked for by mail and not finished, and ends the
// links. email_change_sent_at stays: it spaces out mails to addresses that are
// not the user's, which a new password must not allow again.
func (s Users) endFlows(ctx context.Context, tx *tenantdb.Tx, u *auth.User, changes ...tenantdb.UserChange) error {
	changes = append(changes, tenantdb.ConfirmationSentAt(nil), tenantdb.RecoverySentAt(nil),
		tenantdb.ReauthenticationSentAt(nil), tenantdb.NewEmail(""))
	if err := tx.UpdateUser(ctx, u, s.Now(), changes...); err != nil {
		return err
	}
	return tx.EndFlows(ctx, u.ID)
}
