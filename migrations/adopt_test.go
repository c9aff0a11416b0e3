package migrations_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/migrations"
)

// state lists everything that migrations and adopt determine: objects with
// their owners and privileges, policies, settings, versions.
func state(p *project, s *session) []string {
	return s.lines(`
		SELECT concat_ws(' ', relkind, oid::regclass, relowner::regrole, relacl, relrowsecurity) AS line FROM pg_class
			WHERE relnamespace IN ('auth'::regnamespace, 'reeve'::regnamespace, 'public'::regnamespace)
		UNION ALL SELECT concat_ws(' ', nspname, nspowner::regrole, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_'
		UNION ALL SELECT concat_ws(' ', oid::regprocedure, proowner::regrole, proacl, prosrc) FROM pg_proc
			WHERE pronamespace IN ('auth'::regnamespace, 'reeve'::regnamespace)
		UNION ALL SELECT concat_ws(' ', oid::regtype, typowner::regrole, typacl) FROM pg_type WHERE typnamespace = 'auth'::regnamespace
		UNION ALL SELECT concat_ws(' ', polrelid::regclass, polname, polroles::regrole[]) FROM pg_policy
		UNION ALL SELECT concat_ws(' ', defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype, defaclacl) FROM pg_default_acl
		UNION ALL SELECT concat_ws(' ', datname, datacl) FROM pg_database WHERE datname = current_database()
		UNION ALL SELECT concat_ws(' ', setrole::regrole, setconfig) FROM pg_db_role_setting
			WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
		UNION ALL SELECT concat_ws(' ', 'version', version_id, tstamp) FROM reeve.goose_db_version
		ORDER BY 1`)
}

func TestSecondRunChangesNothing(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	admin := p.admin(t)
	before := state(p, admin)
	migrate(t, p.url)
	p.adopt(t)
	if after := state(p, admin); !slices.Equal(before, after) {
		t.Errorf("second run changed\n%s\nto\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	if n := admin.count("SELECT count(*) FROM pg_policies WHERE schemaname = 'auth'"); n != len(admin.lines("SELECT relname FROM pg_class WHERE relnamespace = 'auth'::regnamespace AND relkind = 'r'")) {
		t.Errorf("%d policies on auth tables", n)
	}
}

// The developer's later REVOKE must survive the next migration.
func TestAdoptKeepsWhatTheDeveloperHardened(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	owner, api := p.as(t, p.owner), p.as(t, p.api)
	owner.exec(`
		ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM anon, authenticated;
		REVOKE USAGE ON SCHEMA public FROM anon;`)
	p.adopt(t)
	owner.exec("CREATE TABLE secrets (id int)")
	api.exec("SET ROLE authenticated")
	api.refused(denied, "SELECT * FROM secrets")
	if got := owner.text("SELECT has_schema_privilege('service_role', 'public', 'USAGE')::text"); got != "true" {
		t.Error("service_role lost schema public")
	}
}

// A later migration adds objects as the admin; adopting again transfers them.
func TestAdoptTakesNewObjects(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.admin(t).exec(`
		CREATE TYPE auth.colour AS ENUM ('red');
		CREATE TABLE auth.later (id bigserial PRIMARY KEY, colour auth.colour);
		ALTER TABLE auth.later ENABLE ROW LEVEL SECURITY;
		CREATE SEQUENCE auth.loose;
		CREATE FUNCTION auth.helper() RETURNS int LANGUAGE sql AS 'SELECT 1';`)
	p.adopt(t)
	p.as(t, p.auth).exec("INSERT INTO auth.later (colour) VALUES ('red'); ALTER TABLE auth.later ADD COLUMN note text; ALTER SEQUENCE auth.loose RESTART; SELECT auth.helper()")
	owner := p.as(t, p.owner)
	owner.exec("INSERT INTO auth.later (id) VALUES (nextval('auth.loose') + 100)")
	if n := owner.count("SELECT count(*) FROM auth.later"); n != 2 {
		t.Errorf("owner sees %d rows of the new table, want 2", n)
	}
	owner.refused(denied, "SELECT auth.helper()")
}

// A database that gets other owners, such as a copy for another project, is
// adopted again.
func TestAdoptForOtherRoles(t *testing.T) {
	t.Parallel()
	second := newRoles(t)
	p := newProject(t)
	p.as(t, p.auth).newUser("ann@example.com")
	second.url = p.url
	second.adopt(t)
	if n := second.as(t, second.owner).count("SELECT count(*) FROM auth.users"); n != 1 {
		t.Errorf("new owner sees %d users, want 1", n)
	}
	second.as(t, second.owner).exec("CREATE TABLE t (id uuid REFERENCES auth.users)")
	second.as(t, second.auth).exec("ALTER TABLE auth.users ADD COLUMN x int")
}

func TestAdoptIsForTheAdmin(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	for _, role := range []string{p.auth, p.api, p.owner} {
		p.as(t, role).refused(denied, "SELECT reeve.adopt($1, $2, $3)", p.auth, p.api, p.owner)
	}
}

// The admin of a managed server is no superuser.
func TestPlainAdmin(t *testing.T) {
	t.Parallel()
	p := newRoles(t)
	admin := strings.TrimSuffix(p.auth, "_auth") + "_admin"
	super := connect(t, testkit.Postgres(t), "")
	super.exec("CREATE ROLE " + admin + " LOGIN CREATEDB CREATEROLE PASSWORD '" + admin + "'")
	t.Cleanup(func() { dropRoles(t, admin) })
	url := testkit.Database(t)
	connect(t, url, "").exec("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO " + admin + "', current_database()); END $$")
	p.url = withUser(t, url, admin)

	connect(t, p.url, "").exec(migrations.Cluster())
	migrate(t, p.url)
	p.adopt(t)
	p.adopt(t)
	connect(t, p.url, "").exec("SELECT reeve.set_capability(sha256(convert_to($1, 'UTF8')))", p.capability)

	auth, owner := p.as(t, p.auth), p.as(t, p.owner)
	id := auth.newUser("ann@example.com")
	auth.exec("SELECT reeve.outbox_add($1, $2, 'mail', 'x')", p.capability, id)
	auth.refused(denied, "SELECT * FROM reeve.outbox")
	owner.exec("CREATE TABLE t (id uuid REFERENCES auth.users)")
	if n := owner.count("SELECT count(*) FROM auth.users"); n != 1 {
		t.Errorf("owner sees %d users", n)
	}
	owner.refused(denied, "SELECT * FROM reeve.outbox")
}

func TestClusterRunsAtOnce(t *testing.T) {
	t.Parallel()
	var group errgroup.Group
	for range 6 {
		conn := connect(t, testkit.Postgres(t), "").conn
		group.Go(func() error {
			_, err := conn.Exec(t.Context(), migrations.Cluster())
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	s := connect(t, testkit.Postgres(t), "")
	got := s.lines(`SELECT concat_ws(' ', rolname, rolcanlogin, rolinherit, rolbypassrls, rolsuper) FROM pg_roles
		WHERE rolname IN ('anon', 'authenticated', 'service_role', 'supabase_auth_admin') ORDER BY 1`)
	want := []string{"anon f f f f", "authenticated f f f f", "service_role f f t f", "supabase_auth_admin f f f f"}
	if !slices.Equal(got, want) {
		t.Errorf("cluster roles are %v, want %v", got, want)
	}
}
