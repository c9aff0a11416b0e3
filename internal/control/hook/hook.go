package hook

import (
	"context"
	"time"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/hook"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
)

// Service implements the rules of the routes.
type Service struct {
	DB    *controldb.DB
	Authz *authz.Authorizer
	// Open returns the scope of an active project for a request of an actor.
	Open func(ctx context.Context, ref tenants.Ref, actor authz.Actor) (*tenants.Scope, error)
	// Tenant returns the snapshot of a project.
	Tenant func(ctx context.Context, ref tenants.Ref) (*tenants.Tenant, error)
	// Changed makes snapshots from now on have at least a version.
	Changed func(tenants.Change)
	Hooks   *hook.Hooks
	Now     func() time.Time
}

// statsOf is the age of the calls that List counts.
const statsOf = 24 * time.Hour

// List returns the hooks of a project, in the order of the settings.
func (s *Service) List(ctx context.Context, actor authz.Actor, ref string) ([]Hook, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadLogs, ref)
	if err != nil {
		return nil, err
	}
	t, err := s.Tenant(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	stats, err := s.DB.HookStats(ctx, p.Ref, s.Now().Add(-statsOf))
	if err != nil {
		return nil, err
	}
	var out []Hook
	for _, point := range setting.HookPoints() {
		cfg := t.Config.Hook(point)
		h := Hook{
			Point: point, Enabled: cfg.Enabled, URI: cfg.URI, Mode: cfg.Mode, Signed: t.Secrets.Settings[setting.HookSecrets(point)] != "",
			Paused: s.Hooks.Open(p.Ref, point),
		}
		if n, ok := stats[point]; ok {
			h.Last = &Stats{
				Calls: n.Calls, Failed: n.Failed, Refused: n.Refused, MedianMS: millis(n.Median), SlowestMS: millis(n.Slowest),
				At: n.LastAt.UTC(), Error: n.LastError,
			}
		}
		out = append(out, h)
	}
	return out, nil
}

// Calls returns the last calls of a hook, the newest first.
func (s *Service) Calls(ctx context.Context, actor authz.Actor, ref, point string, limit int) ([]controldb.HookCall, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadLogs, ref)
	if err != nil {
		return nil, err
	}
	return s.DB.HookCalls(ctx, p.Ref, point, limit)
}

// Test calls the saved hook with a sample payload.
func (s *Service) Test(ctx context.Context, actor authz.Actor, ref, point string) (*hook.Trial, error) {
	p, err := s.Authz.Project(ctx, actor, authz.WriteAuthConfig, ref)
	switch {
	case err != nil:
		return nil, err
	case p.Status.Paused():
		return nil, provision.ErrPaused
	case p.Status != tenants.StatusActive:
		return nil, provision.ErrNotReady
	}
	s.Changed(tenants.Change{Ref: p.Ref, Version: p.Version}) // what was saved a moment ago is what is tested
	sc, err := s.Open(ctx, p.Ref, actor)
	if err != nil {
		return nil, err
	}
	if sc.Tenant.Config.Hook(point).URI == "" {
		return &hook.Trial{Outcome: hook.OutcomeFailed, Error: "there is nothing to call: hook_" + point + "_uri is empty"}, nil
	}
	return s.Hooks.Try(ctx, sc, point)
}
