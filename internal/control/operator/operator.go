// Package operator serves the operators of an installation: what it has, what in it
// needs somebody, and its scheduled work. It crosses organizations, so it shows of
// them what running them needs and nothing that projects store. To everybody else its
// routes do not exist.
package operator

import (
	"context"
	"strconv"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/job"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/internal/web/control"
)

// manyFailures is how many failed runs are shown.
const manyFailures = 100

// Service reads the installation.
type Service struct {
	DB      *controldb.DB
	Authz   *authz.Authorizer
	Version string
	// Server asks the Postgres server of projects.
	Server func(ctx context.Context) (provision.ServerState, error)
	// Schema is the version of projects' schema that this release brings.
	Schema func() (int64, error)
	// Retry makes a failed run of a job due.
	Retry func(ctx context.Context, id int64) error
}

// Overview sums the installation up. A server that cannot be reached is part of the
// answer, not an error.
func (s *Service) Overview(ctx context.Context, actor control.Actor) (*Overview, error) {
	if err := s.Authz.Operator(ctx, actor); err != nil {
		return nil, err
	}
	known, err := s.Schema()
	if err != nil {
		return nil, err
	}
	fleet, err := s.DB.Fleet(ctx, known)
	if err != nil {
		return nil, err
	}
	platform, err := s.DB.PlatformProject(ctx)
	if err != nil {
		return nil, err
	}
	out := overviewOnWire(fleet)
	out.Version, out.SchemaVersion, out.Platform = s.Version, known, string(platform.Ref)
	if state, err := s.Server(ctx); err != nil {
		out.Server.Problem = "The server does not answer: look into the log of Reeve"
	} else {
		out.Server = serverOnWire(state)
	}
	return &out, nil
}

// Organizations returns a page of all organizations.
func (s *Service) Organizations(ctx context.Context, actor control.Actor, in *organizationsInput) (*Organizations, error) {
	if err := s.Authz.Operator(ctx, actor); err != nil {
		return nil, err
	}
	found, err := s.DB.FleetOrganizations(ctx, in.Search, in.After, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &Organizations{Organizations: []Organization{}}
	for i, o := range found {
		if i == in.Limit {
			out.Next = &out.Organizations[i-1].Slug
			break
		}
		out.Organizations = append(out.Organizations, Organization(o))
	}
	return out, nil
}

// Projects returns a page of all projects.
func (s *Service) Projects(ctx context.Context, actor control.Actor, in *projectsInput) (*Projects, error) {
	if err := s.Authz.Operator(ctx, actor); err != nil {
		return nil, err
	}
	known, err := s.Schema()
	if err != nil {
		return nil, err
	}
	found, err := s.DB.FleetProjects(ctx, controldb.FleetFilter{
		Search: in.Search, Status: in.Status, Trouble: in.Trouble, After: in.After, Limit: in.Limit + 1, Known: known,
	})
	if err != nil {
		return nil, err
	}
	out := &Projects{Projects: []Project{}}
	for i, p := range found {
		if i == in.Limit {
			out.Next = &out.Projects[i-1].Ref
			break
		}
		out.Projects = append(out.Projects, projectOnWire(p))
	}
	return out, nil
}

// Jobs returns the scheduled tasks, and the runs that failed last.
func (s *Service) Jobs(ctx context.Context, actor control.Actor) (*Jobs, error) {
	if err := s.Authz.Operator(ctx, actor); err != nil {
		return nil, err
	}
	states, err := job.States(ctx, s.DB.Pool())
	if err != nil {
		return nil, err
	}
	failures, err := job.Failures(ctx, s.DB.Pool(), manyFailures)
	if err != nil {
		return nil, err
	}
	return jobsOnWire(states, failures), nil
}

// RetryJob makes a failed run due at once. job.ErrNoRun.
func (s *Service) RetryJob(ctx context.Context, actor control.Actor, id string) error {
	if err := s.Authz.Operator(ctx, actor); err != nil {
		return err
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return job.ErrNoRun
	}
	return s.Retry(ctx, n)
}
