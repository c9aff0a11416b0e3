package project

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// services are the names that the reference has for a project's services.
var services = []string{"auth", "db", "db_postgres_user", "pooler", "realtime", "rest", "storage", "pg_bouncer"}

// Health checks services of a project. Auth and database are as healthy as the
// database's answer; what Reeve does not offer is told as not available.
func (s *Service) Health(ctx context.Context, actor authz.Actor, in *healthInput) ([]ServiceHealth, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadProject, in.Ref)
	if err != nil {
		return nil, err
	}
	wanted, err := in.services()
	if err != nil {
		return nil, err
	}
	checked := s.check(ctx, p, in.timeout())
	out := make([]ServiceHealth, len(wanted))
	for i, name := range wanted {
		out[i] = checked
		if name != "auth" && name != "db" && name != "db_postgres_user" {
			out[i] = ServiceHealth{Status: "UNHEALTHY", Error: "not available"}
		}
		out[i].Name = name
	}
	return out, nil
}

func (s *Service) check(ctx context.Context, p controldb.Project, timeout time.Duration) ServiceHealth {
	switch p.Status {
	case tenants.StatusActive:
	case tenants.StatusCreating:
		return ServiceHealth{Status: "COMING_UP"}
	default:
		return ServiceHealth{Status: "UNHEALTHY", Error: "the project is " + string(p.Status)}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := s.Servers.Health(ctx, p.Ref); err != nil {
		s.Log.WarnContext(ctx, "project is not healthy", "project", p.Ref, "error", err)
		return ServiceHealth{Status: "UNHEALTHY", Error: "the database does not answer"}
	}
	return ServiceHealth{Healthy: true, Status: "ACTIVE_HEALTHY"}
}

func (in *healthInput) services() ([]string, error) {
	var out []string
	for _, name := range strings.Split(strings.Join(in.Services, ","), ",") {
		name = strings.TrimSpace(name)
		switch {
		case name == "" || slices.Contains(out, name):
		case !slices.Contains(services, name):
			return nil, text.Invalid("services: must be of %s", strings.Join(services, ", "))
		default:
			out = append(out, name)
		}
	}
	if out == nil {
		out = []string{"auth", "db"}
	}
	return out, nil
}

func (in *healthInput) timeout() time.Duration {
	return time.Duration(in.TimeoutMS) * time.Millisecond
}
