package guard

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

// newShared creates a project's role on a separate server, and checks that
// server at short intervals.
func newShared(t *testing.T) (s *shared, owner func() *pgx.Conn) {
	t.Helper()
	in := install(t, testkit.NewCluster(t).URL())
	owner = in.role(t, tenants.NewRef().OwnerRole())
	s = &shared{conn: connect(t, in.url), logger: slog.New(slog.DiscardHandler), queueShare: queueShare, queueAge: queueAge}
	if err := s.readLockTableSize(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(t, s, 7)
	return s, owner
}

func check(t *testing.T, s *shared, times int) {
	t.Helper()
	for range times {
		if err := s.check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLockTable: one session of one project fills the lock table that all
// databases share. It is ended, although nothing that needs a lock works.
func TestLockTable(t *testing.T) {
	t.Parallel()
	s, owner := newShared(t)
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
	if _, err := s.conn.Exec(t.Context(), `CREATE TABLE public.t ()`); !errors.As(err, &pg) || pg.Code != "53200" {
		t.Fatalf("the lock table is not full: %v", err)
	}
	check(t, s, 1)
	if _, err := hostile.Exec(t.Context(), `SELECT 1`); !errors.As(err, &pg) || pg.Code != "57P01" {
		t.Errorf("the session that holds all locks goes on: %v", err)
	}
	for tries := 0; ; tries++ { // it answers its client before it releases the locks
		_, err := s.conn.Exec(t.Context(), `CREATE TABLE public.t ()`)
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
	check(t, s, 2)
	if _, err := again.Exec(t.Context(), `SELECT 1`); err != nil {
		t.Errorf("a session with a few hundred locks is ended: %v", err)
	}
}

// TestNotifyQueue: a session that listens in an open transaction holds back the
// queue that all databases share.
func TestNotifyQueue(t *testing.T) {
	t.Parallel()
	s, owner := newShared(t)
	listener, notifier := owner(), owner()
	for _, sql := range []string{`LISTEN x`, `BEGIN`, `SELECT 1`} {
		if _, err := listener.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := notifier.Exec(t.Context(), `SELECT pg_notify('x', i || repeat('n', 7000)) FROM generate_series(1, 100) i`); err != nil {
		t.Fatal(err)
	}
	check(t, s, 1)
	if _, err := listener.Exec(t.Context(), `SELECT 1`); err != nil {
		t.Fatalf("a queue that is nearly empty: %v", err)
	}
	s.queueShare, s.queueAge = 0, 0
	check(t, s, 1)
	var pg *pgconn.PgError
	if _, err := listener.Exec(t.Context(), `SELECT 1`); !errors.As(err, &pg) || pg.Code != "57P01" {
		t.Errorf("the listener goes on: %v", err)
	}
}

func TestExceedingProjects(t *testing.T) {
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
		if got := slices.Sorted(maps.Keys(exceedingProjects(c.held, 100))); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
