package project

import (
	"context"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// errPlatformPause is returned for the dashboard's own project.
var errPlatformPause = fault.New(fault.Forbidden, "platform_project", "The platform project cannot be paused")

// Pause closes a project's database and stops serving the project. It can be
// repeated. Faults: platform_project, project_not_ready.
func (s *Service) Pause(ctx context.Context, actor authz.Actor, ref string) (*Project, error) {
	return s.move(ctx, actor, ref, s.Provision.Pause)
}

// Restore opens the database of a paused project again. It can be repeated. Faults
// as Pause.
func (s *Service) Restore(ctx context.Context, actor authz.Actor, ref string) (*Project, error) {
	return s.move(ctx, actor, ref, s.Provision.Restore)
}

func (s *Service) move(ctx context.Context, actor authz.Actor, ref string,
	do func(context.Context, tenants.Ref) (controldb.Project, error),
) (*Project, error) {
	p, err := s.Authz.Project(ctx, actor, authz.PauseProject, ref)
	if err != nil {
		return nil, err
	}
	if p.Platform {
		return nil, errPlatformPause
	}
	org, err := s.DB.OrganizationByID(ctx, p.OrganizationID)
	if err != nil {
		return nil, err
	}
	control.Before(ctx, map[string]any{"status": statusOnWire(p.Status)})
	if p, err = do(ctx, p.Ref); err != nil {
		return nil, controldb.Fault(err)
	}
	out := onWire(p, org.Slug)
	return &out, nil
}
