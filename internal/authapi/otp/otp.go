package otp

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/authapi/sms"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service sends links and codes that sign users in.
type Service struct {
	users.Users
	Mailer *mail.Mailer
	Texter *sms.Texter
}

// Order is a validated request for a link and a code by mail, or a code by a text
// message.
type Order struct {
	Email      string // lower-case; "" with Phone
	Phone      string // normalized
	Channel    message.Channel
	CreateUser bool // create the user if there is none
	Data       map[string]any
	RedirectTo redirect.Asked
	PKCE       pkce.Challenge
}

// Send mails a link and a code that sign the user in. An unknown address is no
// error, nor is one whose user may not be created. auth.ErrEmailRate;
// auth.ErrValidation for metadata that is too large, whether the user exists or
// not.
func (s Service) Send(ctx context.Context, sc *tenants.Scope, o Order) error {
	defer mail.EqualizeTime(ctx, time.Now())
	if _, err := s.Preview(o.user()); err != nil {
		return err
	}
	return s.Mailer.Post(ctx, sc, mail.Request{Purpose: mail.OTPs, Address: o.Email}, func(tx *tenantdb.Tx, out *mail.Outgoing) error {
		if err := s.askBefore(ctx, tx, sc, o); err != nil {
			return err
		}
		// Most users are found, and get a link.
		u, err := tx.MarkRecoverySent(ctx, o.Email, s.Now(), s.Mailer.Since(sc))
		if err == nil {
			return s.sendMagicLink(ctx, tx, sc, &u, o, out)
		}
		if !errors.Is(err, auth.ErrUserNotFound) {
			return err
		}
		return s.without(ctx, tx, sc, o, out)
	})
}

// askBefore has a hook at a URL decide about the user whom an order would create,
// whether they exist or not.
func (s Service) askBefore(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, o Order) error {
	if !o.CreateUser || sc.Tenant.Config.DisableSignup || o.Email != "" && users.AdmitEmail(ctx, sc, o.Email) != nil {
		return nil
	}
	return s.AskBefore(ctx, tx, sc, o.user())
}

// without answers an order whose user is unknown, or may not be sent a link now.
func (s Service) without(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, o Order, out *mail.Outgoing) error {
	u, err := tx.UserByEmail(ctx, o.Email, true)
	switch {
	case errors.Is(err, auth.ErrUserNotFound):
		return s.register(ctx, tx, sc, o, out)
	case err != nil:
		return err
	case u.Gone(), s.Mailer.Recent(ctx, sc, u.RecoverySentAt):
		return nil
	}
	return s.markAndSend(ctx, tx, sc, &u, o, out) // just created by another request, or a trigger suppressed the change
}

// user is the user that an order for an unknown address or number creates.
func (o Order) user() users.New {
	if o.Phone != "" {
		return users.SignedUpByPhone(uuid.New(), o.Phone, o.Data, "", false)
	}
	return users.SignedUp(uuid.New(), o.Email, o.Data, "", false)
}

// register creates the user and mails a link that confirms the address.
func (s Service) register(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, o Order, out *mail.Outgoing) error {
	if !o.CreateUser || sc.Tenant.Config.DisableSignup {
		return nil
	}
	if users.AdmitEmail(ctx, sc, o.Email) != nil {
		return nil // users who have such an address get a mail, so an error would tell that there is none
	}
	u, err := s.create(ctx, tx, sc, o)
	if err != nil {
		return err
	}
	now := s.Now()
	if sc.Tenant.Config.MailerAutoconfirm { // a sign-up is no event of its own then
		return s.markAndSend(ctx, tx, sc, u, o, out)
	}
	if err := o.PKCE.Begin(ctx, tx, u.ID, auth.MethodEmailSignup, now); err != nil {
		return err
	}
	if _, err := audit.User(ctx, tx, sc, u, auth.ActionUserConfirmationRequested, audit.ByProvider(auth.ProviderEmail), now); err != nil {
		return err
	}
	if err := tx.UpdateUser(ctx, u, now, tenantdb.ConfirmationSentAt(&now)); err != nil {
		return err
	}
	return out.Put(ctx, o.letter(ctx, sc, message.Confirmation, u))
}

// create creates the user of an order, of whom nobody has proved anything yet.
func (s Service) create(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, o Order) (*auth.User, error) {
	u, err := s.Create(ctx, tx, sc, o.user())
	if err != nil {
		return nil, err
	}
	return u, tx.BeginSignup(ctx, u.ID, s.Now())
}

// markAndSend is sendMagicLink for a user whose recovery_sent_at is not written yet.
func (s Service) markAndSend(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, o Order, out *mail.Outgoing) error {
	now := s.Now()
	if err := tx.UpdateUser(ctx, u, now, tenantdb.RecoverySentAt(&now)); err != nil {
		return err
	}
	return s.sendMagicLink(ctx, tx, sc, u, o, out)
}

// sendMagicLink mails a link that signs the user in. It proves the address of a
// user who has not confirmed it.
func (s Service) sendMagicLink(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, o Order, out *mail.Outgoing) error {
	now := s.Now()
	if err := o.PKCE.Begin(ctx, tx, u.ID, auth.MethodMagicLink, now); err != nil {
		return err
	}
	if err := audit.Self(ctx, tx, sc, u, auth.ActionUserRecoveryRequested, now); err != nil {
		return err
	}
	return out.Put(ctx, o.letter(ctx, sc, message.MagicLink, u))
}

func (o Order) letter(ctx context.Context, sc *tenants.Scope, kind message.Kind, u *auth.User) mail.Letter {
	return mail.Letter{Kind: kind, User: u, RedirectTo: o.RedirectTo.Target(ctx, sc), PKCE: o.PKCE.Given()}
}
