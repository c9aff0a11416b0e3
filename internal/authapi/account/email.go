package account

import (
	"context"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// beginEmailChange begins a change of address. The new address must be
// confirmed even where sign-ups need no confirmation: otherwise anyone with a
// session of the account could take it over.
func (s Service) beginEmailChange(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, c Change) error {
	if err := s.Mailer.TooSoon(sc, u.EmailChangeSentAt); err != nil {
		return err
	}
	if err := s.BeginEmailChange(ctx, tx, u, c.Email); err != nil {
		return err
	}
	return c.PKCE.Begin(ctx, tx, u.ID, auth.MethodEmailChange, s.Now())
}
