package tidy_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/authapi/tidy"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// tidier works for the two projects of the fixture and knows no others.
func tidier(f *flowtest.Fixture) *tidy.Tidier {
	projects := map[tenants.Ref]*flowtest.Project{f.A.Tenant().Ref: f.A, f.B.Tenant().Ref: f.B}
	return &tidy.Tidier{
		Now: f.Clock.Now,
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

// One run removes everything that is due, and nothing of another project.
func TestTidy(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	addFlows(t, f.A, 2*tenantdb.TidyBatch+1)
	addFlows(t, f.B, 1)
	for range 2 { // a second time changes nothing
		if err := tidier(f).Tidy(ctx, f.A.Tenant().Ref); err != nil {
			t.Error(err)
		}
		if flows(t, f.A) != 0 || flows(t, f.B) != 1 {
			t.Errorf("%d and %d left, want none, and one of the other project", flows(t, f.A), flows(t, f.B))
		}
	}
}

// Sessions end by the limits of their project without a refresh, and a later one is told
// why.
func TestEndSessions(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true }), context.Background()
	f.A.Configure(func(c *tenants.Config) { c.SessionsTimebox = 1 })
	old := f.A.SignUp(t, "ann@example.com", "password123")
	f.B.SignUp(t, "ann@example.com", "password123")
	end := func() {
		t.Helper()
		for _, p := range []*flowtest.Project{f.A, f.B} {
			if err := tidier(f).EndSessions(ctx, p.Tenant().Ref); err != nil {
				t.Error(err)
			}
		}
	}
	f.Clock.Advance(time.Hour - time.Second)
	end()
	if f.A.Count(t, `SELECT count(*) FROM auth.sessions`) != 1 {
		t.Error("a session ended before its time")
	}
	f.Clock.Advance(time.Second)
	end()
	end() // a second time changes nothing
	f.A.Refresh(t, old.Refresh).WantError(400, "session_expired")
	if got := flowtest.One[string](t, f.A, `SELECT cause FROM reeve.ended_session`); got != "timebox" {
		t.Errorf("ended by %s", got)
	}
	const sessions = `SELECT count(*) FROM auth.sessions`
	if f.A.Count(t, sessions) != 0 || f.B.Count(t, sessions) != 1 {
		t.Errorf("%d and %d sessions, want none where they have an end, and one", f.A.Count(t, sessions), f.B.Count(t, sessions))
	}
}

// A project that is not active is skipped; an unknown one is an error unless it
// was deleted.
func TestTidyWithoutAProject(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	f.A.Change(func(t *tenants.Tenant) { t.Status = tenants.StatusPaused })
	addFlows(t, f.A, 1)
	if err := tidier(f).Tidy(ctx, f.A.Tenant().Ref); err != nil || flows(t, f.A) != 1 {
		t.Errorf("paused: %v, %d left", err, flows(t, f.A))
	}
	if err := tidier(f).Tidy(ctx, "gone"); err != nil {
		t.Errorf("deleted: %v", err)
	}
	if err := tidier(f).Tidy(ctx, "unknown"); err == nil {
		t.Error("no error while the registry is down")
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	addFlows(t, f.B, 1)
	if err := tidier(f).Tidy(stopped, f.B.Tenant().Ref); err == nil || flows(t, f.B) != 1 {
		t.Errorf("stopped: %v, %d left", err, flows(t, f.B))
	}
}
