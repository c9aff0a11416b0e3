package project

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// The names that the reference has for a project's services: those that Reeve
// runs, and all of them.
var (
	running  = []string{"auth", "db", ownerService}
	services = append(slices.Clip(running), "pooler", "realtime", "rest", "storage", "pg_bouncer")
)

// ownerService is the service that stands for logins of developers.
const ownerService = "db_postgres_user"

// Health checks services of a project. Auth and database are as healthy as the
// database's answer. A service that Reeve does not run is left out, because
// clients such as the Terraform provider wait until each service in the answer is
// healthy; for the same reason findings do not change the status.
func (s *Service) Health(ctx context.Context, actor authz.Actor, in *healthInput) ([]ServiceHealth, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadProject, in.Ref)
	if err != nil {
		return nil, err
	}
	wanted, err := in.services()
	if err != nil {
		return nil, err
	}
	out := make([]ServiceHealth, len(wanted))
	if len(wanted) == 0 {
		return out, nil
	}
	checked := s.check(ctx, p, in.timeout())
	developer, err := s.checkLogin(ctx, p, checked)
	if err != nil {
		return nil, err
	}
	for i, name := range wanted {
		out[i] = checked
		if name == ownerService {
			out[i] = developer
		}
		out[i].Name = name
		if name != "auth" {
			continue
		}
		if out[i].Findings, err = s.findings(ctx, p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// checkLogin returns the health of the developers' role: that of the database,
// unless the role cannot log in for a while.
func (s *Service) checkLogin(ctx context.Context, p controldb.Project, checked ServiceHealth) (ServiceHealth, error) {
	out, found, err := s.DB.ShutOut(ctx, p.Ref)
	if err != nil || !found || !out.Until.After(time.Now()) {
		return checked, err
	}
	return ServiceHealth{Status: "UNHEALTHY", Error: "the project's database role cannot log in until " +
		out.Until.Format(time.RFC3339) + ", because its sessions repeatedly disturbed other projects: " + out.Cause}, nil
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
		return ServiceHealth{Status: "UNHEALTHY", Error: unhealthy(err)}
	}
	return ServiceHealth{Healthy: true, Status: "ACTIVE_HEALTHY"}
}

// unhealthy says why the database cannot be used, as far as that may be shown.
func unhealthy(err error) string {
	if f := fault.From(err); f.Kind == fault.Unavailable {
		return f.Message
	}
	return "the database does not answer"
}

// services returns the services to check: of those that were asked for, the ones
// that run.
func (in *healthInput) services() ([]string, error) {
	var out []string
	asked := false
	for _, name := range strings.Split(strings.Join(in.Services, ","), ",") {
		name = strings.TrimSpace(name)
		switch {
		case name == "" || slices.Contains(out, name):
			continue
		case !slices.Contains(services, name):
			return nil, text.Invalid("services: must be of %s", strings.Join(services, ", "))
		case slices.Contains(running, name):
			out = append(out, name)
		}
		asked = true
	}
	if !asked {
		out = []string{"auth", "db"}
	}
	return out, nil
}

func (in *healthInput) timeout() time.Duration {
	return time.Duration(in.TimeoutMS) * time.Millisecond
}
