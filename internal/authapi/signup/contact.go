package signup

import (
	"context"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/sms"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// This file is what differs between sign-ups by e-mail address and by phone number.

// user is the user with the contact, locked; auth.ErrUserNotFound.
func (r Registration) user(ctx context.Context, tx *tenantdb.Tx) (auth.User, error) {
	if r.Phone != "" {
		return tx.UserByPhone(ctx, r.Phone, true)
	}
	return tx.UserByEmail(ctx, r.Email, true)
}

// confirmed reports whether the user has proved ownership of the contact.
func (r Registration) confirmed(u *auth.User) bool {
	if r.Phone != "" {
		return u.PhoneConfirmed()
	}
	return u.EmailConfirmed()
}

func (r Registration) autoconfirmed(cfg *tenants.Config) bool {
	if r.Phone != "" {
		return cfg.SMSAutoconfirm
	}
	return cfg.MailerAutoconfirm
}

func (r Registration) traits() audit.Traits {
	if r.Phone != "" {
		return audit.ByProvider(auth.ProviderPhone)
	}
	return audit.ByProvider(auth.ProviderEmail)
}

// origin says who may have created an account that has the contact.
func (s Service) origin(ctx context.Context, tx *tenantdb.Tx, u *auth.User, r Registration) (users.Unproved, error) {
	if r.Phone != "" {
		return s.UnprovedPhone(ctx, tx, u)
	}
	return s.Unproved(ctx, tx, u)
}

// recent reports whether the user has got a message for the last sign-up just now.
func (s Service) recent(ctx context.Context, sc *tenants.Scope, u *auth.User, r Registration) bool {
	if r.Phone != "" {
		return s.Texter.TooSoon(sc, u.ConfirmationSentAt) != nil
	}
	return s.Mailer.Recent(ctx, sc, u.ConfirmationSentAt)
}

// replaceUnconfirmedPhone is users.ReplaceUnconfirmed for a number.
func (s Service) replaceUnconfirmedPhone(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, n users.New) error {
	origin, err := s.UnprovedPhone(ctx, tx, u)
	switch {
	case err != nil:
		return err
	case !origin.Public:
		return auth.ErrUserExists
	}
	if err := s.TakeOver(ctx, tx, sc, u, n); err != nil {
		return err
	}
	return s.ConfirmPhone(ctx, tx, u)
}

// deliver writes the message that confirms a sign-up; signup is nil for the first
// one.
type deliver func(ctx context.Context, recipient *auth.User, signup *auth.Signup) error

// post runs compose in the transaction of a mail or a text message. throttled is
// the refusal of a request that comes too soon.
func (s Service) post(ctx context.Context, sc *tenants.Scope, r Registration, compose func(tx *tenantdb.Tx, throttled error, send deliver) error) error {
	if r.Phone != "" {
		req := sms.Request{Purpose: "signup", Phone: r.Phone, Channel: r.Channel, ReportLater: true}
		_, err := s.Texter.Post(ctx, sc, req, func(tx *tenantdb.Tx, out *sms.Outgoing) error {
			return compose(tx, out.Throttled, func(ctx context.Context, recipient *auth.User, signup *auth.Signup) error {
				return out.Put(ctx, sms.Text{Kind: message.Confirmation, Token: auth.TokenConfirmation, User: recipient, Signup: signup})
			})
		})
		return err
	}
	req := mail.Request{Purpose: mail.Signups, Address: r.Email, ReportLater: true}
	return s.Mailer.Post(ctx, sc, req, func(tx *tenantdb.Tx, out *mail.Outgoing) error {
		return compose(tx, out.Throttled, func(ctx context.Context, recipient *auth.User, signup *auth.Signup) error {
			return out.Put(ctx, mail.Letter{
				Kind: message.Confirmation, User: recipient, RedirectTo: r.RedirectTo.Target(ctx, sc), PKCE: r.PKCE.Given(), Signup: signup,
			})
		})
	})
}
