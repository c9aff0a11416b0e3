package grant

import (
	"cmp"
	"context"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// PKCE is the grant of an authorization code and its verifier (RFC 7636,
// section 4.5). A code is used once. A wrong verifier does not consume it, as
// in the reference; a verifier cannot be guessed in the lifetime of a code.
type PKCE struct{ Sessions session.Sessions }

// Redeem implements Grant.
func (g PKCE) Redeem(ctx context.Context, sc *tenants.Scope, members Members) (any, error) {
	var req struct {
		AuthCode     string `json:"auth_code"`
		CodeVerifier string `json:"code_verifier"`
	}
	if err := members.Decode(&req); err != nil {
		return nil, err
	}
	if req.AuthCode == "" || req.CodeVerifier == "" {
		return nil, auth.ErrValidation.Saying("invalid request: both auth code and code verifier should be non-empty")
	}
	return g.exchange(ctx, sc, req.AuthCode, req.CodeVerifier)
}

func (g PKCE) exchange(ctx context.Context, sc *tenants.Scope, code, verifier string) (*session.Tokens, error) {
	expired := false
	var provider session.ProviderTokens
	tokens, err := g.Sessions.SignIn(ctx, sc, func(tx *tenantdb.Tx) (*session.Proof, error) {
		f, u, err := tx.FlowStateByCode(ctx, code)
		if err != nil {
			return nil, err
		}
		if expired = g.Sessions.Now().After(f.AuthCodeIssuedAt.Add(pkce.TTL)); expired {
			return nil, tx.DeleteFlowState(ctx, f.ID)
		}
		if err := pkce.Verify(&f, verifier); err != nil {
			return nil, err
		}
		if provider, err = pkce.OpenTokens(sc.Tenant, &f); err != nil {
			return nil, err
		}
		if err := tx.DeleteFlowState(ctx, f.ID); err != nil {
			return nil, err
		}
		proof, err := proofOf(sc, &f, &u)
		if err != nil || proof.Origin == nil {
			return proof, err
		}
		if on, err := tx.ShareSSOProvider(ctx, proof.Origin.Provider); err != nil || !on {
			return nil, cmp.Or(err, error(auth.ErrSSOProviderDisabled))
		}
		return proof, nil
	})
	if err == nil && expired {
		err = auth.ErrFlowExpired
	}
	if tokens != nil {
		tokens.ProviderTokens = provider
	}
	return tokens, err
}

// proofOf is the proof that an exchange gives.
func proofOf(sc *tenants.Scope, f *auth.FlowState, u *auth.User) (*session.Proof, error) {
	var kept pkce.SSOKept
	if f.AuthenticationMethod.ByConnection() {
		if err := pkce.Open(sc.Tenant, f, &kept); err != nil {
			return nil, err
		}
	}
	return &session.Proof{
		User: u, Method: f.AuthenticationMethod, Action: auth.ActionLogin, Traits: audit.Traits{"provider_type": f.ProviderType},
		Refusals: session.Refusals{Gone: auth.ErrFlowNotFound, Banned: auth.ErrUserBanned}, NotAfter: kept.NotAfter, Origin: kept.Origin, AAL: kept.AAL,
	}, nil
}
