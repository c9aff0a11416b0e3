package guard

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// installation is a Guard and the projects' roles that it watches.
type installation struct {
	*Guard
	url string // of the server, as superuser
}

func install(t *testing.T, url string) *installation {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	g := &Guard{Admin: pool, Mark: "guard test " + string(tenants.NewRef()), Logger: slog.New(slog.DiscardHandler)}
	if err := g.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.close)
	return &installation{Guard: g, url: url}
}

func (in *installation) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := in.Admin.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// role creates a role of the installation, which is dropped when the test ends.
func (in *installation) role(t *testing.T, name string) (open func() *pgx.Conn) {
	t.Helper()
	open = in.lastingRole(t, name)
	t.Cleanup(func() {
		if _, err := in.Admin.Exec(context.Background(), "DROP ROLE "+name); err != nil {
			t.Error(err)
		}
	})
	return open
}

// lastingRole creates a role of the installation.
func (in *installation) lastingRole(t *testing.T, name string) (open func() *pgx.Conn) {
	t.Helper()
	in.exec(t, "CREATE ROLE "+name+" LOGIN PASSWORD 'secret'; COMMENT ON ROLE "+name+" IS '"+in.Mark+"'")
	u, err := url.Parse(in.url)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(name, "secret")
	return func() *pgx.Conn { return connect(t, u.String()) }
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// TestTerminate: a session whose trigger catches every cancel is ended.
func TestTerminate(t *testing.T) {
	t.Parallel()
	in := install(t, testkit.Database(t)) // every role may connect to it
	name := tenants.NewRef().AuthRole()
	conn := in.role(t, name)()
	in.Terminate(t.Context(), tenants.NewRef().AuthRole(), conn.PgConn().PID())
	if _, err := conn.Exec(t.Context(), `SELECT 1`); err != nil {
		t.Fatalf("ended as a session of another role: %v", err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := conn.Exec(t.Context(), `DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(1000);
			EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$`)
		done <- err
	}()
	pid := conn.PgConn().PID()
	for running := false; !running; {
		err := in.Admin.QueryRow(t.Context(), `SELECT state = 'active' FROM pg_stat_activity WHERE pid = $1`, int32(pid)).Scan(&running)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	in.Terminate(t.Context(), name, pid)
	var pg *pgconn.PgError
	if err := <-done; !errors.As(err, &pg) || pg.Code != "57P01" {
		t.Errorf("the trigger ended with %v", err)
	}
}

// TestSharedRoles: a setting that one project's developer leaves on a shared
// role is reset.
func TestSharedRoles(t *testing.T) {
	t.Parallel()
	in := install(t, testkit.NewCluster(t).URL())
	name := tenants.NewRef().OwnerRole()
	owner := in.role(t, name)()
	in.exec(t, "CREATE ROLE anon; GRANT anon TO "+name)
	if _, err := owner.Exec(t.Context(), "SET ROLE anon; ALTER ROLE anon SET default_transaction_read_only = on"); err != nil {
		t.Fatal(err)
	}
	if err := in.resetSharedRoles(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := in.Admin.QueryRow(t.Context(), `SELECT count(*) FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
		WHERE s.setdatabase = 0 AND r.rolname = 'anon'`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d settings are left on anon, %v", left, err)
	}
}

// TestSharedRolesHeld: a transaction that changes a setting of a shared role, and
// stays open, holds up its reset. The session is ended.
func TestSharedRolesHeld(t *testing.T) {
	t.Parallel()
	in := install(t, testkit.NewCluster(t).URL())
	name := tenants.NewRef().OwnerRole()
	owner := in.role(t, name)()
	in.exec(t, "CREATE ROLE anon; GRANT anon TO "+name)
	for _, sql := range []string{
		"SET ROLE anon; ALTER ROLE anon SET default_transaction_read_only = on",
		"BEGIN; ALTER ROLE anon SET default_transaction_read_only = off",
	} {
		if _, err := owner.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := in.resetSharedRoles(ctx); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := in.Admin.QueryRow(t.Context(), `SELECT count(*) FROM pg_db_role_setting`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d settings are left, %v", left, err)
	}
	var pg *pgconn.PgError
	if _, err := owner.Exec(t.Context(), "SELECT 1"); !errors.As(err, &pg) || pg.Code != "57P01" {
		t.Errorf("the session that holds up the reset goes on: %v", err)
	}
}

// TestLockTimeout: a reset that waits for a session of no project gives up.
func TestLockTimeout(t *testing.T) {
	t.Parallel()
	in := install(t, testkit.NewCluster(t).URL())
	in.exec(t, "CREATE ROLE anon; ALTER ROLE anon SET default_transaction_read_only = on")
	other := connect(t, in.url)
	if _, err := other.Exec(t.Context(), "BEGIN; ALTER ROLE anon SET default_transaction_read_only = off"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var pg *pgconn.PgError
	if err := in.resetSharedRoles(ctx); !errors.As(err, &pg) || pg.Code != "55P03" {
		t.Errorf("the reset ended with %v", err)
	}
	if _, err := other.Exec(t.Context(), "COMMIT"); err != nil {
		t.Errorf("a session that is not a project's: %v", err)
	}
}

// TestOverdue: sessions beyond the bounds are ended, others continue, and
// another installation's sessions are ignored.
func TestOverdue(t *testing.T) {
	t.Parallel()
	url := testkit.Database(t)
	in, other := install(t, url), install(t, url)
	begin := func(in *installation, role string) *pgx.Conn {
		conn := in.role(t, role)()
		if _, err := conn.Exec(t.Context(), "BEGIN; SELECT 1"); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	owner, auth := begin(in, tenants.NewRef().OwnerRole()), begin(in, tenants.NewRef().AuthRole())
	neighbour := begin(other, tenants.NewRef().OwnerRole())
	if err := in.endOverdue(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, conn := range []*pgx.Conn{owner, auth} {
		if _, err := conn.Exec(t.Context(), "SELECT 1"); err != nil {
			t.Fatalf("within the bounds: %v", err)
		}
	}
	if err := in.endBeyond(t.Context(), bounds{reeveWork: time.Hour, reeveAge: time.Hour, ownerIdle: 0, ownerWork: time.Hour, horizon: 1 << 40}); err != nil {
		t.Fatal(err)
	}
	if _, err := owner.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("an owner's idle transaction beyond its bound goes on")
	}
	if _, err := auth.Exec(t.Context(), "SELECT 1"); err != nil {
		t.Errorf("the auth role within its bound: %v", err)
	}
	if err := in.endBeyond(t.Context(), bounds{reeveWork: 0, reeveAge: time.Hour, ownerIdle: time.Hour, ownerWork: 0, horizon: 1 << 40}); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("the auth role's transaction beyond its bound goes on")
	}
	if _, err := neighbour.Exec(t.Context(), "SELECT 1"); err != nil {
		t.Errorf("another installation's session: %v", err)
	}
}

// TestOverdueCommits: a procedure that commits in a loop is as old as its
// statement, and a session of the auth role has a bound of its own.
func TestOverdueCommits(t *testing.T) {
	t.Parallel()
	in := install(t, testkit.Database(t))
	long := bounds{reeveWork: time.Hour, reeveAge: time.Hour, ownerIdle: time.Hour, ownerWork: time.Hour, queryAge: time.Hour, horizon: 1 << 40}
	for name, c := range map[string]struct {
		role  string
		bound func(*bounds, time.Duration)
	}{
		"owner":        {tenants.NewRef().OwnerRole(), func(b *bounds, d time.Duration) { b.ownerWork = d }},
		"auth":         {tenants.NewRef().AuthRole(), func(b *bounds, d time.Duration) { b.reeveWork = d }},
		"api":          {tenants.NewRef().APIRole(), func(b *bounds, d time.Duration) { b.reeveWork = d }},
		"query":        {tenants.NewRef().QueryRole(), func(b *bounds, d time.Duration) { b.queryAge = d }},
		"auth session": {tenants.NewRef().AuthRole(), func(b *bounds, d time.Duration) { b.reeveAge = d }},
	} {
		t.Run(name, func(t *testing.T) {
			conn := in.role(t, c.role)()
			pid := int32(conn.PgConn().PID())
			done := make(chan error, 1)
			go func() {
				_, err := conn.Exec(t.Context(), "DO $$ BEGIN FOR i IN 1..3000 LOOP PERFORM pg_sleep(0.01); COMMIT; END LOOP; END $$")
				done <- err
			}()
			b := long
			c.bound(&b, 300*time.Millisecond)
			for ended := false; !ended; time.Sleep(10 * time.Millisecond) {
				if err := in.endBeyond(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				err := in.Admin.QueryRow(t.Context(), "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $1", pid).Scan(&ended)
				if err != nil {
					t.Fatal(err)
				}
			}
			var pg *pgconn.PgError
			if err := <-done; !errors.As(err, &pg) || pg.Code != "57P01" {
				t.Errorf("the session ended with %v", err)
			}
		})
	}
}

// TestHorizon: a session that keeps vacuum from freezing many transaction ids is
// ended.
func TestHorizon(t *testing.T) {
	t.Parallel()
	in := install(t, testkit.NewCluster(t).URL())
	holder, other := in.lastingRole(t, tenants.NewRef().OwnerRole())(), in.lastingRole(t, tenants.NewRef().OwnerRole())()
	b := bounds{reeveWork: time.Hour, reeveAge: time.Hour, ownerIdle: time.Hour, ownerWork: time.Hour, queryAge: time.Hour, horizon: 1000}
	for conn, sql := range map[*pgx.Conn]string{holder: "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1", other: "BEGIN"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.endBeyond(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Exec(t.Context(), "SELECT 1"); err != nil {
		t.Fatalf("within the bound: %v", err)
	}
	in.exec(t, "DO $$ BEGIN FOR i IN 1..1100 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$")
	if err := in.endBeyond(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("the session goes on")
	}
	if _, err := other.Exec(t.Context(), "SELECT 1"); err != nil {
		t.Errorf("another session: %v", err)
	}
}
