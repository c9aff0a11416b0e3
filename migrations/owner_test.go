package migrations_test

import (
	"testing"

	"github.com/google/uuid"
)

func TestOwnerWorksWithAuthTables(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	owner := p.as(t, p.owner)
	id := owner.newUser("seed@example.com")
	owner.exec("UPDATE auth.users SET phone = '1' WHERE id = $1", id)
	session := uuid.New()
	owner.exec("INSERT INTO auth.sessions (id, user_id) VALUES ($1, $2)", session, id)
	owner.exec("INSERT INTO auth.refresh_tokens (token, session_id) VALUES ('x', $1)", session)
	owner.exec("CREATE VIEW people AS SELECT id, email FROM auth.users")
	if n := owner.count("SELECT count(*) FROM people JOIN auth.sessions ON user_id = people.id"); n != 1 {
		t.Errorf("owner sees %d of its seeded users", n)
	}
	owner.exec("DELETE FROM auth.users WHERE id = $1", id)
	if n := owner.count("SELECT count(*) FROM auth.refresh_tokens"); n != 0 {
		t.Errorf("%d refresh tokens outlive their user", n)
	}
}

func TestOwnerHasRoomOfItsOwn(t *testing.T) {
	t.Parallel()
	owner := func() *session { p := newProject(t); return p.as(t, p.owner) }()
	owner.exec("CREATE SCHEMA app; CREATE TABLE app.t (id uuid DEFAULT uuid_generate_v4()); INSERT INTO app.t DEFAULT VALUES")
	owner.exec("CREATE TEMPORARY TABLE scratch (id int)")
	owner.exec("CREATE EXTENSION pg_trgm WITH SCHEMA extensions")
	owner.exec("CREATE TYPE mood AS ENUM ('good'); CREATE FUNCTION f() RETURNS mood LANGUAGE sql AS $$SELECT 'good'::mood$$")
}

// The trigger that nearly every Supabase project has.
func TestHandleNewUserTrigger(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	owner, auth := p.as(t, p.owner), p.as(t, p.auth)
	owner.exec(`
		CREATE TABLE public.profiles (id uuid PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE, name text, ran_as text);
		ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;
		CREATE FUNCTION public.handle_new_user() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
		BEGIN
			INSERT INTO public.profiles (id, name, ran_as) VALUES (new.id, new.raw_user_meta_data ->> 'name', current_user);
			RETURN new;
		END $$;
		CREATE TRIGGER on_auth_user_created AFTER INSERT ON auth.users
			FOR EACH ROW EXECUTE PROCEDURE public.handle_new_user();`)
	auth.newUser("ann@example.com")
	if got := owner.text("SELECT name || ' ' || ran_as FROM public.profiles"); got != "Ann "+p.owner {
		t.Errorf("profile is %q", got)
	}
	auth.exec("DELETE FROM auth.users")
	if n := owner.count("SELECT count(*) FROM public.profiles"); n != 0 {
		t.Errorf("%d profiles outlive their users", n)
	}
}

func TestOwnerMayNot(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	for name, query := range map[string]string{
		"read the outbox":             "SELECT * FROM reeve.outbox",
		"read the capability":         "SELECT * FROM reeve.capability",
		"read the versions":           "SELECT * FROM reeve.goose_db_version",
		"write the outbox":            "DELETE FROM reeve.outbox",
		"call outbox functions":       "SELECT reeve.outbox_pending('x')",
		"set the capability":          `SELECT reeve.set_capability('\x00')`,
		"adopt":                       "SELECT reeve.adopt('a', 'b', 'c')",
		"reference the outbox":        "CREATE TABLE t (id uuid REFERENCES reeve.outbox)",
		"create in reeve":             "CREATE TABLE reeve.t (id int)",
		"drop reeve":                  "DROP SCHEMA reeve CASCADE",
		"alter auth tables":           "ALTER TABLE auth.users ADD COLUMN extra text",
		"drop auth tables":            "DROP TABLE auth.users CASCADE",
		"empty auth tables":           "TRUNCATE auth.users CASCADE",
		"switch row security off":     "ALTER TABLE auth.users DISABLE ROW LEVEL SECURITY",
		"add policies to auth tables": "CREATE POLICY x ON auth.users USING (true)",
		"switch triggers off":         "ALTER TABLE auth.users DISABLE TRIGGER ALL",
		"index auth tables":           "CREATE INDEX ON auth.users (phone)",
		"create in auth":              "CREATE TABLE auth.t (id int)",
		"replace auth.uid":            "CREATE OR REPLACE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
		"drop schema auth":            "DROP SCHEMA auth CASCADE",
		"become the auth role":        "SET ROLE " + p.auth,
		"become the api role":         "SET ROLE " + p.api,
		"grant itself service_role":   "GRANT service_role TO CURRENT_USER",
		"create roles":                "CREATE ROLE intruder",
		"create databases":            "CREATE DATABASE intruder",
		"raise itself":                "ALTER ROLE CURRENT_USER SUPERUSER",
		"lift its limit":              "ALTER ROLE CURRENT_USER CONNECTION LIMIT -1",
		"change another password":     "ALTER ROLE " + p.auth + " PASSWORD 'x'",
		"read server files":           "SELECT pg_read_file('/etc/passwd')",
		"list server files":           "SELECT pg_ls_dir('.')",
		"copy from server files":      "CREATE TABLE f (l text); COPY f FROM '/etc/passwd'",
		"run programs":                "COPY (SELECT 1) TO PROGRAM 'cat'",
		"import files":                "SELECT lo_import('/etc/passwd')",
		"configure the server":        "ALTER SYSTEM SET work_mem = '1GB'",
		"skip triggers":               "SET session_replication_role = replica",
		"create event triggers":       "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION e()",
		"load untrusted languages":    "CREATE FUNCTION c() RETURNS int LANGUAGE c AS '/lib/x.so', 'x'",
		"connect from inside":         "CREATE EXTENSION dblink",
		"use foreign servers":         "CREATE EXTENSION postgres_fdw",
		"rename its database":         "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 1', current_database()); END $$",
		"create triggers on the outbox": `CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
			CREATE TRIGGER g BEFORE INSERT ON reeve.outbox FOR EACH ROW EXECUTE FUNCTION g()`,
	} {
		t.Run(name, func(t *testing.T) {
			p.as(t, p.owner).refused(denied, query)
		})
	}
}

func TestRolesReachNoOtherDatabase(t *testing.T) {
	t.Parallel()
	p, other := newProject(t), newProject(t)
	admin := p.admin(t)
	for _, role := range []string{p.auth, p.api, p.owner} {
		shared := []string{"anon", "authenticated", "service_role"}
		if role == p.auth {
			shared = []string{"supabase_auth_admin"} // what hooks are granted to
		}
		for name, target := range map[string]string{
			"another project": other.url,
			"postgres":        withDatabase(t, p.url, "postgres"),
			"template1":       withDatabase(t, p.url, "template1"),
		} {
			if conn, err := dial(t, target, role); sqlState(err) != denied {
				t.Errorf("%s connects to %s: %v", role, name, err)
				if err == nil {
					_ = conn.Close(t.Context())
				}
			}
		}
		if n := admin.count("SELECT count(*) FROM pg_auth_members WHERE member = $1::regrole AND roleid::regrole::text <> ALL ($2)", role, shared); n != 0 {
			t.Errorf("%s is a member of %d other roles", role, n)
		}
	}
	if n := admin.count("SELECT count(*) FROM pg_database d, aclexplode(d.datacl) a WHERE d.datname = current_database() AND a.grantee = 0"); n != 0 {
		t.Errorf("PUBLIC has %d privileges on the project's database", n)
	}
}

func TestAPIRole(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.as(t, p.owner).exec("CREATE TABLE notes (id int)")
	for name, query := range map[string]string{
		"read users":                 "SELECT * FROM auth.users",
		"ask auth.uid as such":       "SELECT auth.uid()",
		"read the outbox":            "SELECT * FROM reeve.outbox",
		"call outbox functions":      "SELECT reeve.outbox_add('x', gen_random_uuid(), 'x', 'x')",
		"read tables as such":        "SELECT * FROM notes",
		"create in public":           "CREATE TABLE t (id int)",
		"create schemas":             "CREATE SCHEMA s",
		"create temp tables":         "CREATE TEMPORARY TABLE t (id int)",
		"become the owner":           "SET ROLE " + p.owner,
		"become the auth role":       "SET ROLE " + p.auth,
		"create roles":               "CREATE ROLE intruder",
		"users as end user":          "SET ROLE authenticated; SELECT * FROM auth.users",
		"users as service_role":      "SET ROLE service_role; SELECT * FROM auth.users",
		"outbox as service_role":     "SET ROLE service_role; SELECT * FROM reeve.outbox",
		"outbox calls as end user":   "SET ROLE authenticated; SELECT reeve.outbox_pending('x')",
		"create in public as a role": "SET ROLE service_role; CREATE TABLE t (id int)",
	} {
		t.Run(name, func(t *testing.T) {
			p.as(t, p.api).refused(denied, query)
		})
	}
	api := p.as(t, p.api)
	for _, role := range []string{"anon", "authenticated", "service_role"} {
		api.exec("SET ROLE " + role)
		if got := api.text("SELECT current_user::text"); got != role {
			t.Errorf("api role became %s, want %s", got, role)
		}
		api.exec("RESET ROLE")
	}
}

// TestOwnerTriesPolicies: a developer queries their tables as an end user.
func TestOwnerTriesPolicies(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	owner := p.as(t, p.owner)
	owner.exec("CREATE TABLE public.notes (id int, owner uuid DEFAULT auth.uid())")
	owner.exec("ALTER TABLE public.notes ENABLE ROW LEVEL SECURITY")
	owner.exec("CREATE POLICY own ON public.notes TO authenticated USING (owner = auth.uid())")
	owner.exec("INSERT INTO public.notes VALUES (1, '00000000-0000-4000-8000-000000000001'), (2, '00000000-0000-4000-8000-000000000002')")
	owner.exec("SELECT set_config('request.jwt.claims', '{\"sub\":\"00000000-0000-4000-8000-000000000002\"}', false)")
	owner.exec("SET ROLE authenticated")
	var ids []int
	if err := owner.conn.QueryRow(t.Context(), "SELECT array_agg(id) FROM public.notes").Scan(&ids); err != nil {
		t.Fatal(err)
	}
	if len(ids) != 1 || ids[0] != 2 {
		t.Errorf("an end user sees %v, want only their own note", ids)
	}
}
