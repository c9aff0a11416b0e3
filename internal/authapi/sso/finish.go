package sso

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/saml"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Outcome is how a sign-in ended: with tokens, or with a code for PKCE.
type Outcome struct {
	RedirectTo string
	PKCE       bool
	Tokens     *session.Tokens
	Code       string
}

// refusals are the errors for an account that may have no session.
var refusals = session.Refusals{Gone: auth.ErrUserNotFound, Banned: auth.ErrUserBanned}

// errUsed is an assertion that was presented before.
var errUsed = auth.ErrSAMLAssertion.Saying("The SAML response was used before, try logging in again")

// Finish ends a sign-in with the provider's response. When it returns an error, the
// outcome is still where to tell it, or nil while that is unknown. auth.ErrSAMLOff,
// auth.ErrSAMLRelayNotFound, auth.ErrSAMLRelayExpired, auth.ErrSAMLIdPNotFound,
// auth.ErrSSOProviderDisabled, auth.ErrSAMLAssertion, auth.ErrSAMLAssertionNoUserID,
// auth.ErrSAMLAssertionNoEmail, auth.ErrSignupDisabled, auth.ErrUserBanned.
func (s Service) Finish(ctx context.Context, sc *tenants.Scope, encoded, relayState string) (*Outcome, error) {
	if !sc.Tenant.Config.SAMLEnabled {
		return nil, auth.ErrSAMLOff
	}
	resp, err := saml.ParseResponse(encoded)
	if err != nil {
		return nil, refused(ctx, sc, "", err)
	}
	relay, p, err := s.connection(ctx, sc, resp, relayState)
	if err != nil {
		return nil, err
	}
	out := &Outcome{RedirectTo: relay.RedirectTo, PKCE: relay.Flow != nil}
	switch {
	case s.Now().After(relay.CreatedAt.Add(relayTTL)):
		return out, auth.ErrSAMLRelayExpired
	case !p.On():
		return out, auth.ErrSSOProviderDisabled
	}
	assertion, err := s.verify(ctx, sc, resp, relay, p)
	if err != nil {
		return out, err
	}
	who, err := personOf(p, assertion)
	if err != nil {
		return out, err
	}
	if relay.Flow != nil {
		out.Code, err = s.issueCode(ctx, sc, *relay.Flow, assertion, who)
	} else {
		out.Tokens, err = s.signIn(ctx, sc, assertion, who)
	}
	return out, err
}

// connection finds the connection that a response is for. For one that nobody asked for
// it is the connection of its issuer.
func (s Service) connection(ctx context.Context, sc *tenants.Scope, resp *saml.Response, relayState string) (*auth.SSORelay, *auth.SSOProvider, error) {
	if id, err := uuid.Parse(relayState); err == nil && len(relayState) == len(id.String()) {
		return s.begun(ctx, sc, id)
	}
	var p auth.SSOProvider
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		p, err = tx.SSOProviderOfEntity(ctx, resp.Issuer)
		return err
	})
	if errors.Is(err, auth.ErrSSOProviderNotFound) {
		err = auth.ErrSAMLIdPNotFound.Because(err)
	}
	if err != nil {
		return nil, nil, err
	}
	return &auth.SSORelay{Provider: p.ID, RedirectTo: redirect.Target(&sc.Tenant.Config, relayState), CreatedAt: s.Now()}, &p, nil
}

// begun returns the sign-in that was begun here, and its connection. It can be answered
// once.
func (s Service) begun(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*auth.SSORelay, *auth.SSOProvider, error) {
	var relay auth.SSORelay
	var p auth.SSOProvider
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if relay, err = tx.TakeSSORelay(ctx, id); err != nil {
			return err
		}
		p, err = tx.SSOProvider(ctx, relay.Provider, false)
		return err
	})
	return &relay, &p, err
}

// verify verifies the response; auth.ErrSAMLAssertion, with the reason that the
// administrator of the identity provider needs. It is in the project's log too.
func (s Service) verify(ctx context.Context, sc *tenants.Scope, resp *saml.Response, relay *auth.SSORelay, p *auth.SSOProvider) (*saml.Assertion, error) {
	metadata, err := parseMetadata(p.SAML.MetadataXML, s.Now())
	if err != nil {
		return nil, err
	}
	sp, err := s.service(ctx, sc)
	if err != nil {
		return nil, err
	}
	a, _, err := resp.Verify(self(sp, sc.Tenant.Config.SAMLEncrypted), saml.Provider{EntityID: p.SAML.EntityID, Certificates: metadata.Certificates},
		saml.Expected{RequestID: relay.RequestID, Now: s.Now()})
	if err != nil {
		return nil, refused(ctx, sc, p.Provider(), err)
	}
	return a, nil
}

// refused notes why a response was refused.
func refused(ctx context.Context, sc *tenants.Scope, provider string, err error) error {
	var r *saml.Refusal
	if !errors.As(err, &r) {
		return err
	}
	sc.Log.Add(ctx, projectlog.Entry{
		Level: projectlog.Warning, Code: "saml_refused", Message: "A SAML response was refused.",
		Detail: map[string]any{"provider": provider, "check": string(r.Check), "reason": r.Reason},
	})
	return auth.ErrSAMLAssertion.Because(err).Saying("SAML Assertion is not valid: " + r.Reason)
}

// signIn begins the session.
func (s Service) signIn(ctx context.Context, sc *tenants.Scope, a *saml.Assertion, who users.ProviderUser) (*session.Tokens, error) {
	return s.Sessions.SignIn(ctx, sc, func(tx *tenantdb.Tx) (*session.Proof, error) {
		u, err := s.user(ctx, tx, sc, a, who)
		if err != nil {
			return nil, err
		}
		return &session.Proof{
			User: u, Method: auth.MethodSAML, Action: auth.ActionLogin, Traits: audit.ByProvider(who.Provider), Refusals: refusals,
			NotAfter: a.SessionNotOnOrAfter,
		}, nil
	})
}

// issueCode issues the code of the PKCE exchange; the account is checked when the code
// is redeemed.
func (s Service) issueCode(ctx context.Context, sc *tenants.Scope, flow uuid.UUID, a *saml.Assertion, who users.ProviderUser) (string, error) {
	code := uuid.NewString()
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		u, err := s.user(ctx, tx, sc, a, who)
		if err != nil {
			return err
		}
		f, err := tx.TakeSSOFlow(ctx, flow)
		if err != nil {
			return err
		}
		now := s.Now()
		next := auth.FlowState{
			ID: uuid.New(), UserID: &u.ID, AuthCode: code, AuthCodeIssuedAt: &now,
			CodeChallenge: f.CodeChallenge, CodeChallengeMethod: f.CodeChallengeMethod,
			ProviderType: f.ProviderType, AuthenticationMethod: auth.MethodSAML, CreatedAt: now,
		}
		if next.ProviderTokens, err = pkce.Seal(sc.Tenant, next.ID, pkce.SSOKept{NotAfter: a.SessionNotOnOrAfter}); err != nil {
			return err
		}
		return tx.CreateFlowState(ctx, &next)
	})
	return code, err
}

// user marks the assertion as used, and returns its user, locked.
func (s Service) user(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, a *saml.Assertion, who users.ProviderUser) (*auth.User, error) {
	digest := sha256.Sum256([]byte(a.Issuer + "\x00" + a.ID))
	used, err := tx.UseAssertion(ctx, digest[:], a.ReplayUntil)
	if err != nil {
		return nil, err
	}
	if used {
		return nil, errUsed
	}
	u, how, err := s.ResolveSSO(ctx, tx, sc, who)
	if err != nil {
		return nil, err
	}
	if how == users.Created {
		_, err = audit.User(ctx, tx, sc, u, auth.ActionUserSignedUp, audit.ByProvider(who.Provider), s.Now())
	}
	return u, err
}
