package recovery

import (
	"context"
	"errors"
	"time"

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

// Service sends links.
type Service struct {
	users.Users
	Mailer *mail.Mailer
	Texter *sms.Texter
}

// Order is a validated request for a link by mail.
type Order struct {
	Email      string // lower-case
	RedirectTo redirect.Asked
	PKCE       pkce.Challenge
}

// Kind selects the link to send again.
type Kind string

// The kinds, as the wire spells them.
const (
	Signup      Kind = "signup"
	EmailChange Kind = "email_change"
	SMS         Kind = "sms"
	PhoneChange Kind = "phone_change"
)

// Recover mails a link that signs the user in. An unknown address is no error.
// auth.ErrEmailRate.
func (s Service) Recover(ctx context.Context, sc *tenants.Scope, o Order) error {
	return s.send(ctx, sc, mail.Request{Purpose: mail.Recoveries, Address: o.Email}, func(tx *tenantdb.Tx, u *auth.User, out *mail.Outgoing) error {
		if s.Mailer.Recent(ctx, sc, u.RecoverySentAt) {
			return nil
		}
		return s.recover(ctx, tx, sc, u, o, out)
	})
}

// Resend mails the link of a pending sign-up or change of address again. It is
// no error if there is none. auth.ErrEmailRate.
func (s Service) Resend(ctx context.Context, sc *tenants.Scope, kind Kind, o Order) error {
	request := mail.Request{Purpose: mail.Resends(string(kind)), Address: o.Email}
	if kind == Signup {
		request.After = mail.Signups
	}
	return s.send(ctx, sc, request, func(tx *tenantdb.Tx, u *auth.User, out *mail.Outgoing) error {
		switch {
		case kind == Signup && !u.EmailConfirmed() && !s.Mailer.Recent(ctx, sc, u.ConfirmationSentAt):
			return s.resendSignup(ctx, tx, sc, u, o, out)
		case kind == EmailChange && u.NewEmail != "" && !s.Mailer.Recent(ctx, sc, u.EmailChangeSentAt):
			return s.resendEmailChange(ctx, tx, sc, u, o, out)
		}
		return nil
	})
}

// send runs compose for the user with the request's address, in one transaction. The
// answer is the same if there is no such user or compose puts no mail.
func (s Service) send(ctx context.Context, sc *tenants.Scope, request mail.Request, compose func(*tenantdb.Tx, *auth.User, *mail.Outgoing) error) error {
	defer mail.EqualizeTime(ctx, time.Now())
	return s.Mailer.Post(ctx, sc, request, func(tx *tenantdb.Tx, out *mail.Outgoing) error {
		u, err := s.ByEmail(ctx, tx, request.Address)
		if errors.Is(err, auth.ErrUserNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return compose(tx, u, out)
	})
}

func (s Service) recover(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, o Order, out *mail.Outgoing) error {
	now := s.Now()
	if err := tx.UpdateUser(ctx, u, now, tenantdb.RecoverySentAt(&now)); err != nil {
		return err
	}
	if err := o.PKCE.Begin(ctx, tx, u.ID, auth.MethodRecovery, now); err != nil {
		return err
	}
	if err := audit.Self(ctx, tx, sc, u, auth.ActionUserRecoveryRequested, now); err != nil {
		return err
	}
	return out.Put(ctx, o.letter(ctx, sc, message.Recovery, u))
}

func (s Service) resendSignup(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, o Order, out *mail.Outgoing) error {
	now := s.Now()
	if err := tx.UpdateUser(ctx, u, now, tenantdb.ConfirmationSentAt(&now)); err != nil {
		return err
	}
	if err := audit.Self(ctx, tx, sc, u, auth.ActionUserConfirmationRequested, now); err != nil {
		return err
	}
	letter := o.letter(ctx, sc, message.Confirmation, u)
	origin, err := s.Unproved(ctx, tx, u)
	if err != nil {
		return err
	}
	if origin.Contested {
		// Which of the sign-ups was meant is unknown, so the link belongs to none,
		// and shows no data of any.
		recipient := *u
		recipient.UserMetadata = nil
		letter.User, letter.Signup = &recipient, o.PKCE.Keep(auth.Signup{Resent: true})
		return out.Put(ctx, letter)
	}
	if err := o.PKCE.Begin(ctx, tx, u.ID, auth.MethodEmailSignup, now); err != nil {
		return err
	}
	return out.Put(ctx, letter)
}

func (o Order) letter(ctx context.Context, sc *tenants.Scope, kind message.Kind, u *auth.User) mail.Letter {
	return mail.Letter{Kind: kind, User: u, RedirectTo: o.RedirectTo.Target(ctx, sc), PKCE: o.PKCE.Given()}
}

func (s Service) resendEmailChange(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, o Order, out *mail.Outgoing) error {
	// Both sides get a new link, so earlier confirmations are cleared: with two
	// links one side could confirm for both.
	now := s.Now()
	if err := tx.UpdateUser(ctx, u, now, tenantdb.EmailChangeSentAt(&now), tenantdb.EmailChangeConfirmStatus(0)); err != nil {
		return err
	}
	if err := o.PKCE.Begin(ctx, tx, u.ID, auth.MethodEmailChange, now); err != nil {
		return err
	}
	return out.PutEmailChange(ctx, o.letter(ctx, sc, message.EmailChange, u))
}
