package signup

import (
	"context"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// SignInAnonymously creates a user without any credentials and begins a session.
// The user becomes a permanent one, with the same id, by confirming an address or
// linking an identity. auth.ErrValidation for metadata that is too large.
func (s Service) SignInAnonymously(ctx context.Context, sc *tenants.Scope, data map[string]any) (*session.Tokens, error) {
	return s.Sessions.SignIn(ctx, sc, func(tx *tenantdb.Tx) (*session.Proof, error) {
		user := users.New{Anonymous: true, UserMetadata: data}
		u, err := s.Preview(user) // written together with the session
		hooked := s.Hooked(sc)
		if hooked {
			u, err = s.Create(ctx, tx, sc, user)
		}
		if err != nil {
			return nil, err
		}
		return &session.Proof{
			User: u, New: !hooked, Method: auth.MethodAnonymous, Action: auth.ActionUserSignedUp, Traits: audit.ByProvider("anonymous"),
			Refusals: session.Refusals{Gone: auth.ErrUserNotFound, Banned: auth.ErrUserBanned},
		}, nil
	})
}
