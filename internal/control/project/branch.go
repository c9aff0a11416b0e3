package project

import (
	"context"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/internal/web/control"
)

// errPlatformBranch is returned for a branch of the dashboard's own project.
var errPlatformBranch = fault.New(fault.Forbidden, "platform_project", "The platform project cannot be branched")

type branchInput struct {
	Ref    string `path:"ref"`
	Reveal bool   `query:"reveal" doc:"Answer secret_key and db_url."`
	Body   BranchBody
}

// BranchBody is the body of a branch.
type BranchBody struct {
	Name string `json:"name" minLength:"1" maxLength:"256"`
	// GitBranch is only remembered.
	GitBranch string `json:"git_branch,omitempty" maxLength:"256" doc:"The branch of Git that it is for."`
	TTL       string `json:"ttl,omitempty" maxLength:"32" doc:"After what time the branch deletes itself, such as 90s, 30m or 24h; from 1m to 720h. Left out, it stays."`
}

// Branch copies a project into a new one of the same organization. It needs the
// permission to set the source's database password too: a copy shows all data.
// Faults: those of Create, branch_source_gone, branch_source_busy,
// branch_source_too_large, branch_refused.
func (s *Service) Branch(ctx context.Context, actor authz.Actor, ref string, b BranchBody, reveal bool) (*Created, error) {
	source, err := s.Authz.Project(ctx, actor, authz.ReadProject, ref)
	if err != nil {
		return nil, err
	}
	if err := s.Authz.Require(ctx, actor, authz.CreateProject, source.OrganizationID); err != nil {
		return nil, err
	}
	// Last, so that the audit log names the source.
	if source, err = s.Authz.Project(ctx, actor, authz.SetOwnerPassword, ref); err != nil {
		return nil, err
	}
	name, err := text.Name("name", b.Name, 1, 256)
	if err != nil {
		return nil, err
	}
	if b.GitBranch, err = gitBranch(b.GitBranch); err != nil {
		return nil, err
	}
	ttl, err := parseTTL(b.TTL)
	if err != nil {
		return nil, err
	}
	if source.Platform {
		return nil, errPlatformBranch
	}
	n := provision.NewProject{
		OrganizationID: source.OrganizationID, Name: name, Region: source.Region, CreatedBy: &actor.UserID, TTL: ttl, BranchOf: source.Ref,
		GitBranch: b.GitBranch,
	}
	org, err := s.DB.OrganizationByID(ctx, source.OrganizationID)
	if err != nil {
		return nil, err
	}
	out, err := s.create(ctx, n, org.Slug, reveal, s.Provision.Branch)
	if err != nil {
		// The project is gone, and with it the answer.
		if forget := control.Forget(context.WithoutCancel(ctx)); forget != nil {
			s.Log.WarnContext(ctx, "answer to a failed branch is remembered", "project", source.Ref, "error", forget)
		}
	}
	return out, err
}

// gitBranch checks the name of a branch of Git; "" for none.
func gitBranch(name string) (string, error) { return text.Name("git_branch", name, 0, 256) }

// Branches lists the branches of a project that exist for the actor, the oldest
// first.
func (s *Service) Branches(ctx context.Context, actor authz.Actor, ref string) ([]Project, error) {
	source, err := s.Authz.Project(ctx, actor, authz.ReadProject, ref)
	if err != nil {
		return nil, err
	}
	org, err := s.DB.OrganizationByID(ctx, source.OrganizationID)
	if err != nil {
		return nil, err
	}
	visible, err := s.Authz.Projects(ctx, actor, org)
	if err != nil {
		return nil, err
	}
	out := []Project{}
	for _, p := range visible {
		if p.BranchOf == source.Ref {
			out = append(out, onWire(p, org.Slug))
		}
	}
	return out, nil
}

// Reset replaces the database of a branch by a new copy of its source. Faults:
// project_not_branch and those of Branch.
func (s *Service) Reset(ctx context.Context, actor authz.Actor, ref string) (*Project, error) {
	p, err := s.Authz.Project(ctx, actor, authz.DeleteProject, ref)
	if err != nil {
		return nil, err
	}
	if p.BranchOf == "" {
		return nil, provision.ErrNoBranch
	}
	if _, err := s.Authz.Project(ctx, actor, authz.SetOwnerPassword, string(p.BranchOf)); err != nil {
		if fault.From(err).Kind == fault.NotFound {
			return nil, provision.ErrBranchSourceGone
		}
		return nil, err
	}
	org, err := s.DB.OrganizationByID(ctx, p.OrganizationID)
	if err != nil {
		return nil, err
	}
	p, err = s.Provision.ResetBranch(ctx, p.Ref)
	if err != nil {
		return nil, controldb.Fault(err)
	}
	out := onWire(p, org.Slug)
	return &out, nil
}
