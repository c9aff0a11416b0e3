package adminlink

import (
	"context"
	"errors"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/admin"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service makes links.
type Service struct {
	Mailer *mail.Mailer
	Hasher *password.Hasher
	Now    func() time.Time
}

// Link is a link that was made. Token is its token, Code what may be typed in
// instead.
type Link struct {
	User  *auth.User
	Type  Type
	URL   string
	Token string
	Code  string
}

// Generate writes a token without a mail. auth.ErrEmailExists where a confirmed
// user needs no such link, or has the new address; auth.ErrUserNotFound where
// there must be one. A magic link for nobody makes a user, as in the reference,
// and so is a sign-up.
func (s Service) Generate(ctx context.Context, sc *tenants.Scope, o *Order) (*Link, error) {
	var link Link
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		u, letter, err := s.prepare(ctx, tx, sc, o)
		if err != nil {
			return err
		}
		once, err := s.Mailer.PutToken(ctx, tx, sc, letter)
		if err != nil {
			return err
		}
		link = Link{User: u, Type: o.Type, URL: letter.Link(sc.Tenant, once), Token: once.Link, Code: once.Code}
		if o.Type == MagicLink && letter.Token == auth.TokenConfirmation {
			link.Type = Signup
		}
		return nil
	})
	return &link, err
}

// Invite writes a token and its mail. auth.ErrEmailExists for a confirmed user;
// auth.ErrEmailRate.
func (s Service) Invite(ctx context.Context, sc *tenants.Scope, o *Order) (*auth.User, error) {
	if err := s.Mailer.Prepare(ctx, sc); err != nil {
		return nil, err
	}
	var u *auth.User
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		var letter mail.Letter
		var err error
		if u, letter, err = s.prepare(ctx, tx, sc, o); err != nil {
			return err
		}
		return s.Mailer.Put(ctx, tx, sc, letter)
	})
	if err != nil {
		return nil, err
	}
	s.Mailer.Wake(sc)
	return u, nil
}

// prepare finds or makes the user, marks what is asked for, and tells the letter
// that goes with it.
func (s Service) prepare(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, o *Order) (*auth.User, mail.Letter, error) {
	u, err := tx.UserByEmail(ctx, o.Email, true)
	unknown := errors.Is(err, auth.ErrUserNotFound)
	if err != nil && !unknown {
		return nil, mail.Letter{}, err
	}
	letter := mail.Letter{User: &u, To: o.Email, RedirectTo: o.RedirectTo}
	switch o.Type {
	case Signup, Invite:
		err = s.register(ctx, tx, sc, &u, unknown, o, &letter)
	case MagicLink:
		if unknown {
			err = s.register(ctx, tx, sc, &u, unknown, o, &letter)
			break
		}
		letter.Kind = message.MagicLink
		err = s.recovery(ctx, tx, sc, &u, unknown, &letter, string(MagicLink))
	case Recovery:
		letter.Kind = message.Recovery
		err = s.recovery(ctx, tx, sc, &u, unknown, &letter, string(Recovery))
	default:
		err = s.emailChange(ctx, tx, sc, &u, unknown, o, &letter)
	}
	return &u, letter, err
}

// register makes the user, or brings an unconfirmed one up to what the admin
// says, and marks the confirmation as sent.
func (s Service) register(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, unknown bool, o *Order, letter *mail.Letter) error {
	if !unknown && u.EmailConfirmed() {
		return auth.ErrEmailExists
	}
	now, create := s.Now(), tx.SaveUser
	if unknown {
		fresh, err := newUser(o.Email, now)
		if err != nil {
			return err
		}
		*u, create = *fresh, tx.CreateUser
	}
	meta, err := auth.MergeMetadata(u.UserMetadata, o.Data)
	if err != nil {
		return err
	}
	u.UserMetadata, u.EncryptedPassword = meta, o.Hash
	if !unknown { // where unconfirmed users may sign in
		if err := tx.DeleteSessions(ctx, u.ID); err != nil {
			return err
		}
	}
	u.ConfirmationSentAt, u.UpdatedAt = &now, now
	letter.Kind, letter.Token, letter.Verify = message.Confirmation, auth.TokenConfirmation, string(Signup)
	action, logType := "user_confirmation_requested", "user"
	if o.Type == Invite {
		u.InvitedAt = &now
		letter.Kind, letter.Verify = message.Invite, string(Invite)
		action, logType = "user_invited", "team"
	}
	if err := create(ctx, u); err != nil {
		return err
	}
	if unknown {
		if err := tx.CreateIdentity(ctx, u.EmailIdentity()); err != nil {
			return err
		}
	}
	return admin.Record(ctx, tx, sc, u, action, logType, now)
}

func newUser(email string, now time.Time) (*auth.User, error) {
	u := auth.NewUser(now)
	u.Email = email
	if err := u.AddProvider(auth.ProviderEmail); err != nil {
		return nil, err
	}
	_, err := u.AddEmailIdentity(nil, now)
	return u, err
}

// recovery marks a link that signs an existing user in.
func (s Service) recovery(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, unknown bool, letter *mail.Letter, verify string) error {
	if unknown {
		return auth.ErrUserNotFound
	}
	now := s.Now()
	letter.Token, letter.Verify = auth.TokenRecovery, verify
	u.RecoverySentAt, u.UpdatedAt = &now, now
	if err := tx.SaveUser(ctx, u); err != nil {
		return err
	}
	return admin.Record(ctx, tx, sc, u, "user_recovery_requested", "user", now)
}

// emailChange begins a change of address and marks one half of it as sent. What
// was confirmed before counts no more: the other half must not do for both.
func (s Service) emailChange(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, unknown bool, o *Order, letter *mail.Letter) error {
	if unknown {
		return auth.ErrUserNotFound
	}
	if _, err := tx.UserByEmail(ctx, o.NewEmail, false); !errors.Is(err, auth.ErrUserNotFound) {
		if err == nil {
			return auth.ErrEmailExists
		}
		return err
	}
	if o.NewEmail != u.NewEmail { // links of another change must not count for this one
		if err := tx.DeleteTokens(ctx, u.ID, auth.TokenEmailChangeNew, auth.TokenEmailChangeCurrent); err != nil {
			return err
		}
	}
	now := s.Now()
	u.NewEmail, u.EmailChangeConfirmStatus = o.NewEmail, 0
	u.EmailChangeSentAt, u.UpdatedAt = &now, now
	letter.Kind, letter.Verify = message.EmailChange, "email_change"
	letter.Token = auth.TokenEmailChangeCurrent
	if o.Type == EmailChangeNew {
		letter.To, letter.Token = o.NewEmail, auth.TokenEmailChangeNew
	}
	if err := tx.SaveUser(ctx, u); err != nil {
		return err
	}
	return admin.Record(ctx, tx, sc, u, "user_modified", "user", now)
}
