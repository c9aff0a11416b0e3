package account

import (
	"context"
	"errors"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// changeEmail begins a change of address. The new one must confirm even where
// sign-ups need not: the account is somebody's, and whoever holds a session of it
// must not be able to carry it off unasked.
func (s Service) changeEmail(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, c Change) error {
	if _, err := tx.UserByEmail(ctx, c.Email, false); !errors.Is(err, auth.ErrUserNotFound) {
		if err == nil {
			return auth.ErrEmailExists
		}
		return err
	}
	if err := s.Mailer.TooSoon(sc, u.EmailChangeSentAt); err != nil {
		return err
	}
	now := s.Now()
	u.NewEmail, u.EmailChangeSentAt, u.EmailChangeConfirmStatus = c.Email, &now, 0
	return c.PKCE.Begin(ctx, tx, u.ID, auth.MethodEmailChange, now)
}

// SendEmailChange mails the link to the new address and, with secure change, one
// to the current address, for the change that is pending in u.
func SendEmailChange(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, m *mail.Mailer, u *auth.User, redirectTo string, pkce bool) error {
	letter := mail.Letter{Kind: message.EmailChange, User: u, Verify: "email_change", RedirectTo: redirectTo, PKCE: pkce}
	if sc.Tenant.Config.SecureEmailChange() && u.Email != "" {
		letter.To, letter.Token = u.Email, auth.TokenEmailChangeCurrent
		if err := m.Put(ctx, tx, sc, letter); err != nil {
			return err
		}
	}
	letter.To, letter.Token = u.NewEmail, auth.TokenEmailChangeNew
	return m.Put(ctx, tx, sc, letter)
}
