package sso

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/connection"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves the routes.
type Handler struct{ Service Service }

const (
	providers = "/admin/sso/providers"
	domains   = providers + "/:id/domains"
	keys      = "/admin/sso/keys"
)

// Mount adds the routes. Browsers and identity providers open the metadata and the
// assertion consumer service without a key.
func (h Handler) Mount(r web.Routes) {
	r.Keyed.With(web.LimitSSO).WithCaptcha().POST("/sso", web.Tenant(http.StatusOK, h.begin))
	r.Open.With(web.LimitSSO).GET("/sso/saml/metadata", web.Tenant(http.StatusOK, h.metadata))
	r.Open.With(web.LimitAssertion).POST("/sso/saml/acs", web.Tenant(http.StatusOK, h.finish))
	r.Open.With(web.LimitAssertion).GET("/sso/saml/slo", web.Tenant(http.StatusOK, h.logoutQuery))
	r.Open.With(web.LimitAssertion).POST("/sso/saml/slo", web.Tenant(http.StatusOK, h.logoutForm))
	r.Open.With(web.LimitAssertion).GET("/sso/saml/slo/:logout_id", web.Tenant(http.StatusOK, h.logoutStart))
	r.Open.With(web.LimitAssertion).GET("/sso/oidc/callback/:id", web.Tenant(http.StatusOK, h.callback))
	r.Open.With(web.LimitAssertion).POST("/sso/oidc/backchannel-logout/:id", web.Tenant(http.StatusOK, h.backchannel))
	r.Open.With(web.LimitAssertion).GET("/sso/oidc/logged-out", web.Tenant(http.StatusOK, h.loggedOut))
	r.Open.With(web.LimitSSO).GET("/sso/choose/:choice_id", web.Tenant(http.StatusOK, h.choices))
	r.Open.With(web.LimitSSO).POST("/sso/choose/:choice_id", web.Tenant(http.StatusOK, h.choose))
	r.Open.With(web.LimitVerify).GET("/sso/domains/verify", web.Tenant(http.StatusOK, h.ask))
	r.Open.With(web.LimitVerify).POST("/sso/domains/verify", web.Tenant(http.StatusOK, h.agree))
	r.Admin(tenants.ScopeProvidersRead).GET(providers, web.Tenant(http.StatusOK, h.list))
	r.Admin(tenants.ScopeProvidersWrite).POST(providers, web.Tenant(http.StatusCreated, h.create))
	r.Admin(tenants.ScopeProvidersRead).GET(providers+"/:id", web.Tenant(http.StatusOK, connection.Found(h.get)))
	r.Admin(tenants.ScopeProvidersWrite).PUT(providers+"/:id", web.Tenant(http.StatusOK, connection.Found(h.update)))
	r.Admin(tenants.ScopeProvidersWrite).DELETE(providers+"/:id", web.Tenant(http.StatusOK, connection.Found(h.delete)))
	r.Admin(tenants.ScopeUsersRead).GET(providers+"/:id/attempts", web.Tenant(http.StatusOK, connection.Found(h.attempts)))
	r.Admin(tenants.ScopeProvidersRead).GET(domains, web.Tenant(http.StatusOK, connection.Found(h.claims)))
	r.Admin(tenants.ScopeProvidersWrite).POST(domains, web.Tenant(http.StatusCreated, connection.Found(h.claim)))
	r.Admin(tenants.ScopeProvidersWrite).DELETE(domains+"/:domain", web.Tenant(http.StatusNoContent, connection.Found(h.drop)))
	r.Admin(tenants.ScopeProvidersWrite).POST(domains+"/:domain/check", web.Tenant(http.StatusOK, connection.Found(h.check)))
	r.Admin(tenants.ScopeProvidersWrite).POST(domains+"/:domain/mail", web.Tenant(http.StatusNoContent, connection.Found(h.mail)))
	r.Admin(tenants.ScopeProvidersWrite).POST(domains+"/:domain/consent", web.Tenant(http.StatusOK, connection.Found(h.consent)))
	r.Admin(tenants.ScopeProvidersRead).GET(keys, web.Tenant(http.StatusOK, h.keys))
	r.Admin(tenants.ScopeProvidersWrite).POST(keys, web.Tenant(http.StatusCreated, h.addKey))
	r.Admin(tenants.ScopeProvidersWrite).DELETE(keys+"/:key_id", web.Tenant(http.StatusOK, h.removeKey))
}

// startRequest is the body of POST /sso.
type startRequest struct {
	Provider   string `json:"provider_id"`
	Domain     string `json:"domain"`
	RedirectTo string `json:"redirect_to"`
	Skip       bool   `json:"skip_http_redirect"`
	pkce.Challenge
	redirect.Asked
}

// location is the answer to an app that opens the address itself.
type location struct {
	URL string `json:"url"`
}

func (h Handler) begin(ctx context.Context, sc *tenants.Scope, req *startRequest) (any, error) {
	st := Start{Domain: strings.ToLower(strings.TrimSpace(req.Domain)), RedirectTo: req.Asked.Or(req.RedirectTo), PKCE: req.Challenge}
	if err := st.PKCE.Check(); err != nil {
		return nil, err
	}
	switch {
	case req.Provider != "" && st.Domain != "":
		return nil, auth.ErrValidation.Saying("Only one of provider_id or domain supported")
	case req.Provider != "":
		id, err := uuid.Parse(req.Provider)
		if err != nil {
			return nil, auth.ErrSSOProviderNotFound.Saying("No such SSO provider")
		}
		st.Provider = id
	case st.Domain == "":
		return nil, auth.ErrValidation.Saying("A provider_id or domain needs to be provided")
	}
	address, err := h.Service.Begin(ctx, sc, st)
	if err != nil {
		return nil, err
	}
	if req.Skip {
		return location{address}, nil
	}
	return web.Redirect{Location: address}, nil
}

// metadataRequest is the query of GET /sso/saml/metadata.
type metadataRequest struct{ download bool }

// BindQuery implements web.QueryBinder.
func (r *metadataRequest) BindQuery(q url.Values, _ func(string) string) error {
	r.download, _ = strconv.ParseBool(q.Get("download"))
	return nil
}

func (h Handler) metadata(ctx context.Context, sc *tenants.Scope, req *metadataRequest) (any, error) {
	raw, err := h.Service.Metadata(ctx, sc)
	if err != nil {
		return nil, err
	}
	out := web.Raw{ContentType: "application/xml", Body: raw, Cache: "public, max-age=600"}
	if req.download {
		out.Name = "metadata.xml"
	}
	return out, nil
}

// posted is the form of the HTTP-POST binding.
type posted struct {
	Response   string `json:"SAMLResponse" form:"SAMLResponse"`
	RelayState string `json:"RelayState" form:"RelayState"`
}

func (h Handler) finish(ctx context.Context, sc *tenants.Scope, req *posted) (any, error) {
	site := sc.Tenant.Config.SiteURL
	if req.Response == "" {
		return tell(site, auth.ErrValidation.Saying("SAMLResponse is missing"), nil)
	}
	out, err := h.Service.FinishSAML(ctx, sc, req.Response, req.RelayState)
	return arrive(site, out, err)
}

// arrive sends the browser to the app with the outcome of a sign-in.
func arrive(site string, out *Outcome, err error) (any, error) {
	switch {
	case err != nil:
		return tell(site, err, out)
	case out.DryRun != uuid.Nil:
		return web.Redirect{Location: out.RedirectTo}, nil
	case out.Code != "":
		return web.Redirect{Location: redirect.WithCode(out.RedirectTo, out.Code)}, nil
	}
	return web.Redirect{Location: redirect.WithFragment(out.RedirectTo, out.Tokens.Values())}, nil
}

// tell sends the browser back to the app with an error. Errors of the server that no
// app waits for are answered directly.
func tell(site string, err error, out *Outcome) (any, error) {
	f := fault.From(err)
	if out != nil && out.DryRun != uuid.Nil {
		return web.Redirect{Location: out.RedirectTo, Err: err}, nil
	}
	if out == nil || out.RedirectTo == "" {
		if !redirect.Usable(site) || f.Kind == fault.Internal || f.Kind == fault.Unavailable {
			return nil, err
		}
		return web.Redirect{Location: redirect.WithQueryError(site, f), Err: err}, nil
	}
	if !redirect.Usable(out.RedirectTo) {
		return nil, err
	}
	return web.Redirect{Location: redirect.WithError(out.RedirectTo, f, true), Err: err}, nil
}

// named is a request of an identity provider that names a connection in its path.
type named struct{ id uuid.UUID }

// BindQuery implements web.QueryBinder.
func (r *named) BindQuery(_ url.Values, param func(string) string) (err error) {
	text := param("id")
	if r.id, err = uuid.Parse(text); err != nil || len(text) != 36 { // Parse also accepts other forms
		return auth.ErrSSOProviderNotFound.Because(err).Saying("SSO Identity Provider not found")
	}
	return nil
}

type providerList struct {
	Items []auth.SSOProvider `json:"items"`
}

func (h Handler) list(ctx context.Context, sc *tenants.Scope, _ *web.None) (providerList, error) {
	list, err := h.Service.List(ctx, sc)
	return providerList{list}, err
}

// createRequest is the body of POST /admin/sso/providers.
type createRequest struct {
	Type string `json:"type"`
	Attributes
}

func (h Handler) create(ctx context.Context, sc *tenants.Scope, req *createRequest) (*auth.SSOProvider, error) {
	return h.Service.Create(ctx, sc, req.Type, &req.Attributes)
}

func (h Handler) get(ctx context.Context, sc *tenants.Scope, req *connection.Path) (*auth.SSOProvider, error) {
	p, err := h.Service.Provider(ctx, sc, req.Connection())
	return p, inAdmin(err)
}

// updateRequest is the body and path of PUT /admin/sso/providers/{id}.
type updateRequest struct {
	Attributes
	connection.Path
}

func (h Handler) update(ctx context.Context, sc *tenants.Scope, req *updateRequest) (*auth.SSOProvider, error) {
	p, err := h.Service.Update(ctx, sc, req.Connection(), &req.Attributes)
	return p, inAdmin(err)
}

func (h Handler) delete(ctx context.Context, sc *tenants.Scope, req *connection.Path) (*auth.SSOProvider, error) {
	p, err := h.Service.Delete(ctx, sc, req.Connection())
	return p, inAdmin(err)
}

// inAdmin words the error of a connection that is not there for who administers them.
func inAdmin(err error) error {
	if errors.Is(err, auth.ErrSSOProviderNotFound) {
		return auth.ErrSSOProviderNotFound.Because(err).Saying("SSO Identity Provider not found")
	}
	return err
}
