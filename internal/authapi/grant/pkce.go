package grant

import (
	"context"
	"errors"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Exchange gives a session for an authorization code and its verifier (RFC
// 7636, section 4.5). A code is good once; a wrong verifier does not spend it, as
// in the reference, and cannot be guessed in the time that a code lives.
func (s Service) Exchange(ctx context.Context, sc *tenants.Scope, code, verifier string) (*session.Tokens, error) {
	var p *auth.Principal
	var refused error
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		f, err := tx.FlowStateByCode(ctx, code)
		if err != nil {
			return err
		}
		if s.Now().After(f.AuthCodeIssuedAt.Add(pkce.TTL)) {
			refused = auth.ErrFlowExpired
			return tx.DeleteFlowState(ctx, f.ID)
		}
		if err := pkce.Verify(&f, verifier); err != nil {
			return err
		}
		if f.UserID == nil {
			return auth.ErrFlowNotFound
		}
		p, err = s.begin(ctx, tx, sc, &f)
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	return s.Sessions.Answer(sc, p)
}

func (s Service) begin(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, f *auth.FlowState) (*auth.Principal, error) {
	u, err := tx.UserByID(ctx, *f.UserID, true)
	switch {
	case errors.Is(err, auth.ErrUserNotFound) || (err == nil && u.DeletedAt != nil):
		return nil, auth.ErrFlowNotFound
	case err != nil:
		return nil, err
	case u.Banned(s.Now()):
		return nil, auth.ErrUserBanned
	}
	if err := tx.DeleteFlowState(ctx, f.ID); err != nil {
		return nil, err
	}
	if err := session.Record(ctx, tx, sc, &u, "login", "account", map[string]any{"provider": f.ProviderType}, s.Now()); err != nil {
		return nil, err
	}
	return s.Sessions.Begin(ctx, tx, sc, &u, f.AuthenticationMethod)
}
