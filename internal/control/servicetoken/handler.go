package servicetoken

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the routes.
type Handler struct {
	Service *Service
}

const path = "/v1/organizations/{slug}/service-tokens"

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	control.Register(api, control.Operation{
		ID: "list-service-tokens", Method: http.MethodGet, Path: path,
		Summary: "List an organization's service tokens", Tag: "Organizations",
	}, h.list)
	control.Register(api, control.Operation{
		ID: "create-service-token", Method: http.MethodPost, Path: path,
		Summary: "Create a service token; needs a signed-in session", Tag: "Organizations",
		Status: http.StatusCreated, Creates: true,
	}, h.create)
	control.Register(api, control.Operation{
		ID: "delete-service-token", Method: http.MethodDelete, Path: path + "/{id}",
		Summary: "Revoke a service token", Tag: "Organizations",
	}, h.delete)
}

type bySlug struct {
	Slug string `path:"slug"`
}

type createInput struct {
	Slug string `path:"slug"`
	Body CreateBody
}

type byID struct {
	Slug string `path:"slug"`
	ID   string `path:"id"`
}

func (h *Handler) list(ctx context.Context, actor control.Actor, in *bySlug) (*[]Token, error) {
	out, err := h.Service.List(ctx, actor, in.Slug)
	return &out, err
}

func (h *Handler) create(ctx context.Context, actor control.Actor, in *createInput) (*Created, error) {
	return h.Service.Create(ctx, actor, in.Slug, in.Body)
}

func (h *Handler) delete(ctx context.Context, actor control.Actor, in *byID) (*Deleted, error) {
	return h.Service.Delete(ctx, actor, in.Slug, in.ID)
}
