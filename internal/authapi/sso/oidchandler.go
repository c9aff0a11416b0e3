package sso

import (
	"context"
	"net/url"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
)

// answered is the path and query of GET /sso/oidc/callback/{id}.
type answered struct {
	named
	answer Answer
}

// BindQuery implements web.QueryBinder.
func (r *answered) BindQuery(q url.Values, param func(string) string) error {
	if err := r.named.BindQuery(q, param); err != nil {
		return err
	}
	r.answer = Answer{Connection: r.id, State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error"), Description: q.Get("error_description"), Issuer: q.Get("iss")}
	return nil
}

func (h Handler) callback(ctx context.Context, sc *tenants.Scope, req *answered) (any, error) {
	out, err := h.Service.FinishOIDC(ctx, sc, req.answer)
	return arrive(sc.Tenant.Config.SiteURL, out, err)
}

// backchannelRequest is the form of POST /sso/oidc/backchannel-logout/{id}.
type backchannelRequest struct {
	Token string `json:"logout_token" form:"logout_token"`
	named
}

func (h Handler) backchannel(ctx context.Context, sc *tenants.Scope, req *backchannelRequest) (struct{}, error) {
	return struct{}{}, h.Service.BackchannelLogout(ctx, sc, req.id, req.Token)
}

// returned is the query of GET /sso/oidc/logged-out, where a provider sends the browser
// after a sign-out that began here.
type returned struct{ id uuid.UUID }

// BindQuery implements web.QueryBinder.
func (r *returned) BindQuery(q url.Values, _ func(string) string) (err error) {
	if r.id, err = uuid.Parse(q.Get("state")); err != nil {
		return auth.ErrSSOLogoutNotFound.Because(err)
	}
	return nil
}

func (h Handler) loggedOut(ctx context.Context, sc *tenants.Scope, req *returned) (any, error) {
	next, err := h.Service.Returned(ctx, sc, req.id)
	if err != nil {
		return nil, err
	}
	return goOn(sc, next), nil
}
