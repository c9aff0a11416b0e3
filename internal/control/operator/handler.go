package operator

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the routes.
type Handler struct {
	Service *Service
}

const path = "/v1/operator"

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	control.Register(api, control.Operation{
		ID: "get-installation", Method: http.MethodGet, Path: path,
		Summary: "What the installation has, and what in it needs somebody", Tag: "Operator",
	}, func(ctx context.Context, actor control.Actor, _ *struct{}) (*Overview, error) {
		return h.Service.Overview(ctx, actor)
	})
	control.Register(api, control.Operation{
		ID: "list-all-organizations", Method: http.MethodGet, Path: path + "/organizations",
		Summary: "List all organizations, by slug", Tag: "Operator",
	}, h.Service.Organizations)
	control.Register(api, control.Operation{
		ID: "list-all-projects", Method: http.MethodGet, Path: path + "/projects",
		Summary: "List all projects, by ref", Tag: "Operator",
	}, h.Service.Projects)
	control.Register(api, control.Operation{
		ID: "list-jobs", Method: http.MethodGet, Path: path + "/jobs",
		Summary: "List the scheduled tasks, and runs that failed", Tag: "Operator",
	}, func(ctx context.Context, actor control.Actor, _ *struct{}) (*Jobs, error) {
		return h.Service.Jobs(ctx, actor)
	})
	control.Register(api, control.Operation{
		ID: "retry-job", Method: http.MethodPost, Path: path + "/jobs/{id}/retry",
		Summary: "Try a run that failed again, now", Tag: "Operator",
	}, h.retry)
}

type organizationsInput struct {
	Search string `query:"q" maxLength:"100" doc:"Part of a name or slug."`
	After  string `query:"after" maxLength:"64" doc:"The next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type projectsInput struct {
	Search  string `query:"q" maxLength:"100" doc:"Part of a name or ref, or of the slug of an organization."`
	Status  string `query:"status" enum:"creating,active,pausing,paused,restoring,failed,deleting" doc:"All by default."`
	Trouble string `query:"trouble" enum:"failing,behind,shut_out,errors" doc:"Only projects with it."`
	After   string `query:"after" maxLength:"20" doc:"The next of the page before."`
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type retryInput struct {
	ID string `path:"id" maxLength:"36"`
}

// Retried names the run that is tried again.
type Retried struct {
	ID string `json:"id"`
}

func (h *Handler) retry(ctx context.Context, actor control.Actor, in *retryInput) (*Retried, error) {
	return &Retried{ID: in.ID}, h.Service.RetryJob(ctx, actor, in.ID)
}
