package verify

import (
	"context"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// applyText applies a code of a text message, which proves ownership of the number,
// and returns the action for the audit log.
func (s Service) applyText(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, t *redeemable, u *auth.User) (auth.Action, error) {
	if t.Type == auth.TokenPhoneChange {
		return auth.ActionUserModified, s.EndPhoneChange(ctx, tx, u)
	}
	if u.PhoneConfirmed() {
		return auth.ActionLogin, nil
	}
	return auth.ActionUserSignedUp, s.confirmPhone(ctx, tx, sc, t, u)
}

// confirmPhone marks the number as confirmed. The code of a sign-up makes its
// password the user's. Where the gateway compares the codes, it does not tell which
// of several messages a code was in: then a password stays only if nobody else has
// signed up with the number.
func (s Service) confirmPhone(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, t *redeemable, u *auth.User) error {
	remote := s.Texter.Remote(sc, t.RelatesTo)
	if remote {
		origin, err := s.UnprovedPhone(ctx, tx, u)
		if err != nil {
			return err
		}
		if origin.Contested {
			return s.ProvePhone(ctx, tx, sc, u)
		}
	}
	switch {
	case t.signup != nil:
		return s.ConfirmPhoneSignup(ctx, tx, sc, u, *t.signup)
	case t.Type == auth.TokenRecovery:
		return s.ProvePhone(ctx, tx, sc, u)
	}
	return s.ConfirmPhone(ctx, tx, u)
}
