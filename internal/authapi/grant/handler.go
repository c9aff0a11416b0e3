package grant

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Grant is a grant_type of POST /token.
type Grant interface {
	// Redeem decodes its members of the request and answers with a session.
	Redeem(ctx context.Context, sc *tenants.Scope, members Members) (any, error)
}

// Handler serves POST /token.
type Handler struct {
	Grants map[string]Grant // by grant_type
}

// Mount adds the route.
func (h Handler) Mount(r web.Routes) {
	r.Keyed.With(web.LimitToken).WithCaptcha(web.Grants("refresh_token", "pkce", "id_token")).POST("/token", web.Tenant(http.StatusOK, h.token))
}

// request is the part of POST /token that all grants share.
type request struct {
	grantType string
	Members
}

// BindQuery implements web.QueryBinder.
func (r *request) BindQuery(q url.Values, _ func(string) string) error {
	r.grantType = q.Get("grant_type")
	return nil
}

func (h Handler) token(ctx context.Context, sc *tenants.Scope, req *request) (any, error) {
	grant, ok := h.Grants[req.grantType]
	if !ok {
		return nil, auth.ErrUnknownGrant
	}
	return grant.Redeem(ctx, sc, req.Members)
}

// Members are the members of the request's body; each grant decodes its own.
type Members struct{ raw json.RawMessage }

// UnmarshalJSON implements json.Unmarshaler.
func (m *Members) UnmarshalJSON(raw []byte) error {
	m.raw = append(m.raw[:0], raw...)
	return nil
}

// Decode reads the members that into has; auth.ErrBadJSON.
func (m Members) Decode(into any) error {
	if len(m.raw) == 0 {
		return nil
	}
	return web.DecodeJSON(m.raw, into)
}
