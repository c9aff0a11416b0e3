package dashboard

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/account"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/control/profile"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Accounts is profile.Account: changes of accounts by people whose browser has
// only cookies. What a change needs is what the platform project's own routes
// need.
type Accounts struct {
	Service account.Service
	Limiter *ratelimit.Limiter
	// Scope returns a scope of the platform project for the request of a context.
	Scope func(context.Context) (*tenants.Scope, error)
	Now   func() time.Time
}

var _ profile.Account = Accounts{}

// principal returns the scope and the person with their session, as they are now.
func (a Accounts) principal(ctx context.Context, who profile.Person) (*tenants.Scope, *auth.Principal, error) {
	sc, err := a.Scope(ctx)
	if err != nil {
		return nil, nil, err
	}
	var p auth.Principal
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		p, err = tx.PrincipalBySession(ctx, who.SessionID)
		return err
	})
	if err == nil && p.User.ID != who.UserID {
		err = auth.ErrSessionNotFound
	}
	if errors.Is(err, auth.ErrSessionNotFound) || errors.Is(err, auth.ErrTokenUserGone) {
		return nil, nil, ErrNoSession.Because(err)
	}
	return sc, &p, err
}

// Rename implements profile.Account.
func (a Accounts) Rename(ctx context.Context, who profile.Person, name string) (auth.User, error) {
	sc, p, err := a.principal(ctx, who)
	if err != nil {
		return auth.User{}, err
	}
	u, err := a.Service.Change(ctx, sc, p, account.Change{Data: map[string]any{"name": name, "full_name": name}})
	if err != nil {
		return auth.User{}, err
	}
	return *u, nil
}

// Sessions implements profile.Account.
func (a Accounts) Sessions(ctx context.Context, who profile.Person) (out []auth.Session, err error) {
	sc, err := a.Scope(ctx)
	if err != nil {
		return nil, err
	}
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		out, err = tx.SessionsOf(ctx, who.UserID, maxSessions)
		return err
	})
	return slices.DeleteFunc(out, func(s auth.Session) bool { return s.NotAfter != nil && !a.Now().Before(*s.NotAfter) }), err
}

// maxSessions bounds the sessions that a person sees.
const maxSessions = 200

// EndSession implements profile.Account.
func (a Accounts) EndSession(ctx context.Context, who profile.Person, id uuid.UUID) error {
	sc, err := a.Scope(ctx)
	if err != nil {
		return err
	}
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		p, err := tx.PrincipalBySession(ctx, id)
		if errors.Is(err, auth.ErrSessionNotFound) || errors.Is(err, auth.ErrTokenUserGone) || err == nil && p.User.ID != who.UserID {
			return profile.ErrNoSession
		}
		if err != nil {
			return err
		}
		return a.Service.Sessions.End(ctx, tx, sc, &p.User, session.Only(id), session.CauseLogout)
	})
}

// EndOthers implements profile.Account.
func (a Accounts) EndOthers(ctx context.Context, who profile.Person) error {
	sc, p, err := a.principal(ctx, who)
	if err != nil {
		return err
	}
	_, err = a.Service.Logout(ctx, sc, p, account.ScopeOthers, nil)
	return err
}

// ChangePassword implements profile.Account.
func (a Accounts) ChangePassword(ctx context.Context, who profile.Person, c profile.PasswordChange) error {
	sc, p, err := a.limited(ctx, who, "user")
	if err != nil {
		return err
	}
	_, err = a.Service.Change(ctx, sc, p, account.Change{Password: &c.Password, CurrentPassword: c.CurrentPassword, Nonce: c.Nonce})
	return err
}

// ChangeEmail implements profile.Account.
func (a Accounts) ChangeEmail(ctx context.Context, who profile.Person, email string) error {
	sc, p, err := a.limited(ctx, who, "user")
	if err != nil {
		return err
	}
	email, err = auth.NormalizeEmail(email)
	if err != nil {
		return err
	}
	if email == p.User.Email {
		return auth.ErrValidation.Saying("email: is your address already")
	}
	if err := users.AdmitEmail(ctx, sc, email); err != nil {
		return err
	}
	_, err = a.Service.Change(ctx, sc, p, account.Change{Email: email})
	return err
}

// Reauthenticate implements profile.Account.
func (a Accounts) Reauthenticate(ctx context.Context, who profile.Person) error {
	sc, p, err := a.limited(ctx, who, "reauthenticate")
	if err != nil {
		return err
	}
	return a.Service.Reauthenticate(ctx, sc, p)
}

// limited is principal for a route that the platform project limits for each
// client; both count together.
func (a Accounts) limited(ctx context.Context, who profile.Person, route string) (*tenants.Scope, *auth.Principal, error) {
	sc, p, err := a.principal(ctx, who)
	if err != nil {
		return nil, nil, err
	}
	rule := ratelimit.OTP(sc.Tenant.Config.RateLimitOTP).For(route)
	return sc, p, a.Limiter.Allow(ctx, sc.Tenant.Ref, rule, ratelimit.LimitKey(sc.ClientIP))
}
