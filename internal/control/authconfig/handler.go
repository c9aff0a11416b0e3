// Package authconfig serves a project's auth configuration in the Management
// API: reading it, and changing single settings, where each change is a new
// version. It owns how secret settings are answered. Package setting declares
// the settings and their values.
package authconfig

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the configuration's routes.
type Handler struct {
	Service *Service
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	h.mountResource(api)
	const path = "/v1/projects/{ref}/config/auth"
	answer := answerSchema()
	control.Register(api, control.Operation{
		ID: "get-auth-config", Method: http.MethodGet, Path: path, Tag: "Auth configuration",
		Summary: "Get the auth configuration of a project", Answer: &answer,
	}, h.get)
	control.Register(api, control.Operation{
		ID: "update-auth-config", Method: http.MethodPatch, Path: path, Tag: "Auth configuration",
		Summary: "Change fields of the auth configuration; null brings a default back",
		Body:    bodySchema(), Answer: &answer,
	}, h.update)
}

type getInput struct {
	Ref string `path:"ref"`
}

type updateInput struct {
	Ref  string `path:"ref"`
	Body control.Object
}

func (h *Handler) get(ctx context.Context, actor control.Actor, in *getInput) (*Config, error) {
	config, err := h.Service.Get(ctx, actor, in.Ref)
	return &config, err
}

func (h *Handler) update(ctx context.Context, actor control.Actor, in *updateInput) (*Config, error) {
	config, err := h.Service.Update(ctx, actor, in.Ref, in.Body)
	return &config, err
}
