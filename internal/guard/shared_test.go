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

// watcher is a shared and another superuser's connection: in the transaction of
// the first one, the statistics views are those of its last check.
type watcher struct {
	*shared
	other *pgx.Conn
}

// watched creates a project's role on a separate server, and checks that
// server.
func watched(t *testing.T) (s watcher, owner func() *pgx.Conn) {
	t.Helper()
	in := install(t, testkit.NewCluster(t).URL())
	owner = in.role(t, tenants.NewRef().OwnerRole())
	s = watcher{shared: newShared(connect(t, in.url), slog.New(slog.DiscardHandler)), other: connect(t, in.url)}
	if err := s.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(t, s, 7)
	return s, owner
}

func check(t *testing.T, s watcher, times int) {
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
	s, owner := watched(t)
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
	if _, err := s.other.Exec(t.Context(), `CREATE TABLE public.t ()`); !errors.As(err, &pg) || pg.Code != "53200" {
		t.Fatalf("the lock table is not full: %v", err)
	}
	check(t, s, 1)
	if _, err := hostile.Exec(t.Context(), `SELECT 1`); !errors.As(err, &pg) || pg.Code != "57P01" {
		t.Errorf("the session that holds all locks goes on: %v", err)
	}
	for tries := 0; ; tries++ { // it answers its client before it releases the locks
		_, err := s.other.Exec(t.Context(), `CREATE TABLE public.t ()`)
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

// TestNotifyQueue: sessions that listen and never become idle hold back the
// queue that all databases share. They are ended, and a transaction that is
// younger than the listener goes on.
func TestNotifyQueue(t *testing.T) {
	t.Parallel()
	s, owner := watched(t)
	s.queueAge = 100 * time.Millisecond
	for name, hold := range map[string]func(*pgx.Conn){
		"open transaction": func(conn *pgx.Conn) { run(t, conn, "BEGIN") },
		"procedure that commits in a loop": func(conn *pgx.Conn) {
			_, _ = conn.Exec(t.Context(), "DO $$ BEGIN LOOP PERFORM pg_sleep(0.001); COMMIT; END LOOP; END $$")
		},
		"client that commits in a loop": func(conn *pgx.Conn) {
			for run(t, conn, "BEGIN"); ; time.Sleep(time.Millisecond) {
				if _, err := conn.Exec(t.Context(), "COMMIT; BEGIN"); err != nil {
					return
				}
			}
		},
		"client that does not read": func(*pgx.Conn) {},
	} {
		t.Run(name, func(t *testing.T) {
			listener, notifier, innocent := owner(), owner(), owner()
			run(t, listener, "LISTEN x")
			held := make(chan struct{})
			go func() {
				defer close(held)
				hold(listener)
			}()
			defer func() { <-held }()
			pid := int32(listener.PgConn().PID())
			if name != "client that does not read" {
				await(t, s, `SELECT state <> 'idle' FROM pg_stat_activity WHERE pid = $1`, pid)
			}
			// More than the buffers of a connection.
			run(t, notifier, "SELECT pg_notify('x', i || repeat('n', 7000)) FROM generate_series(1, 3000) i")
			await(t, s, `SELECT pg_notification_queue_usage() > 0`)
			check(t, s, 1)
			run(t, innocent, "BEGIN")
			if !exists(t, s, pid) {
				t.Fatal("the listener is ended although the queue is nearly empty")
			}
			s.queueShare = 0
			defer func() { s.queueShare = queueShare }()
			for tries := 0; exists(t, s, pid); tries++ {
				if tries > 1000 {
					_, _ = s.other.Exec(t.Context(), terminateSQL, pid)
					t.Fatal("the listener goes on")
				}
				check(t, s, 1)
				time.Sleep(10 * time.Millisecond)
			}
			check(t, s, 1)
			run(t, innocent, "SELECT 1")
		})
	}
}

func run(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Errorf("%s: %v", sql, err)
	}
}

func exists(t *testing.T, s watcher, pid int32) (found bool) {
	t.Helper()
	if err := s.other.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)`, pid).Scan(&found); err != nil {
		t.Fatal(err)
	}
	return found
}

// await waits until the query returns true.
func await(t *testing.T, s watcher, sql string, args ...any) {
	t.Helper()
	for tries, ok := 0, false; !ok; tries++ {
		if err := s.other.QueryRow(t.Context(), sql, args...).Scan(&ok); err != nil || tries > 5000 {
			t.Fatalf("%s: %v, %v", sql, ok, err)
		}
		time.Sleep(2 * time.Millisecond)
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
