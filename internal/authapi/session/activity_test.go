package session_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// A user is counted once in a period, by the sign-in or by the first refresh in
// it. Later refreshes do not query the ledger.
func TestActivity(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	f.Clock.Advance(time.Until(time.Date(2027, 1, 31, 23, 0, 0, 0, time.UTC)))
	sc, u := f.A.Scope(), newUser(f, "ann@example.com")
	counted := func(want string) {
		t.Helper()
		got := flowtest.One[string](t, f.A, `SELECT coalesce(string_agg(period::text, ' ' ORDER BY period), '') FROM reeve.activity WHERE user_id = $1`, u.ID)
		if got != want {
			t.Errorf("counted in %q, want %q", got, want)
		}
	}
	tokens := signIn(t, f, sc, u, false)
	refresh := func() {
		t.Helper()
		next, err := f.Sessions.Rotate(ctx, sc, tokens.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		tokens = next
	}
	counted("2027-01-01")
	f.A.Exec(t, `DELETE FROM reeve.activity`)
	refresh()
	counted("") // the filter knows the session
	f.Clock.Advance(2 * time.Hour)
	refresh()
	counted("2027-02-01")
	f.A.Exec(t, `DELETE FROM reeve.activity`)
	refresh()
	counted("")
	f.Sessions.Active = session.NewActivity(10) // another process
	refresh()
	counted("2027-02-01")
	f.Sessions.Active = session.NewActivity(10)
	refresh()
	counted("2027-02-01")
	f.Sessions.Active = nil
	f.A.Exec(t, `DELETE FROM reeve.activity`)
	refresh()
	counted("")
	if n := f.B.Count(t, `SELECT count(*) FROM reeve.activity`); n != 0 {
		t.Errorf("%d entries in the other project", n)
	}
}

// A forgotten session is queried again, and its user is not counted twice.
func TestActivityIsBounded(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	f.Sessions.Active = session.NewActivity(2)
	sc := f.A.Scope()
	var last []*session.Tokens
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		last = append(last, signIn(t, f, sc, newUser(f, name+"@example.com"), false))
	}
	f.A.Exec(t, `DELETE FROM reeve.activity`)
	slices.Reverse(last)
	for _, tokens := range last {
		if _, err := f.Sessions.Rotate(ctx, sc, tokens.RefreshToken); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.A.Count(t, `SELECT count(*) FROM reeve.activity`); n != 2 {
		t.Errorf("%d of 5 were asked for again, want those that did not fit", n)
	}
}

// A sign-in counts in the period in which it was written down, even where its
// commit falls into the next one: that one is not counted yet.
func TestActivityAtTheEndOfAPeriod(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	f.Clock.Advance(time.Until(time.Date(2027, 1, 31, 23, 59, 59, 0, time.UTC)))
	f.Sessions.Hook = slow{f.Clock}
	tokens := signIn(t, f, f.A.Scope(), newUser(f, "ann@example.com"), false)
	f.Sessions.Hook = nil
	if _, err := f.Sessions.Rotate(ctx, f.A.Scope(), tokens.RefreshToken); err != nil {
		t.Fatal(err)
	}
	if got := flowtest.One[string](t, f.A, `SELECT string_agg(period::text, ' ' ORDER BY period) FROM reeve.activity`); got != "2027-01-01 2027-02-01" {
		t.Errorf("counted in %s", got)
	}
}

// slow is a hook that takes a minute.
type slow struct{ clock *flowtest.Clock }

func (slow) Enabled(*tenants.Scope) bool { return true }

func (h slow) Customize(context.Context, *tenantdb.Tx, *tenants.Scope, *auth.Principal, auth.Method, *token.Claims) error {
	h.clock.Advance(time.Minute)
	return nil
}

// A developer cannot let many users take turns at one session that is counted.
func TestActivityOfASessionThatChangesHands(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	tokens := signIn(t, f, f.A.Scope(), newUser(f, "ann@example.com"), false)
	for _, email := range []string{"bob@example.com", "cid@example.com"} {
		u := newUser(f, email)
		if err := f.A.DB.Tx(ctx, func(tx *tenantdb.Tx) error { return tx.CreateUser(ctx, u) }); err != nil {
			t.Fatal(err)
		}
		f.A.ExecAsOwner(t, `UPDATE auth.sessions SET user_id = $1`, u.ID)
		for range 2 {
			next, err := f.Sessions.Rotate(ctx, f.A.Scope(), tokens.RefreshToken)
			if err != nil || next.User.ID != u.ID {
				t.Fatalf("%+v, %v", next, err)
			}
			tokens = next
		}
	}
	if n := f.A.Count(t, `SELECT count(*) FROM reeve.activity`); n != 3 {
		t.Errorf("%d users are counted, want 3", n)
	}
}

// The developer's triggers run with the auth role's rights, and cannot write the
// ledger; neither can the developer.
func TestActivityCannotBeForged(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	auth := f.A.Tenant().Ref.AuthRole()
	for _, sql := range []string{
		`INSERT INTO reeve.activity (period, user_id) VALUES (now(), gen_random_uuid())`, `DELETE FROM reeve.activity`,
		`SELECT count(*) FROM reeve.activity`, `SELECT reeve.activity_add('guess', '2026-01-01', gen_random_uuid())`,
		`SELECT reeve.activity_count('guess', '2026-01-01', gen_random_uuid(), now(), 'sso', 'x', NULL)`, `SELECT * FROM reeve.activity_days('guess', '2026-01-01')`,
		`SELECT * FROM reeve.activity_entries('guess', '2026-01-01', NULL, now(), 0, 5)`, `SELECT reeve.activity_tidy('guess', '2030-01-01', 5)`,
	} {
		for _, role := range []string{auth, f.A.Tenant().Ref.OwnerRole()} {
			if err := f.A.TryAs(t, role, sql); err == nil {
				t.Errorf("%s may: %s", role, sql)
			}
		}
	}
}
