package tidy_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

type m = map[string]any

// Anonymous users who are idle for the project's number of days are deleted, with
// an audit entry. Those who are active, were upgraded, or belong to a project that
// keeps them stay.
func TestAnonymousUsers(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) {
		c.AnonymousUsers, c.RateLimitAnonymous, c.MailerAutoconfirm = true, 1000, true
	})
	anonymous := func(p *flowtest.Project) flowtest.Session { return p.Do(t, "POST", "/signup", m{}).Session() }
	tidyBoth := func() {
		t.Helper()
		for _, p := range []*flowtest.Project{f.A, f.B} {
			if err := tidier(f).Tidy(t.Context(), p.Tenant().Ref); err != nil {
				t.Fatal(err)
			}
		}
	}
	idle, active, upgraded, referenced := anonymous(f.A), anonymous(f.A), anonymous(f.A), anonymous(f.A)
	anonymous(f.B)
	permanent := f.A.SignUp(t, "ann@example.com", "password123")
	f.A.Do(t, "PUT", "/user", m{"email": "bob@example.com"}, flowtest.User(upgraded.Access)).Want(200)
	f.A.Do(t, "POST", "/verify", m{"type": "email_change", "email": "bob@example.com", "token": f.A.Mail(t, "bob@example.com").Code}).Session()
	f.A.ExecAsOwner(t, `CREATE TABLE public.cart (user_id uuid REFERENCES auth.users)`)
	f.A.ExecAsOwner(t, `INSERT INTO public.cart VALUES ('`+referenced.UserID+`')`)
	is := func(s flowtest.Session, want int) {
		t.Helper()
		if n := f.A.Count(t, `SELECT count(*) FROM auth.users WHERE id = $1`, s.UserID); n != want {
			t.Errorf("user %s: %d, want %d", s.UserID, n, want)
		}
	}
	f.Clock.Advance(20 * 24 * time.Hour)
	f.A.Refresh(t, active.Refresh).Session()
	f.Clock.Advance(11 * 24 * time.Hour)
	tidyBoth()
	is(idle, 1) // nothing is set
	f.A.Configure(func(c *tenants.Config) { c.AnonymousUsersMaxDays = 32 })
	tidyBoth()
	is(idle, 1) // not old enough
	f.A.Configure(func(c *tenants.Config) { c.AnonymousUsersMaxDays = 30 })
	for range 2 { // a second time changes nothing
		tidyBoth()
		is(idle, 0)
		for _, s := range []flowtest.Session{active, upgraded, referenced, permanent} {
			is(s, 1)
		}
	}
	const entries = `SELECT count(*) FROM auth.audit_log_entries WHERE payload->>'action' = 'user_deleted' AND payload->'traits'->>'user_id' = $1`
	if n := f.A.Count(t, entries, idle.UserID); n != 1 {
		t.Errorf("%d audit entries", n)
	}
	if n := f.A.Count(t, entries, referenced.UserID); n != 0 {
		t.Errorf("%d audit entries of a user who stays", n)
	}
	if n := f.B.Count(t, `SELECT count(*) FROM auth.users`); n != 1 {
		t.Errorf("%d users of the other project", n)
	}
}

// Users who cannot be deleted do not keep others from it.
func TestAnonymousUsersBatch(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.AnonymousUsersMaxDays = 1 })
	f.A.Exec(t, `INSERT INTO auth.users (id, is_anonymous, created_at) SELECT gen_random_uuid(), true, 'epoch'::timestamptz + n * interval '1 s' FROM generate_series(1, 250) n`)
	f.A.ExecAsOwner(t, `CREATE TABLE public.cart (user_id uuid REFERENCES auth.users)`)
	f.A.Exec(t, `INSERT INTO public.cart SELECT id FROM auth.users ORDER BY created_at LIMIT 120`)
	if err := tidier(f).Tidy(t.Context(), f.A.Tenant().Ref); err != nil {
		t.Fatal(err)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users`); n != 120 {
		t.Errorf("%d users are left, want 120", n)
	}
}

// A session that is refreshed while the user is looked at keeps the user.
func TestAnonymousUserRefreshes(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.AnonymousUsers, c.AnonymousUsersMaxDays = true, 1 })
	s := f.A.Do(t, "POST", "/signup", m{}).Session()
	f.Clock.Advance(48 * time.Hour)
	session := uuid.MustParse(flowtest.Claims(t, s.Access)["session_id"].(string))
	locked, commit := make(chan struct{}), make(chan struct{})
	refreshed := make(chan error, 1)
	go func() { // as a refresh does, but slowly
		refreshed <- f.A.DB.Tx(t.Context(), func(tx *tenantdb.Tx) error {
			p, err := tx.PrincipalBySession(t.Context(), session)
			if err != nil {
				return err
			}
			p.Session.RefreshedAt = new(time.Time)
			*p.Session.RefreshedAt = f.Clock.Now()
			err = tx.AdvanceSession(t.Context(), &p.Session)
			close(locked)
			<-commit
			return err
		})
	}()
	<-locked
	tidied := make(chan error, 1)
	go func() { tidied <- tidier(f).Tidy(t.Context(), f.A.Tenant().Ref) }()
	for f.A.Count(t, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	close(commit)
	if err := errors.Join(<-refreshed, <-tidied); err != nil {
		t.Fatal(err)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users`); n != 1 {
		t.Errorf("%d users", n)
	}
}
