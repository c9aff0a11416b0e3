package dashboard

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// ErrNoSession says that the browser has no session; it does not say why.
var ErrNoSession = fault.New(fault.Unauthorized, "unauthorized", "Unauthorized: sign in")

// Service begins, continues and ends sessions. Every scope is one of the platform
// project.
type Service struct {
	Verifier *token.Verifier
	Sessions session.Sessions
	Limiter  *ratelimit.Limiter
	Now      func() time.Time
}

// Tokens are a session's new tokens. They are for cookies alone.
type Tokens struct {
	access, refresh string
	// User and ExpiresAt are what pages may know.
	User      auth.User
	ExpiresAt time.Time
}

// Who returns the user and session of an access token, if they may use the
// Management API. Both are read from the database: one who signed out or was
// banned is refused at once. A token without a session, which an app with the
// project's key signs, is refused, and so are anonymous users and sessions without
// the second factor that the user has.
func (s Service) Who(ctx context.Context, sc *tenants.Scope, access string) (auth.Principal, error) {
	with := *sc
	with.Credentials = tenants.Credentials{UserToken: access}
	who, err := web.UserOf(ctx, s.Verifier, &with)
	if err != nil {
		return auth.Principal{}, err
	}
	if who.Session.ID == uuid.Nil || who.User.IsAnonymous {
		return auth.Principal{}, auth.ErrBadJWT
	}
	return who, who.CheckAAL()
}

// Begin exchanges the tokens of a session of the platform project for those of
// cookies. The refresh token must be one of the access token's session; it is used
// up. ErrNoSession, auth.ErrInsufficientAAL.
func (s Service) Begin(ctx context.Context, sc *tenants.Scope, access, refresh string) (Tokens, error) {
	if err := s.limit(ctx, sc); err != nil {
		return Tokens{}, err
	}
	who, err := s.Who(ctx, sc, access)
	if err != nil {
		return Tokens{}, refused(err)
	}
	of, _, err := token.ParseRefresh(sc.Tenant.Secrets.RefreshKey, refresh)
	if err != nil || of != who.Session.ID {
		return Tokens{}, ErrNoSession.Because(err)
	}
	return s.rotate(ctx, sc, refresh)
}

// Refresh continues a session: access is its access token, which may have
// expired, and one of the others its refresh token. Two refreshes at once get the
// same next token. A refresh token that was stolen and used ends the session as in
// the tenant plane. ErrNoSession, auth.ErrInsufficientAAL.
func (s Service) Refresh(ctx context.Context, sc *tenants.Scope, access string, others []string) (Tokens, error) {
	if err := s.limit(ctx, sc); err != nil {
		return Tokens{}, err
	}
	had, err := s.Verifier.VerifyEnded(sc.Tenant, access, cookieTTL+sc.Tenant.Config.AccessTokenTTL())
	if err != nil {
		return Tokens{}, ErrNoSession.Because(err)
	}
	for _, refresh := range others {
		if of, _, err := token.ParseRefresh(sc.Tenant.Secrets.RefreshKey, refresh); err == nil && of == had.SessionID {
			return s.rotate(ctx, sc, refresh)
		}
	}
	return Tokens{}, ErrNoSession
}

// End signs out: it ends the session of an access token, which may have expired.
// A session that has ended is no error.
func (s Service) End(ctx context.Context, sc *tenants.Scope, access string) error {
	had, err := s.Verifier.VerifyEnded(sc.Tenant, access, cookieTTL+sc.Tenant.Config.AccessTokenTTL())
	if err != nil || had.SessionID == uuid.Nil {
		return nil // there is nothing that it could end
	}
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		p, err := tx.PrincipalBySession(ctx, had.SessionID)
		if errors.Is(err, auth.ErrSessionNotFound) || errors.Is(err, auth.ErrTokenUserGone) || err == nil && p.User.ID != had.UserID {
			return nil
		}
		if err != nil {
			return err
		}
		return s.Sessions.End(ctx, tx, sc, &p.User, session.Only(had.SessionID), session.CauseLogout)
	})
}

// SignIn begins a session of a user, who proved by other means who they are. It is
// for `reeve dev`, whose operator has no password.
func (s Service) SignIn(ctx context.Context, sc *tenants.Scope, user uuid.UUID) (Tokens, error) {
	begun, err := s.Sessions.SignIn(ctx, sc, func(tx *tenantdb.Tx) (*session.Proof, error) {
		u, err := tx.UserByID(ctx, user, true)
		if err != nil {
			return nil, err
		}
		return &session.Proof{
			User: &u, Method: auth.MethodMagicLink, Action: auth.ActionLogin, Refusals: session.Refusals{Gone: ErrNoSession},
		}, nil
	})
	if err != nil {
		return Tokens{}, err
	}
	return s.tokens(ctx, sc, begun)
}

// limit counts what may try many tokens.
func (s Service) limit(ctx context.Context, sc *tenants.Scope) error {
	rule := ratelimit.Token(sc.Tenant.Config.RateLimitTokenRefresh).For("dashboard")
	return s.Limiter.Allow(ctx, sc.Tenant.Ref, rule, ratelimit.LimitKey(sc.ClientIP))
}

func (s Service) rotate(ctx context.Context, sc *tenants.Scope, refresh string) (Tokens, error) {
	next, err := s.Sessions.Rotate(ctx, sc, refresh)
	if err != nil {
		return Tokens{}, refused(err)
	}
	return s.tokens(ctx, sc, next)
}

// tokens makes the tokens for cookies. The access token is without the user's
// metadata: nothing of the Management API reads it there, and a browser drops a
// cookie of more than 4 KB.
func (s Service) tokens(ctx context.Context, sc *tenants.Scope, t *session.Tokens) (Tokens, error) {
	who, err := s.Who(ctx, sc, t.AccessToken)
	if err != nil {
		return Tokens{}, refused(err)
	}
	bare := who
	bare.User.AppMetadata, bare.User.UserMetadata = nil, nil
	signed, err := s.Sessions.Tokens.Sign(sc.Tenant, s.Sessions.Tokens.Claims(sc.Tenant, &bare))
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{access: signed.Token, refresh: t.RefreshToken, User: who.User, ExpiresAt: signed.ExpiresAt}, nil
}

// refused hides why a session cannot be used, except that it lacks the second
// factor, which its owner can mend, and faults that pass.
func refused(err error) error {
	if errors.Is(err, auth.ErrInsufficientAAL) {
		return err
	}
	switch fault.From(err).Kind {
	case fault.Internal, fault.Unavailable, fault.TooMany:
		return err
	default:
		return ErrNoSession.Because(err)
	}
}
