// Package customprovider serves the identity providers that a project defines itself
// in the Management API, for the members of its organization. What a definition must
// be is decided by the service behind the project's own admin routes, through
// Providers, so that there is one set of rules. A provider is tested by
// authconfig.Handler, like those that Reeve knows.
package customprovider

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the routes.
type Handler struct {
	Service *Service
}

const path = "/v1/projects/{ref}/auth/custom-providers"

func op(id, method, below, summary string) control.Operation {
	return control.Operation{ID: id, Method: method, Path: path + below, Summary: summary, Tag: "Auth configuration"}
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	control.Register(api, op("list-custom-providers", http.MethodGet, "", "List the identity providers that a project defines itself, the oldest first"), h.list)
	create := op("create-custom-provider", http.MethodPost, "", "Define an identity provider")
	create.Status, create.Recorded = http.StatusCreated, recorded
	control.Register(api, create, h.create)
	control.Register(api, op("get-custom-provider", http.MethodGet, "/{id}", "Get an identity provider that a project defines itself"), h.get)
	update := op("update-custom-provider", http.MethodPatch, "/{id}", "Change members of an identity provider that a project defines itself")
	update.Recorded = recorded
	control.Register(api, update, h.update)
	control.Register(api, op("delete-custom-provider", http.MethodDelete, "/{id}", "Delete an identity provider that a project defines itself; the identities of its users stay"), h.remove)
}

func (h *Handler) list(ctx context.Context, actor control.Actor, in *refInput) (*List, error) {
	return h.Service.List(ctx, actor, in.Ref)
}

func (h *Handler) create(ctx context.Context, actor control.Actor, in *createInput) (*Provider, error) {
	return h.Service.Create(ctx, actor, in.Ref, in.Body)
}

func (h *Handler) get(ctx context.Context, actor control.Actor, in *ProviderInput) (*Provider, error) {
	return h.Service.Get(ctx, actor, in.Ref, in.ID)
}

func (h *Handler) update(ctx context.Context, actor control.Actor, in *updateInput) (*Provider, error) {
	return h.Service.Update(ctx, actor, in.Ref, in.ID, in.Body)
}

func (h *Handler) remove(ctx context.Context, actor control.Actor, in *ProviderInput) (*Provider, error) {
	return h.Service.Delete(ctx, actor, in.Ref, in.ID)
}
