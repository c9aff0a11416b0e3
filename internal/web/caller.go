package web

import (
	"context"
	"errors"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// requireUser verifies the access token and reads its user and session from the
// database, so that a user who was deleted, banned or signed out is refused at
// once. A session that owes a second factor is refused unless may lets it.
func requireUser(v *token.Verifier, may func(*tenants.Config, token.Owed) bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		sc := scope(c)
		p, err := callerOf(c.Request.Context(), v, sc)
		if err == nil {
			owed := token.Owes(&sc.Tenant.Config, &p, v.Now())
			if may == nil || !may(&sc.Tenant.Config, owed) {
				err = owed.Err()
			}
		}
		if err != nil {
			writeError(c, err)
			return
		}
		c.Set(principalKey, &p)
	}
}

// requireAdmin requires a secret key with a scope, or a legacy service_role key. A user's
// token is refused differently from no token, as in the reference.
func requireAdmin(v *token.Verifier, s tenants.KeyScope) gin.HandlerFunc {
	return func(c *gin.Context) {
		sc := scope(c)
		if sc.Admin() {
			if !sc.Has(s) {
				writeError(c, tenants.ErrKeyScope.Saying("The API key lacks the scope "+string(s)))
			}
			return
		}
		_, err := callerOf(c.Request.Context(), v, sc)
		if err == nil {
			err = auth.ErrNotAdmin
		}
		writeError(c, err)
	}
}

// UserOf is the caller of a request with an access token, for routes that anybody
// may call: see Routes.User.
func UserOf(ctx context.Context, v *token.Verifier, sc *tenants.Scope) (auth.Principal, error) {
	p, err := callerOf(ctx, v, sc)
	if err == nil {
		err = token.Owes(&sc.Tenant.Config, &p, v.Now()).Err()
	}
	return p, err
}

// callerOf is UserOf for sessions too that owe a second factor.
func callerOf(ctx context.Context, v *token.Verifier, sc *tenants.Scope) (auth.Principal, error) {
	if sc.UserToken == "" {
		return auth.Principal{}, auth.ErrNoAuthorization
	}
	id, err := v.Verify(sc.Tenant, sc.UserToken)
	if err != nil {
		return auth.Principal{}, err
	}
	p, err := userOf(ctx, sc, id)
	if errors.Is(err, auth.ErrSessionNotFound) && p.User.Banned(v.Now()) {
		err = auth.ErrTokenUserBanned // a ban ends the sessions, and is what the app should show
	}
	if err != nil {
		return auth.Principal{}, err
	}
	if p.User.Banned(v.Now()) {
		return auth.Principal{}, auth.ErrTokenUserBanned
	}
	if p.Session.NotAfter != nil && !v.Now().Before(*p.Session.NotAfter) {
		return auth.Principal{}, auth.ErrSessionNotFound
	}
	// The database's state counts, but never more than the token proved.
	if id.AAL != "" && id.AAL < p.Session.AAL {
		p.Session.AAL = id.AAL
	}
	return p, nil
}

// userOf reads the user, and the session if the token has one. Tokens that an
// app signs with the project's key have none: they stand for the user alone, as
// in the reference, and prove at most one factor.
func userOf(ctx context.Context, sc *tenants.Scope, id token.Identified) (auth.Principal, error) {
	if id.SessionID != uuid.Nil {
		return sc.DB.UserOfSession(ctx, id.UserID, id.SessionID)
	}
	p := auth.Principal{Session: auth.Session{AAL: auth.AAL1}}
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		p.User, err = tx.UserByID(ctx, id.UserID, false)
		return err
	})
	if errors.Is(err, auth.ErrUserNotFound) || (err == nil && p.User.Gone()) {
		return auth.Principal{}, auth.ErrTokenUserGone
	}
	return p, err
}
