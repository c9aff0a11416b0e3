package provision

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
)

// TestTerminateStubbornTrigger: a trigger that catches every cancel still ends.
func TestTerminateStubbornTrigger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created := w.mustCreate(t, NewProject{})
	ref := created.Project.Ref
	tenant, err := w.Control.Tenant(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := w.dial(t.Context(), ref, ref.AuthRole(), tenant.Secrets.AuthPassword)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(conn)
	done := make(chan error, 1)
	go func() {
		_, err := conn.Exec(t.Context(), `DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(1000);
			EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$`)
		done <- err
	}()
	pid := conn.PgConn().PID()
	for running := false; !running; {
		err := w.pool.QueryRow(t.Context(), `SELECT state = 'active' FROM pg_stat_activity WHERE pid = $1`, int32(pid)).Scan(&running)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	w.Terminate(t.Context(), "reeve_"+string(tenants.NewRef())+"_auth", pid) // another role's: nothing happens
	w.Terminate(t.Context(), ref.AuthRole(), pid)
	var pg *pgconn.PgError
	if err := <-done; !errors.As(err, &pg) || pg.Code != "57P01" {
		t.Errorf("the trigger ended with %v", err)
	}
	if err := w.watch(t.Context()); err != nil {
		t.Errorf("watch: %v", err)
	}
}

// TestHardened: what a developer leaves on the auth role does not reach Reeve's
// connections, and no row of theirs fills its memory.
func TestHardened(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created := w.mustCreate(t, NewProject{})
	ref := created.Project.Ref
	tenant, err := w.Control.Tenant(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	first, err := w.Dial(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(first)
	for _, setting := range []string{"statement_timeout = 0", "default_transaction_read_only = on", "default_transaction_isolation = 'serializable'"} {
		if _, err := first.Exec(t.Context(), "ALTER ROLE CURRENT_USER SET "+setting); err != nil {
			t.Fatal(err)
		}
	}
	second, err := w.Dial(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(second)
	var settings pgtype.FlatArray[string]
	err = second.QueryRow(t.Context(), `SELECT ARRAY[current_setting('statement_timeout'), current_setting('lock_timeout'),
		current_setting('default_transaction_read_only'), current_setting('default_transaction_isolation')]`).Scan(&settings)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(settings, ","); got != "10s,2s,off,read committed" {
		t.Errorf("settings %s", got)
	}
	if _, err := second.Exec(t.Context(), `SELECT repeat('a', 100000000)`); err == nil {
		t.Error("a row of 100 MB was read")
	}
	third, err := w.Dial(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(third)
	const rows = `SELECT repeat('a', 1000000) FROM generate_series(1, $1)`
	for range 3 { // an answer is what is bounded, not all of them
		if _, err := third.Exec(t.Context(), rows, 10); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := third.Exec(t.Context(), rows, 100); !errors.Is(err, auth.ErrAnswerTooLarge) {
		t.Errorf("an answer of 100 MB: %v", err)
	}
}

// TestSharedRolesAreReset: what one project's developer leaves on a role that
// all projects share does not stay there.
func TestSharedRolesAreReset(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created := w.mustCreate(t, NewProject{})
	conn, err := pgx.Connect(t.Context(), created.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(conn)
	if _, err := conn.Exec(t.Context(), "SET ROLE anon; ALTER ROLE anon SET default_transaction_read_only = on"); err != nil {
		t.Fatal(err)
	}
	if err := w.watch(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
		WHERE s.setdatabase = 0 AND r.rolname = 'anon'`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d settings are left on anon, %v", left, err)
	}
}

// TestOverdueSessionsEnd: what exceeds the bounds ends, what does not goes on, and
// another installation's sessions are not looked at.
func TestOverdueSessionsEnd(t *testing.T) {
	t.Parallel()
	w, other := newWorld(t), newWorld(t)
	begin := func(w *world) *pgx.Conn {
		conn, err := pgx.Connect(t.Context(), w.mustCreate(t, NewProject{}).DatabaseURL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closeConn(conn) })
		if _, err := conn.Exec(t.Context(), "BEGIN; SELECT 1"); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	mine, neighbour := begin(w), begin(other)
	if err := w.endOverdue(t.Context(), watchBounds); err != nil {
		t.Fatal(err)
	}
	if _, err := mine.Exec(t.Context(), "SELECT 1"); err != nil {
		t.Fatalf("within the bounds: %v", err)
	}
	if err := w.endOverdue(t.Context(), bounds{reeveWork: time.Hour, ownerIdle: 0, ownerWork: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if _, err := mine.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("an idle transaction beyond its bound goes on")
	}
	if _, err := neighbour.Exec(t.Context(), "SELECT 1"); err != nil {
		t.Errorf("another installation's session: %v", err)
	}
}
