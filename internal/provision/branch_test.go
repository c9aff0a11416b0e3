package provision

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
)

// asOwner runs SQL as a project's developer and returns the first column of the
// first row as text.
func (w *world) asOwner(t testing.TB, ref tenants.Ref, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), w.ownerURL(t, ref))
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(conn)
	results, err := conn.PgConn().Exec(t.Context(), sql).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	last := results[len(results)-1]
	if len(last.Rows) == 0 {
		return ""
	}
	return string(last.Rows[0][0])
}

// sourceSQL is a project with users, sessions and objects of its developer.
const sourceSQL = `
	INSERT INTO auth.users (id, email, encrypted_password) VALUES ('00000000-0000-0000-0000-000000000001', 'ann@example.com', 'hash');
	INSERT INTO auth.sessions (id, user_id, created_at) VALUES ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', now());
	CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY, user_id uuid REFERENCES auth.users, body text);
	INSERT INTO notes (user_id, body) VALUES ('00000000-0000-0000-0000-000000000001', 'first');
	ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON notes FOR ALL TO authenticated USING (user_id = auth.uid());
	CREATE POLICY developer ON notes FOR SELECT TO %[1]s_owner, anon USING (true);
	CREATE TABLE profiles (id uuid PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE);
	GRANT INSERT ON profiles TO %[1]s_auth;
	GRANT SELECT (id) ON profiles TO %[1]s_auth WITH GRANT OPTION;
	CREATE FUNCTION profile() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS
		$f$ BEGIN INSERT INTO public.profiles VALUES (new.id); RETURN new; END $f$;
	CREATE TRIGGER profile AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION profile();
	CREATE TABLE gone (id uuid);
	CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS
		$f$ BEGIN INSERT INTO public.gone VALUES (old.id); RETURN old; END $f$;
	CREATE TRIGGER gone BEFORE DELETE ON auth.sessions FOR EACH ROW EXECUTE FUNCTION gone();
	CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('good'); CREATE VIEW app.n AS SELECT count(*) FROM public.notes;
	GRANT USAGE ON SCHEMA app TO %[1]s_auth;
	ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; ALTER DEFAULT PRIVILEGES GRANT USAGE ON TYPES TO %[1]s_auth;
	ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO %[1]s_auth;`

func (w *world) source(t testing.TB) tenants.Ref {
	t.Helper()
	ref := w.mustCreate(t, NewProject{}).Project.Ref
	w.asOwner(t, ref, strings.ReplaceAll(sourceSQL, "%[1]s", ref.Database()))
	return ref
}

func (w *world) mustBranch(t testing.TB, source tenants.Ref) Created {
	t.Helper()
	created, err := w.Branch(t.Context(), NewProject{OrganizationID: w.org, Name: "branch", BranchOf: source})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// checkBranch checks that a branch is complete and refers to no role of its source.
func (w *world) checkBranch(t testing.TB, source, ref tenants.Ref) {
	t.Helper()
	tenant := w.checkServed(t, ref)
	if !tenant.Capture {
		t.Error("its messages are not captured")
	}
	for _, c := range []struct{ sql, want string }{
		{"SELECT email FROM auth.users", "ann@example.com"},
		{"SELECT count(*) FROM auth.sessions", "0"},
		{"SELECT count(*) FROM gone", "1"},
		{"SELECT body FROM notes", "first"},
		{"INSERT INTO notes (body) VALUES ('second'); SELECT count(*) FROM notes", "2"},
		{"DELETE FROM notes WHERE body = 'second'; SELECT n FROM app.n", ""},
		{"INSERT INTO auth.users (id) VALUES (gen_random_uuid()); SELECT count(*) FROM profiles", "1"},
		{"DELETE FROM auth.users WHERE email IS NULL; SELECT count(*) FROM profiles", "0"},
		{"SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'notes'", ref.OwnerRole()},
		{"SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'auth.users'::regclass", ref.AuthRole()},
		{"SELECT pg_get_userbyid(typowner) FROM pg_type WHERE oid = 'app.mood'::regtype", ref.OwnerRole()},
		{"SELECT has_table_privilege('" + ref.AuthRole() + "', 'profiles', 'INSERT')", "t"},
		{"SELECT has_column_privilege('" + ref.AuthRole() + "', 'profiles', 'id', 'SELECT WITH GRANT OPTION')", "t"},
		{"SELECT has_schema_privilege('" + ref.AuthRole() + "', 'app', 'USAGE')", "t"},
		{"SELECT string_agg(r, ',' ORDER BY r) FROM pg_policies, unnest(roles) r WHERE policyname = 'developer'", "anon," + ref.OwnerRole()},
		{"CREATE TABLE app.later (); SELECT has_table_privilege('" + ref.AuthRole() + "', 'app.later', 'SELECT')", "t"},
		{"CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT has_function_privilege('anon', 'app.f()', 'EXECUTE')", "f"},
		{"DROP FUNCTION app.f; DROP TABLE app.later; SHOW search_path", "public, extensions"},
	} {
		got := w.asOwner(t, ref, c.sql)
		if c.want != "" && got != c.want {
			t.Errorf("%s: %q, want %q", c.sql, got, c.want)
		}
	}
	err := w.asAdmin(t.Context(), ref.Database(), func(conn *pgx.Conn) error {
		var left []string
		rows, _ := conn.Query(t.Context(), `SELECT pg_describe_object(s.classid, s.objid, s.objsubid) || ' ' || s.deptype::text || ' ' || r.rolname
			FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid AND s.refclassid = 'pg_authid'::regclass
			JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = current_database() AND r.rolname LIKE $1 || '%'`,
			source.Database())
		left, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if len(left) > 0 {
			t.Errorf("it refers to roles of its source: %q", left)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	// The roles of one cannot connect to the other.
	for from, to := range map[tenants.Ref]tenants.Ref{source: ref, ref: source} {
		url := strings.Replace(w.ownerURL(t, from), "/"+from.Database(), "/"+to.Database(), 1)
		if conn, err := pgx.Connect(t.Context(), url); err == nil {
			closeConn(conn)
			t.Errorf("the developer of %s can connect to %s", from, to)
		}
	}
}

// checkSource checks that a source is as it was.
func (w *world) checkSource(t testing.TB, ref tenants.Ref) {
	t.Helper()
	w.checkServed(t, ref)
	for sql, want := range map[string]string{
		"SELECT count(*) FROM auth.sessions":                                                     "1",
		"SELECT count(*) FROM notes":                                                             "1",
		"SELECT count(*) FROM gone":                                                              "0",
		"SELECT datallowconn FROM pg_database WHERE datname = current_database()":                "t",
		"SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'notes'":                 ref.OwnerRole(),
		"SELECT has_database_privilege('" + ref.AuthRole() + "', current_database(), 'CONNECT')": "t",
	} {
		if got := w.asOwner(t, ref, sql); got != want {
			t.Errorf("source: %s: %q, want %q", sql, got, want)
		}
	}
}

func TestBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	source := w.source(t)
	// Sessions of the source end: an idle one, and one that would run for longer.
	idle, err := pgx.Connect(t.Context(), w.ownerURL(t, source))
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(idle)
	busy, err := pgx.Connect(t.Context(), w.ownerURL(t, source))
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(busy)
	go func() { _, _ = busy.Exec(context.Background(), "SELECT pg_sleep(60)") }()
	// One that reconnects at once.
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if conn, err := pgx.Connect(t.Context(), w.ownerURL(t, source)); err == nil {
				_, _ = conn.Exec(t.Context(), "SELECT pg_sleep(0.01)")
				closeConn(conn)
			}
		}
	}()
	began := time.Now()
	created := w.mustBranch(t, source)
	t.Logf("a branch took %v", time.Since(began))
	close(stop)
	<-ended
	if created.Project.BranchOf != source || created.Project.Status != tenants.StatusActive {
		t.Errorf("project = %+v", created.Project)
	}
	w.checkBranch(t, source, created.Project.Ref)
	w.checkSource(t, source)

	w.asOwner(t, created.Project.Ref, "DELETE FROM profiles; DELETE FROM notes; DELETE FROM auth.users; DROP VIEW app.n")
	p, err := w.ResetBranch(t.Context(), created.Project.Ref)
	if err != nil || p.Status != tenants.StatusActive {
		t.Fatalf("reset: %s, %v", p.Status, err)
	}
	w.checkBranch(t, source, created.Project.Ref)
	w.checkSource(t, source)
	if _, err := w.ResetBranch(t.Context(), source); !errors.Is(err, ErrNoBranch) {
		t.Errorf("reset of no branch: %v", err)
	}

	// A branch of a branch, and the source's end.
	again := w.mustBranch(t, created.Project.Ref).Project.Ref
	if err := w.Delete(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	w.recoverAll(t)
	w.checkGone(t, source)
	for _, ref := range []tenants.Ref{created.Project.Ref, again} {
		w.checkServed(t, ref)
		if got := w.asOwner(t, ref, "SELECT email FROM auth.users"); got != "ann@example.com" {
			t.Errorf("user %q", got)
		}
	}
	if _, err := w.ResetBranch(t.Context(), created.Project.Ref); !errors.Is(err, ErrBranchSourceGone) {
		t.Errorf("reset without a source: %v", err)
	}
	w.checkServed(t, created.Project.Ref)
}

// TestBranchesAtOnce copies one source several times at the same time.
func TestBranchesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	source := w.source(t)
	done := make(chan error)
	for range 3 {
		go func() {
			_, err := w.Branch(t.Context(), NewProject{OrganizationID: w.org, Name: "branch", BranchOf: source})
			done <- err
		}()
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	branches, err := w.Control.BranchesOf(t.Context(), source)
	if err != nil || len(branches) != 3 {
		t.Fatalf("%d branches, %v", len(branches), err)
	}
	for _, b := range branches {
		w.checkServed(t, b.Ref)
	}
	w.checkSource(t, source)
}

func TestBranchRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	source := w.source(t)
	refused := func(name string, want error) {
		t.Helper()
		if _, err := w.Branch(t.Context(), NewProject{OrganizationID: w.org, Name: "branch", BranchOf: source}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		w.recoverAll(t)
		if branches, err := w.Control.BranchesOf(t.Context(), source); err != nil || len(branches) != 0 {
			t.Errorf("%s: %d branches are left, %v", name, len(branches), err)
		}
		w.checkNoOrphan(t)
	}
	w.BranchLimit = 1 << 20
	refused("too large", ErrBranchTooLarge)
	w.BranchLimit = branchLimit

	w.asOwner(t, source, `CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END';
		CREATE TRIGGER no BEFORE DELETE ON auth.sessions EXECUTE FUNCTION no()`)
	refused("a trigger refuses", ErrBranchRefused)
	w.asOwner(t, source, "DROP FUNCTION no CASCADE")
	w.checkSource(t, source)

	set := func(status tenants.Status) {
		if err := w.Control.Tx(t.Context(), func(tx *controldb.Tx) error { return tx.SetProjectStatus(t.Context(), source, status) }); err != nil {
			t.Fatal(err)
		}
	}
	set(tenants.StatusPaused)
	refused("paused", ErrBranchSourceGone)
	set(tenants.StatusActive)
	if _, err := w.Branch(t.Context(), NewProject{OrganizationID: w.org, Name: "x", BranchOf: tenants.NewRef()}); !errors.Is(err, ErrBranchSourceGone) {
		t.Errorf("unknown source: %v", err)
	}
}

// TestBranchKeepsNoSecret: the settings of a branch are its source's without
// secrets, and valid.
func TestBranchKeepsNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	source := w.source(t)
	d, err := w.Control.DatabaseByRef(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	_, dk, err := w.Service.open(d)
	if err != nil {
		t.Fatal(err)
	}
	config := tenants.DefaultConfig()
	for name, value := range map[string]any{
		"site_url": "https://shop.example.com", "smtp_host": "mail.example.com", "smtp_admin_email": "a@example.com",
		"external_github_enabled": true, "external_github_client_id": "id",
		"security_captcha_enabled": true, "security_captcha_provider": "turnstile",
		"external_phone_enabled": true, "sms_provider": "vonage", "sms_vonage_api_key": "k", "sms_vonage_from": "Shop",
	} {
		s, ok := setting.ByName(name)
		if !ok {
			t.Fatal(name)
		}
		s.Set(&config, value)
	}
	secrets := setting.Secrets{
		"smtp_pass": "x", "external_github_secret": "x", "security_captcha_secret": "x", "sms_vonage_api_secret": "x",
	}
	if err := config.CheckTogether(secrets); err != nil {
		t.Fatal(err)
	}
	next := controldb.AuthConfig{Ref: source, Version: 2, Config: config}
	if err := next.SealSecrets(dk, secrets); err != nil {
		t.Fatal(err)
	}
	err = w.Control.Tx(t.Context(), func(tx *controldb.Tx) error {
		if err := tx.CreateAuthConfig(t.Context(), next); err != nil {
			return err
		}
		return tx.SetConfigVersion(t.Context(), source, 2)
	})
	if err != nil {
		t.Fatal(err)
	}
	tenant := w.checkServed(t, w.mustBranch(t, source).Project.Ref)
	if len(tenant.Secrets.Settings) != 0 || tenant.Config.SiteURL != "https://shop.example.com" {
		t.Errorf("settings of the branch: %d secrets, site_url %s", len(tenant.Secrets.Settings), tenant.Config.SiteURL)
	}
	if err := tenant.Config.CheckTogether(nil); err != nil {
		t.Error(err)
	}
}

func TestKilledWhileBranching(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	source := w.source(t)
	for _, step := range []string{"create", "copying", "copied", "remapped", "adopt", "verify recorded", "finish"} {
		t.Run(step, func(t *testing.T) {
			w.kill(t, "branch", step, source)
			w.checkSource(t, source)
			w.recoverAll(t)
			branches, err := w.Control.BranchesOf(t.Context(), source)
			if err != nil || len(branches) != 1 {
				t.Fatalf("%d branches, %v", len(branches), err)
			}
			w.checkBranch(t, source, branches[0].Ref)
			w.checkSource(t, source)
			w.checkNoOrphan(t)
			if err := w.Delete(t.Context(), branches[0].Ref); err != nil {
				t.Fatal(err)
			}
		})
	}
	branch := w.mustBranch(t, source).Project.Ref
	for _, step := range []string{"reset", "copying", "copied"} {
		t.Run("reset/"+step, func(t *testing.T) {
			w.kill(t, "reset", step, branch)
			w.recoverAll(t)
			w.checkBranch(t, source, branch)
			w.checkSource(t, source)
		})
	}
}

// TestBranchByWeakAdmin: an admin that is no superuser can branch too.
func TestBranchByWeakAdmin(t *testing.T) {
	t.Parallel()
	w, _ := weakWorld(t)
	source := w.source(t)
	idle, err := pgx.Connect(t.Context(), w.ownerURL(t, source))
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(idle)
	branch := w.mustBranch(t, source).Project.Ref
	w.checkBranch(t, source, branch)
	w.checkSource(t, source)
}

// TestBranchOfOddObjects: objects of every kind, and names that must be quoted, are
// handed over.
func TestBranchOfOddObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	source := w.source(t)
	w.asOwner(t, source, baits)
	for _, role := range []string{source.AuthRole(), source.APIRole()} {
		for _, p := range poisons {
			w.asOwner(t, source, strings.ReplaceAll(strings.ReplaceAll(p, "%[1]s", role), "%s", role))
		}
	}
	w.asOwner(t, source, `GRANT SELECT ON "Odd ""bait" TO `+source.AuthRole()+` WITH GRANT OPTION`)
	// The auth role passes on what it may pass on.
	conn := w.asAuth(t, source)
	if _, err := conn.Exec(t.Context(), `GRANT SELECT ON public."Odd ""bait" TO authenticated`); err != nil {
		t.Fatal(err)
	}
	branch := w.mustBranch(t, source).Project.Ref
	w.checkBranch(t, source, branch)
	w.checkSource(t, source)
	for sql, want := range map[string]string{
		`SELECT has_table_privilege('` + branch.AuthRole() + `', '"Odd ""bait"', 'SELECT WITH GRANT OPTION')`: "t",
		`SELECT has_schema_privilege('` + branch.AuthRole() + `', 'Odd schema', 'CREATE')`:                    "t",
		`SELECT has_table_privilege('anon', 'bait', 'SELECT')`:                                                "t",
		`SELECT pg_get_userbyid(lomowner) FROM pg_largeobject_metadata WHERE oid = 4711`:                      branch.OwnerRole(),
		`SELECT has_sequence_privilege('` + branch.AuthRole() + `', 'numbers', 'USAGE')`:                      "t",
	} {
		if got := w.asOwner(t, branch, sql); got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
}

// TestBranchOfBusySource: a session that the admin may not end prevents the copy, and
// new sessions wait no longer than that.
func TestBranchOfBusySource(t *testing.T) {
	t.Parallel()
	w, superuser := weakWorld(t)
	source := w.source(t)
	cfg, err := pgx.ParseConfig(superuser)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Database = source.Database()
	held, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = w.Branch(t.Context(), NewProject{OrganizationID: w.org, Name: "branch", BranchOf: source})
	if !errors.Is(err, ErrBranchSourceBusy) {
		t.Errorf("a branch: %v", err)
	}
	if took := time.Since(began); took > answerTimeout {
		t.Errorf("it took %v", took)
	}
	closeConn(held)
	w.recoverAll(t)
	if branches, err := w.Control.BranchesOf(t.Context(), source); err != nil || len(branches) != 0 {
		t.Errorf("%d branches are left, %v", len(branches), err)
	}
	w.checkNoOrphan(t)
	w.checkSource(t, source)
	w.checkBranch(t, source, w.mustBranch(t, source).Project.Ref)
}
