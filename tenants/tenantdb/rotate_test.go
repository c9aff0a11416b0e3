package tenantdb_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// newSession writes a user with one session.
func newSession(tb testing.TB, f *flowtest.Fixture) (*auth.User, *auth.Session) {
	tb.Helper()
	ctx, now := context.Background(), f.Clock.Now()
	u := user(f, uuid.NewString()+"@example.com")
	s := &auth.Session{
		ID: uuid.New(), UserID: u.ID, AAL: auth.AAL1, CreatedAt: now, IP: "192.0.2.1", UserAgent: "first",
		AMR: []auth.AMR{{Method: auth.MethodPassword, Timestamp: now.Unix()}},
	}
	err := f.A.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		if err := tx.CreateUser(ctx, u); err != nil {
			return err
		}
		identity := auth.Identity{ID: uuid.New(), ProviderID: u.ID.String(), UserID: u.ID, Provider: auth.ProviderEmail, CreatedAt: &now}
		if err := tx.CreateIdentity(ctx, &identity); err != nil {
			return err
		}
		u.Identities = append(u.Identities, identity)
		return tx.CreateSession(ctx, s)
	})
	if err != nil {
		tb.Fatal(err)
	}
	return u, s
}

const (
	counterOf = `SELECT coalesce(refresh_token_counter, 0) FROM auth.sessions WHERE id = $1`
	rotations = `SELECT count(*) FROM auth.audit_log_entries WHERE payload->>'action' = 'token_refreshed' AND payload->>'actor_id' = $1`
)

func TestRotate(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	u, s := newSession(t, f)
	later := f.Clock.Now().Add(time.Minute)
	p, ok, err := f.A.DB.Rotate(ctx, tenantdb.Rotation{Session: s.ID, Counter: 0, Now: later, UserAgent: "second", IP: "2001:db8::1"})
	if err != nil || !ok {
		t.Fatalf("%v, %v", ok, err)
	}
	got := p.Session
	if got.ID != s.ID || got.UserID != u.ID || got.RefreshCounter != 1 || got.UserAgent != "second" || got.IP != "2001:db8::1" ||
		!got.LastActive().Equal(later) || !got.CreatedAt.Equal(s.CreatedAt) || len(got.AMR) != 1 || got.AMR[0] != s.AMR[0] {
		t.Errorf("session %+v", got)
	}
	if p.User.ID != u.ID || p.User.Email != u.Email || len(p.User.Identities) != 1 {
		t.Errorf("user %+v", p.User)
	}
	if n := f.A.Count(t, counterOf, s.ID); n != 1 {
		t.Errorf("the counter stands at %d", n)
	}
	if _, ok, err := f.B.DB.Rotate(ctx, tenantdb.Rotation{Session: s.ID, Counter: 1, Now: later}); ok || err != nil {
		t.Errorf("in the other project: %v, %v", ok, err)
	}
}

// Whatever stands in the way, a refused rotation changes nothing.
func TestRotateRefused(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	now := f.Clock.Now()
	for name, c := range map[string]struct {
		sql    string // changes user $1 or session $2
		change func(*tenantdb.Rotation)
	}{
		"older counter":   {change: func(r *tenantdb.Rotation) { r.Counter-- }},
		"later counter":   {change: func(r *tenantdb.Rotation) { r.Counter++ }},
		"unknown session": {change: func(r *tenantdb.Rotation) { r.Session = uuid.New() }},
		"timebox over":    {change: func(r *tenantdb.Rotation) { r.Timebox = time.Minute }},
		"inactive":        {change: func(r *tenantdb.Rotation) { r.Inactivity = time.Minute }},
		"banned":          {sql: `UPDATE auth.users SET banned_until = now() + interval '1 year' WHERE id = $1 AND $2::uuid IS NOT NULL`},
		"deleted":         {sql: `UPDATE auth.users SET deleted_at = now() WHERE id = $1 AND $2::uuid IS NOT NULL`},
		"session is over": {sql: `UPDATE auth.sessions SET not_after = created_at WHERE user_id = $1 AND id = $2`},
		"session is gone": {sql: `DELETE FROM auth.sessions WHERE user_id = $1 AND id = $2`},
		"user is gone":    {sql: `DELETE FROM auth.users WHERE id = $1 AND $2::uuid IS NOT NULL`},
	} {
		u, s := newSession(t, f)
		if c.sql != "" {
			f.A.Exec(t, c.sql, u.ID, s.ID)
		}
		r := tenantdb.Rotation{Session: s.ID, Now: now.Add(time.Hour), UserAgent: "second", IP: "192.0.2.2"}
		if c.change != nil {
			c.change(&r)
		}
		if p, ok, err := f.A.DB.Rotate(ctx, r); ok || err != nil || p.User.ID != uuid.Nil {
			t.Errorf("%s: %v, %v, %v", name, ok, err, p.User.ID)
		}
		untouched := `SELECT count(*) FROM auth.sessions WHERE id = $1 AND (user_agent <> 'first' OR refreshed_at IS NOT NULL OR refresh_token_counter <> 0)`
		if n := f.A.Count(t, untouched, s.ID); n != 0 {
			t.Errorf("%s: the session changed", name)
		}
		if n := f.A.Count(t, rotations, u.ID.String()); n != 0 {
			t.Errorf("%s: %d audit entries", name, n)
		}
	}
}

// Of many concurrent rotations with the same counter exactly one succeeds.
func TestRotateAtOnce(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	u, s := newSession(t, f)
	const rounds, tabs = 3, 50
	for round := range int64(rounds) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		won := 0
		for range tabs {
			wg.Go(func() {
				p, ok, err := f.A.DB.Rotate(ctx, tenantdb.Rotation{Session: s.ID, Counter: round, Now: f.Clock.Now()})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err != nil:
					t.Error(err)
				case ok:
					won++
					if p.Session.RefreshCounter != round+1 {
						t.Errorf("the winner of round %d holds %d", round, p.Session.RefreshCounter)
					}
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("%d won in round %d", won, round)
		}
	}
	if n := f.A.Count(t, counterOf, s.ID); n != rounds {
		t.Errorf("the counter stands at %d", n)
	}
	if n := f.A.Count(t, rotations, u.ID.String()); n != rounds {
		t.Errorf("%d audit entries", n)
	}
}

// The counter only ever moves by one, and only for who presents it.
func TestRotateProperty(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		_, s := newSession(t, f)
		created := f.Clock.Now()
		timebox := time.Duration(rapid.IntRange(0, 60).Draw(rt, "timebox")) * time.Minute
		inactivity := time.Duration(rapid.IntRange(0, 20).Draw(rt, "inactivity")) * time.Minute
		counter, now, active := int64(0), created, created
		for range rapid.IntRange(1, 10).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 15).Draw(rt, "minutes")) * time.Minute)
			presented := counter + int64(rapid.IntRange(-1, 1).Draw(rt, "off"))
			want := presented == counter && (timebox == 0 || now.Before(created.Add(timebox))) &&
				(inactivity == 0 || now.Before(active.Add(inactivity)))
			p, ok, err := f.A.DB.Rotate(ctx, tenantdb.Rotation{Session: s.ID, Counter: presented, Now: now, Timebox: timebox, Inactivity: inactivity})
			if err != nil || ok != want {
				rt.Fatalf("presented %d of %d: %v, %v, want %v", presented, counter, ok, err, want)
			}
			if ok {
				counter, active = counter+1, now
				if p.Session.RefreshCounter != counter || !p.Session.LastActive().Equal(now) {
					rt.Fatalf("session %+v, want counter %d", p.Session, counter)
				}
			}
		}
		if n := f.A.Count(t, counterOf, s.ID); int64(n) != counter {
			rt.Fatalf("the counter stands at %d, want %d", n, counter)
		}
	})
}
