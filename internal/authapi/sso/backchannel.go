package sso

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/connector/oidc"
	"github.com/reevehq/reeve/tenants"
)

// BackchannelLogout ends the sessions that a provider's logout token names (OpenID
// Connect Back-Channel Logout 1.0). auth.ErrOIDCToken, auth.ErrSSOProviderNotFound.
func (s Service) BackchannelLogout(ctx context.Context, sc *tenants.Scope, id uuid.UUID, raw string) error {
	p, err := s.Provider(ctx, sc, id)
	if err != nil {
		return err
	}
	if p.OIDC == nil {
		return auth.ErrSSOProviderNotFound
	}
	t := s.newTrail(sc, uuid.New(), auth.AttemptLogout)
	t.Provider = &p.ID
	err = s.backchannel(ctx, sc, p, raw, t)
	s.keep(ctx, sc, t, uuid.Nil, err)
	return err
}

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

func (s Service) backchannel(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider, raw string, t *trail) error {
	d, _, err := s.discover(ctx, sc, p)
	if err != nil {
		return t.step("discovery", err)
	}
	claims, err := s.OpenID.OIDC.VerifyAccess(ctx, string(sc.Tenant.Ref), oidc.Trust{Issuer: d.Issuer, KeysURL: d.KeysURL}, raw)
	if err != nil {
		return t.step("token", refusedOIDC(err))
	}
	token, err := logoutToken(claims, p.OIDC.ClientID, s.Now())
	if t.step("token", err) != nil {
		return err
	}
	t.Detail.Subject = clip(token.subject)
	e := ending{once: onceOf("logout", p.ID.String(), token.id)}
	if token.subject != "" {
		e.name = &auth.SSOName{Value: token.subject}
	}
	if token.session != "" {
		e.indexes = []string{token.session}
	}
	ended, err := s.end(ctx, sc, p, e)
	t.Detail.Steps = append(t.Detail.Steps, auth.AttemptStep{Check: "sessions", OK: err == nil, Reason: fmt.Sprintf("%d sessions ended.", ended)})
	return err
}

type logout struct{ id, subject, session string }

// logoutToken reads the claims of a logout token (section 2.4).
func logoutToken(claims map[string]any, client string, now time.Time) (l logout, err error) {
	l.id, _ = claims["jti"].(string)
	l.subject, _ = claims["sub"].(string)
	l.session, _ = claims["sid"].(string)
	events, _ := claims["events"].(map[string]any)
	_, event := events[logoutEvent].(map[string]any)
	issued, _ := claims["iat"].(float64)
	_, nonce := claims["nonce"]
	switch {
	case !slices.Contains(texts(claims["aud"]), client):
		return l, auth.ErrOIDCToken.Saying("The logout token is for another client")
	case !event:
		return l, auth.ErrOIDCToken.Saying("The token is no logout token")
	case nonce:
		return l, auth.ErrOIDCToken.Saying("The token has a nonce: it is an ID token")
	case l.id == "" || len(l.id) > 500:
		return l, auth.ErrOIDCToken.Saying("The logout token has no jti")
	case l.subject == "" && l.session == "":
		return l, auth.ErrOIDCToken.Saying("The logout token names neither a user nor a session")
	case now.Sub(time.Unix(int64(issued), 0)) > 10*time.Minute:
		return l, auth.ErrOIDCToken.Saying("The logout token is too old")
	}
	return l, nil
}
