// Package permission tells an actor of the Management API what they may do, so that
// a client need not guess it from the name of a role. It decides nothing.
package permission

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the routes.
type Handler struct{ Authz *authz.Authorizer }

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	control.Register(api, control.Operation{
		ID: "list-permissions", Method: http.MethodGet, Path: "/v1/permissions",
		Summary: "List all permissions", Tag: "Permissions",
	}, h.list)
	control.Register(api, control.Operation{
		ID: "get-organization-permissions", Method: http.MethodGet, Path: "/v1/organizations/{slug}/permissions",
		Summary: "What you may do in an organization", Tag: "Permissions",
	}, h.organization)
	control.Register(api, control.Operation{
		ID: "get-project-permissions", Method: http.MethodGet, Path: "/v1/projects/{ref}/permissions",
		Summary: "What you may do in a project", Tag: "Permissions",
	}, h.project)
}

// Permission is a permission on the wire.
type Permission struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	// OrganizationOnly says that a role in a single project never has it.
	OrganizationOnly bool `json:"organization_only" doc:"A role in a single project never has it."`
	ForServiceTokens bool `json:"for_service_tokens" doc:"A service token can have it."`
}

// Held is what an actor may do somewhere.
type Held struct {
	Role        string   `json:"role" doc:"In the organization; empty for none, and for a service token."`
	ProjectRole string   `json:"project_role" doc:"In the project alone; empty for none."`
	Permissions []string `json:"permissions"`
}

type bySlug struct {
	Slug string `path:"slug"`
}

type byRef struct {
	Ref string `path:"ref"`
}

func (h *Handler) list(context.Context, control.Actor, *struct{}) (*[]Permission, error) {
	out := []Permission{}
	for _, a := range authz.Actions() {
		out = append(out, Permission{
			Name: string(a), Description: a.Sentence(), OrganizationOnly: a.OfOrganization(), ForServiceTokens: a.ForServices(),
		})
	}
	return &out, nil
}

func (h *Handler) organization(ctx context.Context, actor control.Actor, in *bySlug) (*Held, error) {
	_, g, err := h.Authz.OrganizationGrants(ctx, actor, in.Slug)
	return held(g, err)
}

func (h *Handler) project(ctx context.Context, actor control.Actor, in *byRef) (*Held, error) {
	_, g, err := h.Authz.ProjectGrants(ctx, actor, in.Ref)
	return held(g, err)
}

func held(g authz.Grants, err error) (*Held, error) {
	if err != nil {
		return nil, err
	}
	role, project := g.Roles()
	out := &Held{Role: string(role), ProjectRole: string(project), Permissions: []string{}}
	for _, a := range g.Permissions() {
		out.Permissions = append(out.Permissions, string(a))
	}
	return out, nil
}
