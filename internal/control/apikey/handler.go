// Package apikey serves the API keys of a project in the Management API: the
// publishable and secret ones, and the switch for legacy JWT keys. Package
// tenants defines what a key is and verifies it.
package apikey

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the API keys' routes.
type Handler struct {
	Service *Service
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	const keys, legacy = "/v1/projects/{ref}/api-keys", "/v1/projects/{ref}/api-keys/legacy"
	op := func(id, method, path, summary string) control.Operation {
		return control.Operation{ID: id, Method: method, Path: path, Summary: summary, Tag: "API keys"}
	}
	create := op("create-api-key", http.MethodPost, keys, "Create an API key; a secret key's text is shown this once")
	create.Status, create.Creates = http.StatusCreated, true
	control.Register(api, create, h.create)
	control.Register(api, op("list-api-keys", http.MethodGet, keys, "List the API keys of a project"), h.list)
	control.Register(api, op("list-api-key-usage", http.MethodGet, keys+"/usage", "Tell who used the API keys of a project last, and how often they are used"), h.uses)
	control.Register(api, op("get-api-key-usage", http.MethodGet, keys+"/{id}/usage", "Tell who used an API key last, and how often it is used"), h.use)
	control.Register(api, op("get-api-key", http.MethodGet, keys+"/{id}", "Get an API key"), h.get)
	update := op("update-api-key", http.MethodPatch, keys+"/{id}", "Change an API key's name, description or restrictions")
	update.Body = UpdateBody{}
	control.Register(api, update, h.update)
	rotate := op("rotate-api-key", http.MethodPost, keys+"/{id}/rotate", "Replace an API key by a new one; the old one expires after an overlap")
	rotate.Status, rotate.Creates = http.StatusCreated, true
	control.Register(api, rotate, h.rotate)
	control.Register(api, op("delete-api-key", http.MethodDelete, keys+"/{id}", "Delete an API key"), h.remove)
	control.Register(api, op("get-legacy-api-keys", http.MethodGet, legacy, "Tell whether legacy JWT keys are accepted"), h.legacy)
	control.Register(api, op("set-legacy-api-keys", http.MethodPut, legacy, "Switch legacy JWT keys on or off"), h.setLegacy)
}

func (h *Handler) create(ctx context.Context, actor control.Actor, in *createInput) (*Key, error) {
	return h.Service.Create(ctx, actor, in.Ref, in.Body)
}

func (h *Handler) list(ctx context.Context, actor control.Actor, in *listInput) (*[]Key, error) {
	found, err := h.Service.List(ctx, actor, in.Ref)
	return &found, err
}

func (h *Handler) uses(ctx context.Context, actor control.Actor, in *refInput) (*[]Use, error) {
	found, err := h.Service.Uses(ctx, actor, in.Ref)
	return &found, err
}

func (h *Handler) use(ctx context.Context, actor control.Actor, in *useInput) (*Use, error) {
	return h.Service.Use(ctx, actor, in.Ref, in.ID)
}

func (h *Handler) get(ctx context.Context, actor control.Actor, in *keyInput) (*Key, error) {
	return h.Service.Get(ctx, actor, in.Ref, in.ID)
}

func (h *Handler) update(ctx context.Context, actor control.Actor, in *updateInput) (*Key, error) {
	return h.Service.Update(ctx, actor, in.Ref, in.ID, in.Body)
}

func (h *Handler) rotate(ctx context.Context, actor control.Actor, in *rotateInput) (*Key, error) {
	return h.Service.Rotate(ctx, actor, in.Ref, in.ID, in.Body)
}

func (h *Handler) remove(ctx context.Context, actor control.Actor, in *deleteInput) (*Key, error) {
	return h.Service.Delete(ctx, actor, in.Ref, in.ID, in.Deletion)
}

func (h *Handler) legacy(ctx context.Context, actor control.Actor, in *legacyInput) (*Legacy, error) {
	on, err := h.Service.Legacy(ctx, actor, in.Ref)
	return &Legacy{Enabled: on}, err
}

func (h *Handler) setLegacy(ctx context.Context, actor control.Actor, in *setLegacyInput) (*Legacy, error) {
	err := h.Service.SetLegacy(ctx, actor, in.Ref, in.Enabled)
	return &Legacy{Enabled: in.Enabled}, err
}
