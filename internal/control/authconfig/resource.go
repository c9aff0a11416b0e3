package authconfig

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/web/control"
)

// Resource is the answer of version 2 of the API: a JSON:API resource (jsonapi.org,
// "Resource Objects").
type Resource struct {
	Data ResourceData `json:"data"`
}

// ResourceData is the resource object of a project's configuration.
type ResourceData struct {
	Type       string     `json:"type" enum:"project_config"`
	ID         string     `json:"id" doc:"The project's ref."`
	Attributes Attributes `json:"attributes"`
}

// Attributes is the configuration of the services that Reeve runs.
type Attributes struct {
	Auth *Config `json:"auth"`
}

// mountResource registers the route that the CLI compares configurations by.
func (h *Handler) mountResource(api control.API) {
	control.Register(api, control.Operation{
		ID: "get-project-config", Method: http.MethodGet, Path: "/v2/projects/{ref}/config", Tag: "Auth configuration",
		Summary: "Get the configuration of a project, as a JSON:API resource",
	}, h.resource)
}

func (h *Handler) resource(ctx context.Context, actor control.Actor, in *getInput) (*Resource, error) {
	config, err := h.get(ctx, actor, in)
	if err != nil {
		return nil, err
	}
	return &Resource{ResourceData{Type: "project_config", ID: in.Ref, Attributes: Attributes{Auth: config}}}, nil
}
