package customprovider

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/connector/custom"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves /admin/custom-providers.
type Handler struct{ Service Service }

const path = "/admin/custom-providers"

// Mount adds the routes.
func (h Handler) Mount(r web.Routes) {
	r.Admin(tenants.ScopeProvidersRead).GET(path, web.Tenant(http.StatusOK, h.list))
	r.Admin(tenants.ScopeProvidersWrite).POST(path, web.Tenant(http.StatusCreated, h.create))
	r.Admin(tenants.ScopeProvidersRead).GET(path+"/:identifier", web.Tenant(http.StatusOK, h.get))
	r.Admin(tenants.ScopeProvidersWrite).PUT(path+"/:identifier", web.Tenant(http.StatusOK, h.update))
	r.Admin(tenants.ScopeProvidersWrite).DELETE(path+"/:identifier", web.Tenant(http.StatusNoContent, h.delete))
}

// named is a request that names a provider in its path.
type named struct{ identifier string }

// BindQuery implements web.QueryBinder.
func (r *named) BindQuery(_ url.Values, param func(string) string) error {
	r.identifier = param("identifier")
	switch {
	case !strings.HasPrefix(r.identifier, auth.CustomPrefix):
		return auth.ErrValidation.Saying("identifier must start with 'custom:' prefix")
	case !auth.ValidCustomIdentifier(r.identifier):
		return auth.ErrCustomProviderNotFound
	}
	return nil
}

// listRequest is the query of GET /admin/custom-providers.
type listRequest struct{ providerType string }

// BindQuery implements web.QueryBinder.
func (r *listRequest) BindQuery(q url.Values, _ func(string) string) error {
	r.providerType = q.Get("type")
	switch custom.Type(r.providerType) {
	case "", custom.OAuth2, custom.OIDC:
		return nil
	}
	return auth.ErrValidation.Saying("type must be either 'oauth2' or 'oidc'")
}

type providerList struct {
	Providers []auth.CustomProvider `json:"providers"`
}

func (h Handler) list(ctx context.Context, sc *tenants.Scope, req *listRequest) (providerList, error) {
	list, err := h.Service.List(ctx, sc, req.providerType)
	if list == nil {
		list = []auth.CustomProvider{}
	}
	return providerList{list}, err
}

// createRequest is the body of POST /admin/custom-providers.
type createRequest struct {
	Type       string `json:"provider_type"`
	Identifier string `json:"identifier"`
	Attributes
}

func (h Handler) create(ctx context.Context, sc *tenants.Scope, req *createRequest) (*auth.CustomProvider, error) {
	return h.Service.Create(ctx, sc, req.Type, req.Identifier, &req.Attributes)
}

func (h Handler) get(ctx context.Context, sc *tenants.Scope, req *named) (*auth.CustomProvider, error) {
	return h.Service.Provider(ctx, sc, req.identifier)
}

// updateRequest is the body and path of PUT /admin/custom-providers/{identifier}.
type updateRequest struct {
	Attributes
	named
}

func (h Handler) update(ctx context.Context, sc *tenants.Scope, req *updateRequest) (*auth.CustomProvider, error) {
	return h.Service.Update(ctx, sc, req.identifier, &req.Attributes)
}

func (h Handler) delete(ctx context.Context, sc *tenants.Scope, req *named) (web.NoContent, error) {
	return web.NoContent{}, h.Service.Delete(ctx, sc, req.identifier)
}
