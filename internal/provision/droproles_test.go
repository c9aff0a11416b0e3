package provision

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

// connect opens a session with a connection string.
func connect(t *testing.T, at string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeConn(conn) })
	return conn
}

func mustExec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// weakWorld has a separate server, on which the admin is no superuser. It also
// returns the superuser's URL.
func weakWorld(t *testing.T) (*world, string) {
	t.Helper()
	cluster := testkit.NewCluster(t)
	conn := connect(t, cluster.URL())
	if strings.HasPrefix(conn.PgConn().ParameterStatus("server_version"), "14") {
		t.Skip("schema public is the superuser's there, so that no other role can make projects")
	}
	mustExec(t, conn, "CREATE ROLE weak LOGIN CREATEDB CREATEROLE PASSWORD 'weak'")
	admin, err := url.Parse(cluster.URL())
	if err != nil {
		t.Fatal(err)
	}
	admin.User = url.UserPassword("weak", "weak")
	return newWorld(t, func(s *Service) { s.Cluster.AdminURL = admin.String() }), cluster.URL()
}

// asAuth opens a session as a project's auth role; developers' triggers have
// its rights.
func (w *world) asAuth(t *testing.T, ref tenants.Ref) *pgx.Conn {
	t.Helper()
	conn, err := w.Dial(t.Context(), w.checkServed(t, ref))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeConn(conn) })
	return conn
}

// baits are the objects on which poison makes references to roles.
const baits = `
	CREATE TABLE bait (a int, b int); INSERT INTO bait VALUES (1, 2);
	CREATE TABLE "Odd ""bait" (a int);
	CREATE VIEW seen AS SELECT 1 AS a;
	CREATE SEQUENCE numbers;
	CREATE TYPE mood AS ENUM ('good');
	CREATE DOMAIN "Odd type" AS int;
	CREATE FUNCTION told(mood, "Odd type") RETURNS int LANGUAGE sql AS 'SELECT 1';
	CREATE PROCEDURE done() LANGUAGE sql AS 'SELECT 1';
	CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int);
	CREATE SCHEMA "Odd schema";
	SELECT lo_create(4711);
	GRANT ALL ON SCHEMA public TO anon;
	GRANT ALL ON bait TO anon WITH GRANT OPTION;
	GRANT USAGE ON SCHEMA "Odd schema" TO anon WITH GRANT OPTION;
	GRANT EXECUTE ON FUNCTION told TO authenticated WITH GRANT OPTION;
	GRANT USAGE ON TYPE mood TO service_role WITH GRANT OPTION;
	GRANT SELECT ON LARGE OBJECT 4711 TO service_role WITH GRANT OPTION;
	SET ROLE anon; CREATE TABLE public.of_anon (); RESET ROLE`

// poisons are the ways in which a developer can refer to a role.
var poisons = []string{
	`GRANT SELECT ON bait TO %s`,
	`GRANT UPDATE (a) ON bait TO %s WITH GRANT OPTION`,
	`GRANT ALL ON "Odd ""bait", seen, numbers TO %s`,
	`GRANT USAGE ON TYPE mood, "Odd type" TO %s`,
	`GRANT EXECUTE ON FUNCTION told, total TO %s`,
	`GRANT EXECUTE ON PROCEDURE done TO %s`,
	`GRANT ALL ON SCHEMA "Odd schema" TO %s`,
	`GRANT UPDATE ON LARGE OBJECT 4711 TO %s`,
	`ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO %s`,
	`ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO %s`,
	`CREATE POLICY "only %[1]s" ON bait TO %[1]s USING (true)`,
	`CREATE POLICY "also %[1]s" ON "Odd ""bait" TO anon, %[1]s`,
	// With a grant option, not as the owner.
	`SET ROLE anon; GRANT SELECT, UPDATE (b) ON public.bait TO %s; RESET ROLE`,
	`SET ROLE anon; GRANT USAGE ON SCHEMA "Odd schema" TO %s; RESET ROLE`,
	`SET ROLE anon; GRANT SELECT ON public.of_anon TO %s; RESET ROLE`,
	`SET ROLE authenticated; GRANT EXECUTE ON FUNCTION public.told TO %s; RESET ROLE`,
	`SET ROLE service_role; GRANT USAGE ON TYPE public.mood TO %s; RESET ROLE`,
	`SET ROLE service_role; GRANT SELECT ON LARGE OBJECT 4711 TO %s; RESET ROLE`,
}

// poison makes references to a project's roles in another project's database.
func (w *world) poison(t *testing.T, from Created, to ...tenants.Ref) {
	t.Helper()
	owner, auth := connect(t, from.DatabaseURL), w.asAuth(t, from.Project.Ref)
	defer closeConn(owner)
	defer closeConn(auth)
	mustExec(t, owner, baits)
	for _, ref := range to {
		for _, role := range namesOfRoles(ref) {
			for _, p := range poisons {
				mustExec(t, owner, strings.ReplaceAll(strings.ReplaceAll(p, "%[1]s", role), "%s", role))
			}
			mustExec(t, auth, "GRANT SELECT ON auth.users TO "+role)
			mustExec(t, auth, "CREATE POLICY "+role+" ON auth.sessions TO "+role+" USING (false)")
			// Postgres 14 allows a login role to grant itself.
			_, _ = owner.Exec(t.Context(), "GRANT "+from.Project.Ref.OwnerRole()+" TO "+role+" WITH ADMIN OPTION")
		}
	}
}

// TestDeletePoisoned deletes projects, and a warm database, to whose roles
// another project's developer has made all possible references.
func TestDeletePoisoned(t *testing.T) {
	t.Parallel()
	t.Run("superuser", func(t *testing.T) {
		t.Parallel()
		deletePoisoned(t, newWorld(t))
	})
	t.Run("weak admin", func(t *testing.T) {
		t.Parallel()
		w, _ := weakWorld(t)
		deletePoisoned(t, w)
	})
}

func deletePoisoned(t *testing.T, w *world) {
	t.Helper()
	hostile, victim := w.mustCreate(t, NewProject{}), w.mustCreate(t, NewProject{}).Project.Ref
	w.mustWarm(t)
	warm, err := queryRefs(t.Context(), w, "SELECT ref FROM databases WHERE state = 'warm'")
	if err != nil || len(warm) != 1 {
		t.Fatalf("%d warm databases, %v", len(warm), err)
	}
	w.poison(t, hostile, victim, warm[0])
	if got := w.mustCreate(t, NewProject{}).Project.Ref; got != warm[0] {
		t.Fatalf("got %s, not the warm one", got)
	}
	w.checkServed(t, warm[0])

	for _, ref := range []tenants.Ref{victim, warm[0]} {
		if err := w.Delete(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		w.checkBuried(t, ref)
		w.checkNoOrphan(t)
		d, err := w.Control.DatabaseByRef(t.Context(), ref)
		if err != nil || d.State != controldb.DatabaseDroppingRoles {
			t.Errorf("the poison does not work: %s, %v", d.State, err)
		}
		var open int
		err = w.pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_roles WHERE rolname = ANY($1) AND rolcanlogin`,
			namesOfRoles(ref)).Scan(&open)
		if err != nil || open != 0 {
			t.Errorf("%d roles of a deleted project may log in, %v", open, err)
		}
		if err := w.Delete(t.Context(), ref); !errors.Is(err, controldb.ErrNoProject) {
			t.Errorf("second Delete = %v", err)
		}
	}
	w.recoverAll(t)
	for _, ref := range []tenants.Ref{victim, warm[0]} {
		w.checkGone(t, ref)
		if d, err := w.Control.DatabaseByRef(t.Context(), ref); err != nil || d.State != controldb.DatabaseDropped || d.LastError != "" {
			t.Errorf("row at the end: %s, %q, %v", d.State, d.LastError, err)
		}
	}
	checkBaits(t, w, hostile)
}

// checkBaits checks that nothing else changed in the other project's database.
func checkBaits(t *testing.T, w *world, hostile Created) {
	t.Helper()
	w.checkServed(t, hostile.Project.Ref)
	conn := connect(t, hostile.DatabaseURL)
	var rows, policies int
	var granted bool
	err := conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM bait),
		(SELECT count(*) FROM pg_policies WHERE schemaname = 'public' AND roles = '{anon}'),
		has_table_privilege('anon', 'bait', 'UPDATE') AND has_function_privilege('authenticated', 'told(mood, "Odd type")', 'EXECUTE')`).
		Scan(&rows, &policies, &granted)
	if err != nil || rows != 1 || policies != 8 || !granted {
		t.Errorf("%d rows, %d policies for anon, anon's rights left: %v, %v", rows, policies, granted, err)
	}
}

// TestDeleteOfGivenAway has objects in other databases that the project's roles
// own.
func TestDeleteOfGivenAway(t *testing.T) {
	t.Parallel()
	w, superuser := weakWorld(t)
	other, victim := w.mustCreate(t, NewProject{}), w.mustCreate(t, NewProject{})
	role := victim.Project.Ref.OwnerRole()
	// A dump was restored in the wrong place.
	wrong, err := url.Parse(superuser)
	if err != nil {
		t.Fatal(err)
	}
	wrong.Path = "/" + other.Project.Ref.Database()
	restore := connect(t, wrong.String())
	mustExec(t, restore, `CREATE TABLE public.restored (a int); INSERT INTO public.restored VALUES (1);
		ALTER TABLE public.restored OWNER TO `+role+`; ALTER DEFAULT PRIVILEGES FOR ROLE `+role+` GRANT SELECT ON TABLES TO anon`)
	closeConn(restore) // the admin may not end it
	// Every role may connect to the maintenance database.
	open, err := url.Parse(victim.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	open.Path = "/postgres"
	inside := connect(t, open.String())
	mustExec(t, inside, "SELECT lo_create(0)")

	if err := w.Delete(t.Context(), victim.Project.Ref); err != nil {
		t.Fatal(err)
	}
	if _, err := inside.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("a session in another database goes on")
	}
	w.recoverAll(t)
	w.checkGone(t, victim.Project.Ref)
	var rows int
	err = connect(t, other.DatabaseURL).QueryRow(t.Context(), "SELECT count(*) FROM restored").Scan(&rows)
	if err != nil || rows != 1 {
		t.Errorf("%d rows of what was restored, %v", rows, err)
	}
}

// TestDeleteOwner: a role that owns a whole database is kept, and the error
// says so.
func TestDeleteOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	victim := w.mustCreate(t, NewProject{})
	w.poison(t, w.mustCreate(t, NewProject{}), victim.Project.Ref)
	name := "test_owned_" + string(victim.Project.Ref)
	// Not from template1, because it must have no connections during a copy.
	for _, sql := range []string{"CREATE DATABASE " + name + " TEMPLATE template0", "ALTER DATABASE " + name + " OWNER TO " + victim.Project.Ref.OwnerRole()} {
		if _, err := w.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Delete(t.Context(), victim.Project.Ref); err != nil {
		t.Fatal(err)
	}
	if err := w.dropLeftRoles(t.Context()); err == nil || !strings.Contains(err.Error(), "owns a database") {
		t.Errorf("dropLeftRoles = %v", err)
	}
	if _, err := w.pool.Exec(t.Context(), "DROP DATABASE "+name); err != nil {
		t.Error(err)
	}
	w.mayRetry(t)
	w.recoverAll(t)
	w.checkGone(t, victim.Project.Ref)
}

// TestDeleteWithLockedBait locks the table whose grant refers to a role.
func TestDeleteWithLockedBait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hostile, victim, next := w.mustCreate(t, NewProject{}), w.mustCreate(t, NewProject{}), w.mustCreate(t, NewProject{})
	ref := victim.Project.Ref
	conn := connect(t, hostile.DatabaseURL)
	mustExec(t, conn, "CREATE TABLE bait (); CREATE POLICY p ON bait TO "+ref.OwnerRole())
	mustExec(t, conn, "BEGIN; SELECT FROM bait")
	if err := w.Delete(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	w.checkBuried(t, ref)
	began := w.Now()
	if err := w.dropLeftRoles(t.Context()); err == nil {
		t.Error("the roles are gone, whatever holds the lock")
	}
	if d, err := w.Control.DatabaseByRef(t.Context(), ref); err != nil || d.State != controldb.DatabaseDroppingRoles || d.Attempts != 1 || d.LastError == "" {
		t.Errorf("row meanwhile: %s, %d attempts, %q, %v", d.State, d.Attempts, d.LastError, err)
	}
	if left, err := w.Control.RolesLeft(t.Context(), "test", began); err != nil || len(left) != 0 {
		t.Errorf("%d are tried again at once, %v", len(left), err)
	}
	if err := w.Delete(t.Context(), next.Project.Ref); err != nil {
		t.Fatal(err)
	}
	w.checkGone(t, next.Project.Ref)
	mustExec(t, conn, "ROLLBACK")
	w.mayRetry(t)
	w.recoverAll(t)
	w.checkGone(t, ref)
}

// TestDeleteHeldUp has sessions that hold locks on the dropped objects.
func TestDeleteHeldUp(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(t *testing.T) *world{
		"superuser":  func(t *testing.T) *world { return newWorld(t) },
		"weak admin": func(t *testing.T) *world { w, _ := weakWorld(t); return w },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t)
			hostile, victim := w.mustCreate(t, NewProject{}), w.mustCreate(t, NewProject{})
			ref := victim.Project.Ref
			mustExec(t, connect(t, hostile.DatabaseURL), "CREATE TABLE bait ()")
			for _, c := range []struct{ at, sql string }{
				{hostile.DatabaseURL, "ALTER ROLE CURRENT_USER IN DATABASE " + ref.Database() + " SET work_mem = '4MB'"},
				{hostile.DatabaseURL, "GRANT SELECT ON bait TO " + ref.OwnerRole()},
				{victim.DatabaseURL, "ALTER ROLE CURRENT_USER PASSWORD 'other'"},
			} {
				mustExec(t, connect(t, c.at), "BEGIN; "+c.sql)
			}
			if err := w.Delete(t.Context(), ref); err != nil {
				t.Fatal(err)
			}
			w.checkGone(t, ref)
			w.checkBuried(t, ref)
		})
	}
}

// TestRunDropsLeftRoles: Run is notified and does not wait for a tick.
func TestRunDropsLeftRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hostile, victim := w.mustCreate(t, NewProject{}), w.mustCreate(t, NewProject{}).Project.Ref
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	w.poison(t, hostile, victim)
	if err := w.Delete(t.Context(), victim); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		d, err := w.Control.DatabaseByRef(t.Context(), victim)
		if err != nil {
			t.Fatal(err)
		}
		if d.State == controldb.DatabaseDropped {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("still %s after %d attempts: %s", d.State, d.Attempts, d.LastError)
		}
	}
	w.checkGone(t, victim)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
