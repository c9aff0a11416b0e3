package web

import (
	"context"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
)

// requireUser verifies the access token and reads its user and session from the
// database, so that a user who was deleted, banned or signed out is refused at
// once.
func requireUser(v *token.Verifier) gin.HandlerFunc {
	return func(c *gin.Context) {
		p, err := principal(c.Request.Context(), v, scope(c))
		if err != nil {
			writeError(c, err)
			return
		}
		c.Set(principalKey, &p)
	}
}

// requireAdmin asks for a secret key, or a legacy service_role key. A user's token
// is told apart from no token, as in the reference.
func requireAdmin(v *token.Verifier) gin.HandlerFunc {
	return func(c *gin.Context) {
		sc := scope(c)
		if sc.Admin() {
			return
		}
		_, err := principal(c.Request.Context(), v, sc)
		if err == nil {
			err = auth.ErrNotAdmin
		}
		writeError(c, err)
	}
}

func principal(ctx context.Context, v *token.Verifier, sc *tenants.Scope) (auth.Principal, error) {
	if sc.UserToken == "" {
		return auth.Principal{}, auth.ErrNoAuthorization
	}
	id, err := v.Verify(sc.Tenant, sc.UserToken)
	if err != nil {
		return auth.Principal{}, err
	}
	p, err := sc.DB.UserOfSession(ctx, id.UserID, id.SessionID)
	if err != nil {
		return auth.Principal{}, err
	}
	if p.User.Banned(v.Now()) {
		return auth.Principal{}, auth.ErrTokenUserBanned
	}
	if p.Session.NotAfter != nil && !v.Now().Before(*p.Session.NotAfter) {
		return auth.Principal{}, auth.ErrSessionNotFound
	}
	// What the database says now counts, but never more than the token proved.
	if id.AAL != "" && id.AAL < p.Session.AAL {
		p.Session.AAL = id.AAL
	}
	return p, nil
}
