// Package setuplink serves the links by which a company's administrator sets up its
// enterprise connection: to developers, who make and revoke them, and to whoever has one.
// What a link may do is decided by the service behind the project's own admin routes,
// through Links, so that there is one set of rules.
package setuplink

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the routes.
type Handler struct {
	Service *Service
}

const (
	path = "/v1/projects/{ref}/sso/setup-links"
	// OpenPath is where the page of a link asks, with the link's token as a bearer token.
	OpenPath = "/v1/sso-setup/{ref}"
)

func op(id, method, path, summary string) control.Operation {
	return control.Operation{ID: id, Method: method, Path: path, Summary: summary, Tag: "Enterprise SSO"}
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	control.Register(api, op("list-sso-setup-links", http.MethodGet, path, "List the setup links of a project, the newest first"), h.list)
	create := op("create-sso-setup-link", http.MethodPost, path, "Make a link by which a company's administrator sets up its connection; this answer alone shows it")
	create.Status = http.StatusCreated
	control.Register(api, create, h.create)
	control.Register(api, op("revoke-sso-setup-link", http.MethodDelete, path+"/{id}", "Revoke a setup link"), h.revoke)
	h.mountOpen(api)
}

type refInput struct {
	Ref string `path:"ref"`
}

type createInput struct {
	Ref  string `path:"ref"`
	Body auth.SetupLinkRequest
}

type linkInput struct {
	Ref string `path:"ref"`
	ID  string `path:"id" maxLength:"36"`
}

// List is the links of a project.
type List struct {
	Links []auth.SetupLink `json:"links"`
}

func (h *Handler) list(ctx context.Context, actor control.Actor, in *refInput) (*List, error) {
	return h.Service.List(ctx, actor, in.Ref)
}

func (h *Handler) create(ctx context.Context, actor control.Actor, in *createInput) (*auth.NewSetupLink, error) {
	return h.Service.Create(ctx, actor, in.Ref, &in.Body)
}

func (h *Handler) revoke(ctx context.Context, actor control.Actor, in *linkInput) (*auth.SetupLink, error) {
	return h.Service.Revoke(ctx, actor, in.Ref, in.ID)
}
