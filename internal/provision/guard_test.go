package provision

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/testkit"
)

// newGuard makes a project on a server of the test's own, and a guard that has
// been at it for some seconds.
func newGuard(t *testing.T) (g guard, owner func() *pgx.Conn) {
	t.Helper()
	cluster := testkit.NewCluster(t)
	w := newWorld(t, func(s *Service) { s.Cluster.AdminURL = cluster.URL() })
	created := w.mustCreate(t, NewProject{})
	conn, err := pgx.Connect(t.Context(), cluster.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeConn(conn) })
	g = guard{Service: w.Service, conn: conn, queueShare: queueShare, queueHeld: queueHeld}
	if err := g.measure(t.Context()); err != nil {
		t.Fatal(err)
	}
	look(t, g, 7)
	return g, func() *pgx.Conn {
		conn, err := pgx.Connect(t.Context(), created.DatabaseURL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		return conn
	}
}

func look(t *testing.T, g guard, times int) {
	t.Helper()
	for range times {
		if err := g.look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestGuardOfLocks: one session of one project fills the lock table that all
// databases share; it is ended, although nothing that needs a lock works.
func TestGuardOfLocks(t *testing.T) {
	t.Parallel()
	g, owner := newGuard(t)
	hostile, modest := owner(), owner()
	if _, err := modest.Exec(t.Context(), `SELECT pg_advisory_lock(-i) FROM generate_series(1, 500) i`); err != nil {
		t.Fatal(err)
	}
	_, err := hostile.Exec(t.Context(), `DO $$ DECLARE i int := 0; BEGIN LOOP
		BEGIN PERFORM pg_advisory_lock(i); EXCEPTION WHEN others THEN EXIT; END; i := i + 1; END LOOP; END $$`)
	if err != nil {
		t.Fatal(err)
	}
	var pg *pgconn.PgError
	if _, err := g.conn.Exec(t.Context(), `CREATE TABLE public.t ()`); !errors.As(err, &pg) || pg.Code != "53200" {
		t.Fatalf("the lock table is not full: %v", err)
	}
	look(t, g, 1)
	if _, err := hostile.Exec(t.Context(), `SELECT 1`); !errors.As(err, &pg) || pg.Code != "57P01" {
		t.Errorf("the session that holds all locks goes on: %v", err)
	}
	for tries := 0; ; tries++ { // it tells its client before it gives the locks back
		_, err := g.conn.Exec(t.Context(), `CREATE TABLE public.t ()`)
		if err == nil {
			break
		}
		if tries > 1000 {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	again := owner()
	if _, err := again.Exec(t.Context(), `SELECT pg_advisory_lock(i) FROM generate_series(1, 500) i`); err != nil {
		t.Fatal(err)
	}
	look(t, g, 2)
	if _, err := again.Exec(t.Context(), `SELECT 1`); err != nil {
		t.Errorf("a session with a few hundred locks is ended: %v", err)
	}
}

// TestGuardOfNotify: who listens in an open transaction holds back the queue that
// all databases share.
func TestGuardOfNotify(t *testing.T) {
	t.Parallel()
	g, owner := newGuard(t)
	listener, notifier := owner(), owner()
	for _, sql := range []string{`LISTEN x`, `BEGIN`, `SELECT 1`} {
		if _, err := listener.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := notifier.Exec(t.Context(), `SELECT pg_notify('x', i || repeat('n', 7000)) FROM generate_series(1, 100) i`); err != nil {
		t.Fatal(err)
	}
	look(t, g, 1)
	if _, err := listener.Exec(t.Context(), `SELECT 1`); err != nil {
		t.Fatalf("a queue that is nearly empty: %v", err)
	}
	g.queueShare, g.queueHeld = 0, 0
	look(t, g, 1)
	var pg *pgconn.PgError
	if _, err := listener.Exec(t.Context(), `SELECT 1`); !errors.As(err, &pg) || pg.Code != "57P01" {
		t.Errorf("the listener goes on: %v", err)
	}
}

func TestTooGreedy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		held map[string]int64
		want []string
	}{
		"nobody":           {nil, nil},
		"modest":           {map[string]int64{"a": 100, "b": 90, "c": 10}, nil},
		"one":              {map[string]int64{"a": 101, "b": 20}, []string{"a"}},
		"many together":    {map[string]int64{"a": 90, "b": 80, "c": 70, "d": 60}, []string{"a", "b"}},
		"one and together": {map[string]int64{"a": 500, "b": 90, "c": 80}, []string{"a"}},
	} {
		if got := slices.Sorted(maps.Keys(tooGreedy(c.held, 100))); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
