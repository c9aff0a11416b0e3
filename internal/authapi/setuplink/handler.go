package setuplink

import (
	"context"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves /admin/sso/setup-links. What the page of a link asks for is served by
// the control plane, on the host of the page.
type Handler struct{ Service Service }

const path = "/admin/sso/setup-links"

// Mount adds the routes.
func (h Handler) Mount(r web.Routes) {
	r.Admin(tenants.ScopeProvidersRead).GET(path, web.Tenant(http.StatusOK, h.list))
	r.Admin(tenants.ScopeProvidersWrite).POST(path, web.Tenant(http.StatusCreated, h.create))
	r.Admin(tenants.ScopeProvidersWrite).DELETE(path+"/:link_id", web.Tenant(http.StatusOK, h.revoke))
}

type linkList struct {
	Items []auth.SetupLink `json:"items"`
}

func (h Handler) list(ctx context.Context, sc *tenants.Scope, _ *web.None) (linkList, error) {
	list, err := h.Service.List(ctx, sc)
	return linkList{list}, err
}

func (h Handler) create(ctx context.Context, sc *tenants.Scope, req *auth.SetupLinkRequest) (*auth.NewSetupLink, error) {
	return h.Service.Create(ctx, sc, req)
}

// named is the path of DELETE /admin/sso/setup-links/{link_id}.
type named struct{ id uuid.UUID }

// BindQuery implements web.QueryBinder.
func (r *named) BindQuery(_ url.Values, param func(string) string) (err error) {
	if r.id, err = uuid.Parse(param("link_id")); err != nil {
		return auth.ErrSetupLinkNotFound.Because(err)
	}
	return nil
}

func (h Handler) revoke(ctx context.Context, sc *tenants.Scope, req *named) (*auth.SetupLink, error) {
	return h.Service.Revoke(ctx, sc, req.id)
}
