package sso

import (
	"context"
	"net/url"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/saml"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// logoutQuery is the query of GET /sso/saml/slo, the redirect binding.
type logoutQuery struct {
	raw    string
	answer bool
}

// BindQuery implements web.QueryBinder.
func (r *logoutQuery) BindQuery(q url.Values, _ func(string) string) error {
	switch request, answer := q.Has("SAMLRequest"), q.Has("SAMLResponse"); {
	case request == answer:
		return auth.ErrValidation.Saying("One of SAMLRequest and SAMLResponse must be given")
	default:
		r.answer = answer
		return nil
	}
}

// BindRawQuery implements web.RawQueryBinder.
func (r *logoutQuery) BindRawQuery(raw string) { r.raw = raw }

func (h Handler) logoutQuery(ctx context.Context, sc *tenants.Scope, req *logoutQuery) (any, error) {
	m, err := saml.ParseLogoutQuery(req.raw, req.answer)
	return h.logout(ctx, sc, m, err)
}

// logoutForm is the form of POST /sso/saml/slo, the POST binding.
type logoutForm struct {
	Request    string `json:"SAMLRequest" form:"SAMLRequest"`
	Response   string `json:"SAMLResponse" form:"SAMLResponse"`
	RelayState string `json:"RelayState" form:"RelayState"`
}

func (h Handler) logoutForm(ctx context.Context, sc *tenants.Scope, req *logoutForm) (any, error) {
	if (req.Request == "") == (req.Response == "") {
		return nil, auth.ErrValidation.Saying("One of SAMLRequest and SAMLResponse must be given")
	}
	m, err := saml.ParseLogoutForm(req.Request+req.Response, req.RelayState, req.Response != "")
	return h.logout(ctx, sc, m, err)
}

func (h Handler) logout(ctx context.Context, sc *tenants.Scope, m *saml.Message, err error) (any, error) {
	if err != nil {
		return nil, refused(ctx, sc, "", uuid.Nil, err)
	}
	next, err := h.Service.Logout(ctx, sc, m)
	if err != nil {
		return nil, err
	}
	return goOn(sc, next), nil
}

// goOn sends the browser on.
func goOn(sc *tenants.Scope, next *Next) any {
	if next.Form != nil {
		p := web.Prompt{
			Title: "Signing out", Text: []string{"You are signed out of " + sc.Tenant.Name + ". Your browser goes on to the sign-in page of your company."},
			Button: "Continue", Action: next.Address, Submits: true,
		}
		for _, name := range []string{"SAMLRequest", "SAMLResponse", "RelayState"} {
			if value, ok := next.Form[name]; ok {
				p.Fields = append(p.Fields, web.PromptField{Name: name, Value: value})
			}
		}
		return p
	}
	if !redirect.Usable(next.Address) {
		return web.Prompt{Title: "You are signed out", Text: []string{"You can close this page."}}
	}
	return web.Redirect{Location: next.Address}
}

// logoutStart is the path of GET /sso/saml/slo/{logout_id}.
type logoutStart struct{ id uuid.UUID }

// BindQuery implements web.QueryBinder.
func (r *logoutStart) BindQuery(_ url.Values, param func(string) string) (err error) {
	if r.id, err = uuid.Parse(param("logout_id")); err != nil {
		return auth.ErrSSOLogoutNotFound.Because(err)
	}
	return nil
}

func (h Handler) logoutStart(ctx context.Context, sc *tenants.Scope, req *logoutStart) (any, error) {
	next, err := h.Service.LogoutForm(ctx, sc, req.id)
	if err != nil {
		return nil, err
	}
	return goOn(sc, next), nil
}
