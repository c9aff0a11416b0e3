// Package billing answers clients' requests about a project's bill. Nothing is
// billed, and there are no add-ons.
package billing

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the bill's route.
type Handler struct {
	Authz *authz.Authorizer
}

// Mount registers the route.
func (h *Handler) Mount(api control.API) {
	control.Register(api, control.Operation{
		ID: "list-project-addons", Method: http.MethodGet, Path: "/v1/projects/{ref}/billing/addons",
		Summary: "List the add-ons of a project: there are none", Tag: "Billing",
	}, h.addons)
}

// Addons are the add-ons of a project. The CLI and the Terraform provider read
// them before they change or show a project.
type Addons struct {
	Selected  []Addon `json:"selected_addons"`
	Available []Addon `json:"available_addons"`
}

// Addon is an add-on of a project.
type Addon struct {
	Type string `json:"type"`
}

type refInput struct {
	Ref string `path:"ref"`
}

func (h *Handler) addons(ctx context.Context, actor control.Actor, in *refInput) (*Addons, error) {
	if _, err := h.Authz.Project(ctx, actor, authz.ReadProject, in.Ref); err != nil {
		return nil, err
	}
	return &Addons{Selected: []Addon{}, Available: []Addon{}}, nil
}
