package guard

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

const (
	// holdFor bounds an attack. It is longer than patience, so that the probes
	// fail when nothing ends the attack.
	holdFor  = "40s"
	patience = 25 * time.Second
)

// battle is a server with a running Guard, a database for attackers and one of a
// victim.
type battle struct {
	*installation
	home   *installation // connected to the attackers' database
	victim tenants.Ref
	group  sync.WaitGroup
}

func newBattle(t *testing.T) *battle {
	t.Helper()
	cluster := testkit.NewCluster(t)
	b := &battle{installation: install(t, cluster.URL()), victim: tenants.NewRef()}
	b.exec(t, "CREATE DATABASE "+b.victim.Database())
	b.exec(t, "CREATE ROLE "+b.victim.OwnerRole()+" LOGIN")
	b.home = install(t, cluster.Database(t, "home"))
	b.home.Mark = b.Mark
	b.home.exec(t, "CREATE SCHEMA mine; GRANT ALL ON SCHEMA mine TO PUBLIC")
	b.guard(t)
	return b
}

// attacker creates a project's owner role.
func (b *battle) attacker(t *testing.T) (open func() *pgx.Conn) {
	t.Helper()
	return b.home.lastingRole(t, tenants.NewRef().OwnerRole())
}

// guard runs the Guard until the test ends, and returns when its locks are held.
func (b *battle) guard(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = b.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	conn := connect(t, b.url)
	defer func() { _ = conn.Close(t.Context()) }()
	for held := false; !held; time.Sleep(10 * time.Millisecond) {
		err := conn.QueryRow(t.Context(), `SELECT count(*) > 0 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
			WHERE relation = 'pg_authid'::regclass AND mode = 'AccessShareLock' AND state = 'idle in transaction'`).Scan(&held)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// try starts the statement on the connection, and does not wait for it.
func (b *battle) try(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	pid := int32(conn.PgConn().PID())
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	started := make(chan struct{})
	b.group.Go(func() {
		defer cancel()
		close(started)
		_, err := conn.Exec(ctx, sql)
		t.Logf("%.110s: %v", sql, err)
	})
	<-started
	// Until it waits for a lock or has ended, as far as that can be seen.
	probe := b.Admin
	for range 200 {
		var waits bool
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		err := probe.QueryRow(ctx, `SELECT coalesce(bool_or(wait_event_type = 'Lock' OR state <> 'active'), true) FROM pg_stat_get_activity($1)`, pid).Scan(&waits)
		cancel()
		if err != nil || waits {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// peace checks that others can work: connect, write shared catalogs, and create
// and drop objects.
func (b *battle) peace(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, name := range []string{"postgres", b.victim.Database()} {
		cfg := b.Admin.Config().ConnConfig.Copy()
		cfg.Database = name
		conn, err := pgx.ConnectConfig(ctx, cfg)
		if err != nil {
			t.Fatalf("connect: %v", err)
		}
		defer func() { _ = conn.Close(context.Background()) }()
		role := "r" + string(tenants.NewRef())
		for _, sql := range []string{
			"CREATE ROLE " + role,
			"GRANT " + b.victim.OwnerRole() + " TO " + role,
			"ALTER ROLE " + b.victim.OwnerRole() + " SET work_mem = '1MB'",
			"ALTER ROLE " + role + " IN DATABASE " + b.victim.Database() + " SET work_mem = '1MB'",
			"COMMENT ON ROLE " + role + " IS 'x'",
			"CREATE TABLE public.t (); ALTER TABLE public.t OWNER TO " + role + "; DROP TABLE public.t",
			"GRANT CONNECT ON DATABASE " + b.victim.Database() + " TO " + role,
			"REVOKE CONNECT ON DATABASE " + b.victim.Database() + " FROM " + role,
			"ALTER ROLE " + role + " IN DATABASE " + b.victim.Database() + " RESET ALL",
			"DROP ROLE " + role,
			"ALTER DATABASE " + b.victim.Database() + " CONNECTION LIMIT 100",
			"SELECT count(*) FROM pg_tablespace",
		} {
			if _, err := conn.Exec(ctx, sql); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
	}
}

// end ends the attacker's sessions.
func (b *battle) end(conns ...*pgx.Conn) {
	for _, conn := range conns {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_ = conn.PgConn().CancelRequest(ctx)
		cancel()
	}
	b.group.Wait()
	for _, conn := range conns {
		_ = conn.Close(context.Background())
	}
}

// TestSharedCatalogs: one session only reads a shared catalog in an open
// transaction, and another one asks for a strong lock on it, which it would be
// refused. Without the guard, every new connection of the server waits behind
// the second one, superusers' included.
func TestSharedCatalogs(t *testing.T) {
	t.Parallel()
	b := newBattle(t)
	for name, c := range map[string]struct{ hold, wait string }{
		"rule on pg_database":             {"SELECT count(*) FROM pg_database", "CREATE RULE r AS ON INSERT TO pg_catalog.pg_database DO ALSO NOTHING"},
		"rule on pg_authid":               {"SELECT count(*) FROM pg_roles", "CREATE RULE r AS ON INSERT TO pg_catalog.pg_authid DO ALSO NOTHING"},
		"rule on an index of pg_authid":   {"SELECT count(*) FROM pg_roles", "CREATE RULE r AS ON INSERT TO pg_catalog.pg_authid_oid_index DO ALSO NOTHING"},
		"rule on an index of pg_database": {"SELECT count(*) FROM pg_database", "CREATE RULE r AS ON INSERT TO pg_catalog.pg_database_datname_index DO ALSO NOTHING"},
		"rule on pg_db_role_setting":      {"SELECT count(*) FROM pg_db_role_setting", "CREATE RULE r AS ON INSERT TO pg_catalog.pg_db_role_setting DO ALSO NOTHING"},
		"rule on pg_auth_members":         {"SELECT count(*) FROM pg_auth_members", "CREATE RULE r AS ON INSERT TO pg_catalog.pg_auth_members DO ALSO NOTHING"},
		"rule on pg_shdepend":             {"SELECT count(*) FROM pg_shdepend", "CREATE RULE r AS ON INSERT TO pg_catalog.pg_shdepend DO ALSO NOTHING"},
		"rule on pg_tablespace":           {"SELECT count(*) FROM pg_tablespace", "CREATE RULE r AS ON INSERT TO pg_catalog.pg_tablespace DO ALSO NOTHING"},
		"trigger on pg_authid":            {"ALTER ROLE CURRENT_USER PASSWORD 'secret'", "CREATE TRIGGER r AFTER INSERT ON pg_catalog.pg_authid EXECUTE FUNCTION suppress_redundant_updates_trigger()"},
		"trigger on pg_db_role_setting":   {"ALTER ROLE CURRENT_USER SET work_mem = '3MB'", "CREATE TRIGGER r AFTER INSERT ON pg_catalog.pg_db_role_setting EXECUTE FUNCTION suppress_redundant_updates_trigger()"},
		"reference to pg_authid":          {"ALTER ROLE CURRENT_USER PASSWORD 'secret'", "CREATE TABLE mine.t (r oid REFERENCES pg_catalog.pg_authid)"},
		"drop another database":           {"ALTER ROLE CURRENT_USER IN DATABASE " + b.victim.Database() + " SET work_mem = '1MB'", "DROP DATABASE " + b.victim.Database()},
		"rename another database":         {"ALTER ROLE CURRENT_USER IN DATABASE " + b.victim.Database() + " SET work_mem = '1MB'", "ALTER DATABASE " + b.victim.Database() + " RENAME TO x"},
		"move another database":           {"ALTER ROLE CURRENT_USER IN DATABASE " + b.victim.Database() + " SET work_mem = '1MB'", "ALTER DATABASE " + b.victim.Database() + " SET TABLESPACE pg_default"},
		"drop the maintenance database":   {"ALTER ROLE CURRENT_USER IN DATABASE postgres SET work_mem = '1MB'", "DROP DATABASE postgres"},
	} {
		t.Run(name, func(t *testing.T) {
			owner := b.attacker(t)
			holder, waiter := owner(), owner()
			// Every other session must look this role up again.
			run(t, waiter, "ALTER ROLE CURRENT_USER PASSWORD 'secret'")
			run(t, waiter, "SET statement_timeout = '"+holdFor+"'")
			run(t, holder, "BEGIN")
			run(t, holder, c.hold)
			defer b.end(waiter, holder)
			b.try(t, waiter, c.wait)
			b.peace(t)
		})
	}
}

// TestWeakLockHeld: an open transaction of a project that has only a weak lock on
// another database blocks the deletion of that database. It is ended.
func TestWeakLockHeld(t *testing.T) {
	t.Parallel()
	b := newBattle(t)
	holder := b.attacker(t)()
	run(t, holder, "BEGIN; ALTER ROLE CURRENT_USER IN DATABASE "+b.victim.Database()+" SET work_mem = '1MB'")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := b.Admin.Exec(ctx, "DROP DATABASE "+b.victim.Database()); err != nil {
		t.Errorf("the database cannot be dropped: %v", err)
	}
	var pg *pgconn.PgError
	if _, err := holder.Exec(t.Context(), "SELECT 1"); !errors.As(err, &pg) || pg.Code != "57P01" {
		t.Errorf("the session goes on: %v", err)
	}
}

// TestNoSnapshot: the transaction that holds the locks has no snapshot and no
// transaction id, so vacuum does not wait for it.
func TestNoSnapshot(t *testing.T) {
	t.Parallel()
	s, _ := watched(t)
	var held bool
	err := s.other.QueryRow(t.Context(), `SELECT a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL FROM pg_stat_activity a
		JOIN pg_locks l USING (pid) WHERE pid = $1 AND l.relation = 'pg_authid'::regclass AND state = 'idle in transaction'`,
		int32(s.conn.PgConn().PID())).Scan(&held)
	if err != nil || held {
		t.Errorf("held: %v, %v", held, err)
	}
}

// TestOperatorPasses: neither the locks that the guard holds nor those of a
// project that only reads block an operator.
func TestOperatorPasses(t *testing.T) {
	t.Parallel()
	b := newBattle(t)
	reader := b.attacker(t)() // a project's dump, for example
	run(t, reader, "BEGIN; SELECT count(*) FROM pg_roles")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, sql := range []string{"VACUUM FULL pg_authid", "REINDEX TABLE pg_database", "VACUUM FULL pg_database"} {
		if _, err := b.Admin.Exec(ctx, sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
}
