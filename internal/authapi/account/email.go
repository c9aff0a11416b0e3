package account

import (
	"context"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// beginEmailChange begins a change of address. The new one must confirm even
// where sign-ups need not: the account is somebody's, and whoever holds a session
// of it must not be able to carry it off unasked.
func (s Service) beginEmailChange(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, c Change) error {
	if err := s.Mailer.TooSoon(sc, u.EmailChangeSentAt); err != nil {
		return err
	}
	if err := s.BeginEmailChange(ctx, tx, u, c.Email); err != nil {
		return err
	}
	return c.PKCE.Begin(ctx, tx, u.ID, auth.MethodEmailChange, s.Now())
}
