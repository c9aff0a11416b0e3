// Package web is where HTTP ends: huma is imported here only; of gin, the flows
// name the router that they mount on, and no more. It adapts requests to plain
// functions, finds the tenant and the actor of a request, writes errors in the
// shape of each plane, and counts requests against limits. It holds no rule of any
// flow.
package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
)

// QueryBinder is implemented by request types that read the query string or
// path parameters; param gives "" for a parameter that the route lacks.
type QueryBinder interface {
	BindQuery(query url.Values, param func(name string) string) error
}

// HeaderBinder is implemented by request types that read headers; they are bound
// before the query.
type HeaderBinder interface{ BindHeader(h http.Header) }

// HeaderSetter is implemented by answers that set headers of their own.
type HeaderSetter interface{ SetHeaders(h http.Header) }

// Redirect is an answer that sends the browser elsewhere (303).
type Redirect struct{ Location string }

// NoContent is an answer without a body (204).
type NoContent struct{}

// Raw is an answer that is no JSON.
type Raw struct {
	ContentType string
	Body        []byte
}

// None is a request without a body.
type None struct{}

// Tenant adapts fn to a route of the tenant plane: decodes the request, passes
// the tenant's scope, writes the answer with status code, or the error.
func Tenant[Req, Res any](code int, fn func(context.Context, *tenants.Scope, *Req) (Res, error)) gin.HandlerFunc {
	return func(c *gin.Context) { serve(c, code, fn) }
}

func serve[Req, Res any](c *gin.Context, code int, fn func(context.Context, *tenants.Scope, *Req) (Res, error)) {
	req, err := decode[Req](c)
	if err != nil {
		writeError(c, err)
		return
	}
	res, err := fn(c.Request.Context(), scope(c), req)
	if err != nil {
		writeError(c, err)
		return
	}
	write(c, code, res)
}

// Users adapts routes that need a signed-in user.
type Users struct{ Verifier *token.Verifier }

// Admins adapts routes that need a secret key.
type Admins struct{ Verifier *token.Verifier }

// User adapts fn to a route that needs a user: the access token is verified and
// its user and session are read from the database, so that a user who was
// deleted, banned or signed out is refused at once. The body is read after that.
func User[Req, Res any](u Users, code int, fn func(context.Context, *tenants.Scope, *auth.Principal, *Req) (Res, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		p, err := principal(c.Request.Context(), u.Verifier, scope(c))
		if err != nil {
			writeError(c, err)
			return
		}
		serve(c, code, func(ctx context.Context, sc *tenants.Scope, req *Req) (Res, error) { return fn(ctx, sc, &p, req) })
	}
}

// Admin adapts fn to a route that needs a secret key (or a legacy service_role
// key). A user's token is told apart from no token, as in the reference.
func Admin[Req, Res any](a Admins, code int, fn func(context.Context, *tenants.Scope, *Req) (Res, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := a.admit(c.Request.Context(), scope(c)); err != nil {
			writeError(c, err)
			return
		}
		serve(c, code, fn)
	}
}

func (a Admins) admit(ctx context.Context, sc *tenants.Scope) error {
	if sc.Admin() {
		return nil
	}
	if _, err := principal(ctx, a.Verifier, sc); err != nil {
		return err
	}
	return auth.ErrNotAdmin
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

func write(c *gin.Context, code int, res any) {
	if h, ok := res.(HeaderSetter); ok {
		h.SetHeaders(c.Writer.Header())
	}
	switch r := res.(type) {
	case NoContent, *NoContent:
		c.Status(http.StatusNoContent)
		c.Writer.WriteHeaderNow()
	case Redirect:
		redirect(c, r.Location)
	case *Redirect:
		redirect(c, r.Location)
	case Raw:
		c.Data(code, r.ContentType, r.Body)
	default:
		writeJSON(c, code, res)
	}
}

// writeJSON encodes before it answers: gin would send the status with an empty
// body for what cannot be encoded.
func writeJSON(c *gin.Context, code int, res any) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // it would make six bytes of each < and &
	if err := enc.Encode(res); err != nil {
		writeError(c, fmt.Errorf("encode answer: %w", err))
		return
	}
	writeBody(c, code, "application/json; charset=utf-8", bytes.TrimSuffix(body.Bytes(), []byte("\n")))
}

func redirect(c *gin.Context, location string) {
	c.Header("Referrer-Policy", "no-referrer")
	c.Redirect(http.StatusSeeOther, location)
}
