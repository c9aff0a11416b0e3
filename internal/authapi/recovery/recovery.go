package recovery

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/account"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service sends links.
type Service struct {
	Mailer *mail.Mailer
	Now    func() time.Time
}

// Order asks for a link by mail.
type Order struct {
	Email      string // lower-case
	RedirectTo redirect.Asked
	PKCE       pkce.Challenge
}

// Kind says which link is sent again.
type Kind string

// The kinds, as the wire spells them.
const (
	Signup      Kind = "signup"
	EmailChange Kind = "email_change"
)

// Recover mails a link that signs the user in. That nobody has the address is no
// error. auth.ErrEmailRate.
func (s Service) Recover(ctx context.Context, sc *tenants.Scope, o Order) error {
	return s.send(ctx, sc, "recovery", o.Email, func(tx *tenantdb.Tx, u *auth.User) (bool, error) {
		if s.Mailer.Recent(sc, u.RecoverySentAt) {
			return false, nil
		}
		return true, s.recover(ctx, tx, sc, u, o)
	})
}

// Resend mails the link of an open sign-up or change of address again. That
// there is none is no error. auth.ErrEmailRate.
func (s Service) Resend(ctx context.Context, sc *tenants.Scope, kind Kind, o Order) error {
	return s.send(ctx, sc, string(kind), o.Email, func(tx *tenantdb.Tx, u *auth.User) (bool, error) {
		switch {
		case kind == Signup && !u.EmailConfirmed() && !s.Mailer.Recent(sc, u.ConfirmationSentAt):
			return true, s.resendSignup(ctx, tx, sc, u, o)
		case kind == EmailChange && u.NewEmail != "" && !s.Mailer.Recent(sc, u.EmailChangeSentAt):
			return true, s.resendEmailChange(ctx, tx, sc, u, o)
		}
		return false, nil
	})
}

// send runs compose for the user with the address, in one transaction. Where
// there is no such user, or compose says that there is nothing to send, the
// answer is the same.
func (s Service) send(ctx context.Context, sc *tenants.Scope, purpose, email string, compose func(*tenantdb.Tx, *auth.User) (bool, error)) error {
	if err := s.Mailer.Prepare(ctx, sc); err != nil {
		return err
	}
	if err := s.Mailer.Throttle(ctx, sc, purpose, email); err != nil {
		return err
	}
	defer even(ctx, time.Now())
	sent := false
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		u, err := tx.UserByEmail(ctx, email, true)
		if errors.Is(err, auth.ErrUserNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		sent, err = compose(tx, &u)
		return err
	})
	if err != nil {
		s.Mailer.Forgive(ctx, sc, purpose, email)
		return err
	}
	if sent {
		s.Mailer.Wake(sc)
	}
	return nil
}

// How long an answer takes at least. To write a mail takes some milliseconds more
// than to find nobody; that must not show.
const (
	answerFloor  = 40 * time.Millisecond
	answerJitter = 20 * time.Millisecond
)

// even waits until an answer that was begun then may leave.
func even(ctx context.Context, began time.Time) {
	wait := answerFloor + rand.N(answerJitter) - time.Since(began) //nolint:gosec // jitter is no secret
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (s Service) recover(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, o Order) error {
	now := s.Now()
	u.RecoverySentAt = &now
	if err := tx.SaveUser(ctx, u); err != nil {
		return err
	}
	if err := o.PKCE.Begin(ctx, tx, u.ID, auth.MethodRecovery, now); err != nil {
		return err
	}
	if err := session.Record(ctx, tx, sc, u, "user_recovery_requested", "user", nil, now); err != nil {
		return err
	}
	return s.Mailer.Put(ctx, tx, sc, mail.Letter{
		Kind: message.Recovery, User: u, To: u.Email, Token: auth.TokenRecovery, Verify: "recovery",
		RedirectTo: o.RedirectTo.Target(&sc.Tenant.Config), PKCE: o.PKCE.Given(),
	})
}

func (s Service) resendSignup(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, o Order) error {
	now := s.Now()
	u.ConfirmationSentAt = &now
	if err := tx.SaveUser(ctx, u); err != nil {
		return err
	}
	if err := o.PKCE.Begin(ctx, tx, u.ID, auth.MethodEmailSignup, now); err != nil {
		return err
	}
	return s.Mailer.Put(ctx, tx, sc, mail.Letter{
		Kind: message.Confirmation, User: u, To: u.Email, Token: auth.TokenConfirmation, Verify: "signup",
		RedirectTo: o.RedirectTo.Target(&sc.Tenant.Config), PKCE: o.PKCE.Given(),
	})
}

func (s Service) resendEmailChange(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, o Order) error {
	// Both get a new link, so what one side confirmed counts no more: with two
	// links that side could confirm for both.
	now := s.Now()
	u.EmailChangeSentAt, u.EmailChangeConfirmStatus = &now, 0
	if err := tx.SaveUser(ctx, u); err != nil {
		return err
	}
	if err := o.PKCE.Begin(ctx, tx, u.ID, auth.MethodEmailChange, now); err != nil {
		return err
	}
	return account.SendEmailChange(ctx, tx, sc, s.Mailer, u, o.RedirectTo.Target(&sc.Tenant.Config), o.PKCE.Given())
}
