package tidy_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/authapi/tidy"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// tidier works for the two projects of the fixture and knows no others.
func tidier(f *flowtest.Fixture, log *bytes.Buffer) *tidy.Tidier {
	projects := map[tenants.Ref]*flowtest.Project{f.A.Tenant().Ref: f.A, f.B.Tenant().Ref: f.B}
	return &tidy.Tidier{
		Now: f.Clock.Now, Logger: slog.New(slog.NewTextHandler(log, nil)),
		Tenant: func(_ context.Context, ref tenants.Ref) (*tenants.Tenant, error) {
			switch p := projects[ref]; {
			case p != nil:
				return p.Tenant(), nil
			case ref == "gone":
				return nil, tenants.ErrUnknownProject
			}
			return nil, errors.New("the registry is down")
		},
		Database: func(t *tenants.Tenant) *tenantdb.DB { return projects[t.Ref].DB },
	}
}

func addFlows(t *testing.T, p *flowtest.Project, n int) {
	t.Helper()
	p.Exec(t, `INSERT INTO auth.flow_state (id, provider_type, authentication_method, created_at)
		SELECT gen_random_uuid(), 'email', 'otp', 'epoch' FROM generate_series(1, $1)`, n)
}

func flows(t *testing.T, p *flowtest.Project) int {
	t.Helper()
	return p.Count(t, `SELECT count(*) FROM auth.flow_state`)
}

// A project has a turn an hour, and in it all that is to be removed goes.
func TestRun(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	var log bytes.Buffer
	job := tidier(f, &log)
	a, b := f.A.Tenant().Ref, f.B.Tenant().Ref
	addFlows(t, f.A, 2*tenantdb.TidyBatch+1)
	addFlows(t, f.B, 1)
	job.Run(ctx, []tenants.Ref{"gone", a})
	if flows(t, f.A) != 0 || flows(t, f.B) != 1 {
		t.Errorf("%d and %d left, want none, and one of the project that was not in use", flows(t, f.A), flows(t, f.B))
	}
	addFlows(t, f.A, 1)
	f.Clock.Advance(time.Hour - time.Second)
	job.Run(ctx, []tenants.Ref{a, b})
	if flows(t, f.A) != 1 || flows(t, f.B) != 0 {
		t.Errorf("%d and %d left, want the one of the project that had its turn", flows(t, f.A), flows(t, f.B))
	}
	f.Clock.Advance(time.Second)
	job.Run(ctx, []tenants.Ref{a})
	if flows(t, f.A) != 0 {
		t.Error("no second turn after an hour")
	}
	if log.Len() > 0 {
		t.Errorf("logged: %s", &log)
	}
}

// The project's limits on sessions are those that count.
func TestRunSessions(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true }), context.Background()
	f.A.Configure(func(c *tenants.Config) { c.SessionsTimebox = 1 })
	for _, p := range []*flowtest.Project{f.A, f.B} {
		p.SignUp(t, "ann@example.com", "password123")
	}
	f.Clock.Advance(74 * time.Hour)
	var log bytes.Buffer
	tidier(f, &log).Run(ctx, []tenants.Ref{f.A.Tenant().Ref, f.B.Tenant().Ref})
	const sessions = `SELECT count(*) FROM auth.sessions`
	if f.A.Count(t, sessions) != 0 || f.B.Count(t, sessions) != 1 {
		t.Errorf("%d and %d sessions, want none where they have an end, and one", f.A.Count(t, sessions), f.B.Count(t, sessions))
	}
}

// What fails for one project does not keep the next from its turn.
func TestRunFails(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	f.A.Change(func(t *tenants.Tenant) { t.Status = tenants.StatusPaused })
	addFlows(t, f.A, 1)
	addFlows(t, f.B, 1)
	var log bytes.Buffer
	tidier(f, &log).Run(ctx, []tenants.Ref{"unknown", f.A.Tenant().Ref, f.B.Tenant().Ref})
	if flows(t, f.A) != 1 || flows(t, f.B) != 0 {
		t.Errorf("%d and %d left, want one of the paused project, and none", flows(t, f.A), flows(t, f.B))
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "project=unknown") || !strings.Contains(got, "registry is down") {
		t.Errorf("logged: %s", got)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	addFlows(t, f.B, 1)
	log.Reset()
	if tidier(f, &log).Run(stopped, []tenants.Ref{f.B.Tenant().Ref}); flows(t, f.B) != 1 || log.Len() > 0 {
		t.Errorf("%d left, logged: %s", flows(t, f.B), &log)
	}
}
