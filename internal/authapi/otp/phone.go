package otp

import (
	"context"
	"errors"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/sms"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// SendText sends a code that signs the user in, and returns the message's id. An
// unknown number is no error, nor is one whose user may not be created. It has the
// errors of sms.Texter.Post, whether the user exists or not.
func (s Service) SendText(ctx context.Context, sc *tenants.Scope, o Order) (id string, err error) {
	defer mail.EqualizeTime(ctx, time.Now())
	if _, err := s.Preview(o.user()); err != nil {
		return "", err
	}
	r := sms.Request{Purpose: "otp", Phone: o.Phone, Channel: o.Channel}
	return s.Texter.Post(ctx, sc, r, func(tx *tenantdb.Tx, out *sms.Outgoing) error {
		if err := s.askBefore(ctx, tx, sc, o); err != nil {
			return err
		}
		u, err := tx.UserByPhone(ctx, o.Phone, true)
		switch {
		case errors.Is(err, auth.ErrUserNotFound):
			return s.registerPhone(ctx, tx, sc, o, out)
		case err != nil:
			return err
		case u.Gone():
			return nil
		}
		return s.sendCode(ctx, tx, sc, &u, o, out)
	})
}

// registerPhone creates the user and sends a code that confirms the number.
func (s Service) registerPhone(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, o Order, out *sms.Outgoing) error {
	if !o.CreateUser || sc.Tenant.Config.DisableSignup {
		return nil
	}
	u, err := s.create(ctx, tx, sc, o)
	if err != nil {
		return err
	}
	return s.sendCode(ctx, tx, sc, u, o, out)
}

// sendCode sends a code that came with no sign-up, which the type of its token
// tells: it proves the number of a user who has not confirmed it, and nobody's
// password.
func (s Service) sendCode(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, o Order, out *sms.Outgoing) error {
	now := s.Now()
	if err := tx.UpdateUser(ctx, u, now, tenantdb.ConfirmationSentAt(&now)); err != nil {
		return err
	}
	action, traits := auth.ActionUserConfirmationRequested, audit.ByProvider(auth.ProviderPhone)
	if u.PhoneConfirmed() {
		action, traits = auth.ActionUserRecoveryRequested, audit.Traits{"channel": string(o.Channel)}
	}
	if _, err := audit.User(ctx, tx, sc, u, action, traits, now); err != nil {
		return err
	}
	return out.Put(ctx, sms.Text{Kind: message.MagicLink, Token: auth.TokenRecovery, User: u})
}
