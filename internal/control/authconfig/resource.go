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
	Type       string     `json:"type"`
	ID         string     `json:"id"` // the ref
	Attributes Attributes `json:"attributes"`
}

// Attributes is the configuration of the services that Reeve runs.
type Attributes struct {
	Auth *Config `json:"auth"`
}

// mountResource registers the route with which the CLI compares configurations.
func (h *Handler) mountResource(api control.API) {
	control.Register(api, control.Operation{
		ID: "get-project-config", Method: http.MethodGet, Path: "/v2/projects/{ref}/config", Tag: "Auth configuration",
		Summary: "Get the configuration of a project, as a JSON:API resource", Answer: resourceSchema(),
	}, h.resource)
}

// resourceSchema describes Resource in the OpenAPI document.
func resourceSchema() *control.ObjectSchema {
	auth := answerSchema()
	attributes := control.ObjectSchema{Name: "ProjectConfigAttributes", Required: true, Members: []control.MemberSchema{
		{Name: "auth", Object: &auth},
	}}
	data := control.ObjectSchema{Name: "ProjectConfigData", Required: true, Members: []control.MemberSchema{
		{Name: "type", Type: "string", Enum: []string{"project_config"}},
		{Name: "id", Type: "string", Doc: "The project's ref."},
		{Name: "attributes", Object: &attributes},
	}}
	return &control.ObjectSchema{Name: "ProjectConfig", Required: true, Members: []control.MemberSchema{
		{Name: "data", Object: &data},
	}}
}

func (h *Handler) resource(ctx context.Context, actor control.Actor, in *getInput) (*Resource, error) {
	config, err := h.get(ctx, actor, in)
	if err != nil {
		return nil, err
	}
	return &Resource{ResourceData{Type: "project_config", ID: in.Ref, Attributes: Attributes{Auth: config}}}, nil
}
