package accesstoken

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the routes.
type Handler struct {
	Service *Service
}

const path = "/v1/profile/access-tokens"

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	control.Register(api, control.Operation{
		ID: "list-access-tokens", Method: http.MethodGet, Path: path,
		Summary: "List your access tokens", Tag: "Profile",
	}, h.list)
	control.Register(api, control.Operation{
		ID: "create-access-token", Method: http.MethodPost, Path: path,
		Summary: "Create an access token; needs a signed-in session", Tag: "Profile",
		Status: http.StatusCreated, Creates: true,
	}, h.create)
	control.Register(api, control.Operation{
		ID: "delete-access-token", Method: http.MethodDelete, Path: path + "/{id}",
		Summary: "Revoke an access token", Tag: "Profile",
	}, h.delete)
}

type createInput struct {
	Body CreateBody
}

type byID struct {
	ID string `path:"id"`
}

func (h *Handler) list(ctx context.Context, actor control.Actor, _ *struct{}) (*[]Token, error) {
	out, err := h.Service.List(ctx, actor)
	return &out, err
}

func (h *Handler) create(ctx context.Context, actor control.Actor, in *createInput) (*Created, error) {
	return h.Service.Create(ctx, actor, in.Body)
}

func (h *Handler) delete(ctx context.Context, actor control.Actor, in *byID) (*Deleted, error) {
	return h.Service.Delete(ctx, actor, in.ID)
}
