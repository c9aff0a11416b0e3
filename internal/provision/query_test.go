package provision

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/sqlrun"
	"github.com/reevehq/reeve/tenants"
)

// rows is the answer of a query as JSON.
func rows(out sqlrun.Result) string {
	parts := make([]string, len(out.Rows))
	for i, row := range out.Rows {
		parts[i] = string(row)
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func (w *world) query(t testing.TB, ref tenants.Ref, sql string) (string, error) {
	t.Helper()
	out, err := w.Query(t.Context(), ref, sqlrun.Query{SQL: sql})
	return rows(out), err
}

// sessions counts those of the query role of a project.
func (w *world) sessions(t testing.TB, ref tenants.Ref) (n int) {
	t.Helper()
	err := w.asAdmin(t.Context(), "", func(conn *pgx.Conn) error {
		return conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE usename = $1", ref.QueryRole()).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// awaitNoSession waits until no session of the query role is left.
func (w *world) awaitNoSession(t testing.TB, ref tenants.Ref) {
	t.Helper()
	for end := time.Now().Add(time.Minute); w.sessions(t, ref) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a session of the query role goes on")
		}
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref := w.mustCreate(t, NewProject{}).Project.Ref
	for _, c := range []struct{ name, sql, want string }{
		{"owner", "SELECT current_user, current_schemas(false) AS path", `[{"current_user":"` + ref.OwnerRole() + `","path":["public","extensions"]}]`},
		{
			"types", `SELECT 1 AS i, 9007199254740991::int8 AS safe, 9007199254740992::int8 AS big, 1.50 AS n, 0.1::float8 AS f, 'NaN'::float8 AS nan, true AS b,
			null AS nothing, '{"a": [1]}'::jsonb AS j, 'x"<y>' AS t, '2026-01-02 03:04:05+00'::timestamptz AS at, '{a,"b c",NULL}'::text[] AS l,
			'{{1,2},{3,4}}'::int[] AS m, '[0:1]={t,f}'::bool[] AS bools, '\x00ff'::bytea AS bytes, '{1,2}'::int8[] AS bigs`,
			`[{"i":1,"safe":9007199254740991,"big":"9007199254740992","n":"1.50","f":0.1,"nan":null,"b":true,"nothing":null,"j":{"a": [1]},"t":"x\"<y>",` +
				`"at":"2026-01-02 03:04:05+00","l":["a","b c",null],"m":[[1,2],[3,4]],"bools":[true,false],"bytes":"\\x00ff","bigs":["1","2"]}]`,
		},
		{"same names", "SELECT 1 AS a, 2 AS b, 'x' AS a", `[{"a":"x","b":2}]`},
		{"script", "CREATE TABLE notes (id int PRIMARY KEY); INSERT INTO notes VALUES (1), (2); SELECT * FROM notes; DELETE FROM notes WHERE id = 2", `[{"id":1},{"id":2}]`},
		{"afterwards", "SELECT id FROM notes", `[{"id":1}]`},
		{"nothing", ";", `[]`},
		{"owner of new objects", "SELECT tableowner FROM pg_tables WHERE tablename = 'notes'", `[{"tableowner":"` + ref.OwnerRole() + `"}]`},
		{"other roles", "BEGIN; SET LOCAL ROLE anon; SELECT current_user; COMMIT", `[{"current_user":"anon"}]`},
		{"reset role", "SET ROLE anon; RESET ROLE; SELECT current_user", `[{"current_user":"` + ref.OwnerRole() + `"}]`},
		{"listen", "LISTEN x; NOTIFY x; SELECT 1 AS one", `[{"one":1}]`},
		{"discard", "DISCARD ALL", `[]`},
	} {
		got, err := w.query(t, ref, c.sql)
		if err != nil || got != c.want {
			t.Errorf("%s: %s, %v\nwant %s", c.name, got, err, c.want)
		}
	}
	out, err := w.Query(t.Context(), ref, sqlrun.Query{
		SQL: "SELECT $1::text AS a, $2::int AS b, $3::text[] AS c, $4::jsonb AS d, $5::text AS e, $6::bool AS f",
		Parameters: []any{
			`it's`, json.Number("7"), []any{"a,b", `q"\`, nil}, map[string]any{"k": json.Number("12345678901234567890")}, nil, true,
		},
	})
	if got := rows(out); err != nil || got != `[{"a":"it's","b":7,"c":["a,b","q\"\\",null],"d":{"k": 12345678901234567890},"e":null,"f":true}]` {
		t.Errorf("parameters: %s, %v", got, err)
	}
	w.awaitNoSession(t, ref)
}

func TestQueryRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *Service) { s.queryTimeout = 8 * time.Second })
	ref := w.mustCreate(t, NewProject{}).Project.Ref
	other := w.mustCreate(t, NewProject{}).Project.Ref
	if _, err := w.query(t, ref, "CREATE TABLE own (id int); CREATE SEQUENCE numbers"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		q          sqlrun.Query
		code, says string
	}{
		"unknown table":       {sqlrun.Query{SQL: "SELECT 1;\nSELECT * FROM nowhere"}, "query_failed", "Failed to run sql query: ERROR:  42P01: relation \"nowhere\" does not exist\nLINE 2: SELECT * FROM nowhere\n                      ^\n"},
		"syntax":              {sqlrun.Query{SQL: "SELEC"}, "query_failed", "42601"},
		"never ends":          {sqlrun.Query{SQL: "SET statement_timeout = 0; SELECT pg_sleep(1000)"}, "query_timeout", ""},
		"catches cancel":      {sqlrun.Query{SQL: "SET statement_timeout = 0; DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(1000); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$"}, "query_timeout", ""},
		"own timeout":         {sqlrun.Query{SQL: "SET statement_timeout = 10; SELECT pg_sleep(1000)"}, "query_timeout", "statement timeout"},
		"one big value":       {sqlrun.Query{SQL: "SELECT repeat('x', 50000000)"}, "query_result_too_large", ""},
		"many rows":           {sqlrun.Query{SQL: "SELECT generate_series(1, 1000000000)"}, "query_result_too_large", ""},
		"rows of nothing":     {sqlrun.Query{SQL: "SELECT FROM generate_series(1, 60000)"}, "query_result_too_large", ""},
		"big error":           {sqlrun.Query{SQL: "DO $$ BEGIN RAISE '%', repeat('x', 6000000); END $$"}, "query_result_too_large", ""},
		"raised":              {sqlrun.Query{SQL: "DO $$ BEGIN RAISE 'no' USING HINT = 'go home'; END $$"}, "query_failed", "P0001: no\nHINT:  go home"},
		"copy in":             {sqlrun.Query{SQL: "COPY own FROM STDIN"}, "query_copy_unsupported", ""},
		"copy out":            {sqlrun.Query{SQL: "COPY own TO STDOUT"}, "query_copy_unsupported", ""},
		"copy in, parameters": {sqlrun.Query{SQL: "COPY own FROM STDIN", ReadOnly: false, Parameters: []any{"x"}}, "query_failed", ""},
		"copy program":        {sqlrun.Query{SQL: "COPY own FROM PROGRAM 'id'"}, "query_failed", "42501"},
		"begin":               {sqlrun.Query{SQL: "BEGIN; INSERT INTO own VALUES (1)"}, "query_transaction_open", ""},
		"failed commit":       {sqlrun.Query{SQL: "BEGIN; INSERT INTO own VALUES (1); SELECT 1/0; COMMIT"}, "query_failed", "22012"},
		"session user":        {sqlrun.Query{SQL: "SET SESSION AUTHORIZATION " + other.OwnerRole()}, "query_failed", "42501"},
		"another's role":      {sqlrun.Query{SQL: "SET ROLE " + other.OwnerRole()}, "query_failed", "42501"},
		"the auth role":       {sqlrun.Query{SQL: "SET ROLE " + ref.AuthRole()}, "query_failed", "42501"},
		"ends itself":         {sqlrun.Query{SQL: "SET ROLE NONE; SELECT pg_terminate_backend(pg_backend_pid())"}, "query_interrupted", ""},
		"no own rights":       {sqlrun.Query{SQL: "SET ROLE NONE; SELECT * FROM own"}, "query_failed", "42501"},
		"alters itself":       {sqlrun.Query{SQL: "ALTER ROLE " + ref.QueryRole() + " CONNECTION LIMIT 100"}, "query_failed", "42501"},
		"renames itself":      {sqlrun.Query{SQL: "SET ROLE NONE; ALTER ROLE " + ref.QueryRole() + " RENAME TO x"}, "query_failed", "0A000"},
		"unmarks itself":      {sqlrun.Query{SQL: "SET ROLE NONE; COMMENT ON ROLE " + ref.QueryRole() + " IS 'x'"}, "query_failed", "42501"},
		"joins":               {sqlrun.Query{SQL: "SET ROLE NONE; GRANT " + ref.AuthRole() + " TO " + ref.QueryRole()}, "query_failed", "42501"},
		"two with parameters": {sqlrun.Query{SQL: "SELECT $1::text; SELECT 1", Parameters: []any{"x"}}, "query_failed", "42601"},
		"no parameter":        {sqlrun.Query{SQL: "SELECT $1::text"}, "query_failed", ""},
		"bad parameter":       {sqlrun.Query{SQL: "SELECT $1::int", Parameters: []any{"x"}}, "query_failed", "22P02"},

		"read-only: write":        {sqlrun.Query{SQL: "INSERT INTO own VALUES (2)", ReadOnly: true}, "query_failed", "25006"},
		"read-only: two":          {sqlrun.Query{SQL: "COMMIT; INSERT INTO own VALUES (2)", ReadOnly: true}, "query_failed", "42601"},
		"read-only: set":          {sqlrun.Query{SQL: "SET TRANSACTION READ WRITE", ReadOnly: true}, "query_failed", "25001"},
		"read-only: setting":      {sqlrun.Query{SQL: "DO $$ BEGIN PERFORM set_config('transaction_read_only', 'off', true); INSERT INTO own VALUES (2); END $$", ReadOnly: true}, "query_failed", "25001"},
		"read-only: commit in do": {sqlrun.Query{SQL: "DO $$ BEGIN COMMIT; SET TRANSACTION READ WRITE; INSERT INTO own VALUES (2); END $$", ReadOnly: true}, "query_failed", "2D000"},
		"read-only: sequence":     {sqlrun.Query{SQL: "SELECT nextval('numbers')", ReadOnly: true}, "query_failed", "25006"},
		"read-only: temporary":    {sqlrun.Query{SQL: "CREATE TEMP TABLE x AS SELECT 1", ReadOnly: true}, "query_failed", "25006"},
		"read-only: copy":         {sqlrun.Query{SQL: "COPY own FROM STDIN", ReadOnly: true}, "query_failed", "25006"},
		"read-only: lock table":   {sqlrun.Query{SQL: "DO $$ BEGIN LOCK TABLE auth.users IN ACCESS EXCLUSIVE MODE; PERFORM pg_sleep(17); END $$", ReadOnly: true}, "query_interrupted", ""},
		"read-only: lock":         {sqlrun.Query{SQL: "SELECT * FROM own FOR UPDATE", ReadOnly: true}, "query_failed", "25006"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := w.Query(t.Context(), ref, c.q)
			f := fault.From(err)
			if err == nil || f.Code != c.code || !strings.Contains(f.Message, c.says) || out.Rows != nil {
				t.Errorf("%s %q, rows %s; want %s with %q", f.Code, f.Error(), rows(out), c.code, c.says)
			}
			w.awaitNoSession(t, ref)
		})
	}
	// Not only refused, but undone: large objects are no part of read-only before Postgres 16.
	if _, err := w.Query(t.Context(), ref, sqlrun.Query{SQL: "SELECT lo_from_bytea(4712, 'x')", ReadOnly: true}); err != nil && fault.From(err).Code != "query_failed" {
		t.Errorf("a large object: %v", err)
	}
	if got, err := w.query(t, ref, "SELECT (SELECT count(*) FROM own) AS own, (SELECT count(*) FROM pg_largeobject_metadata) AS large"); err != nil || got != `[{"own":0,"large":0}]` {
		t.Errorf("what is left: %s, %v", got, err)
	}
	// A read-only query reads.
	if out, err := w.Query(t.Context(), ref, sqlrun.Query{SQL: "SELECT $1::int AS n, count(*) FROM auth.users", ReadOnly: true, Parameters: []any{json.Number("3")}}); err != nil || rows(out) != `[{"n":3,"count":0}]` {
		t.Errorf("read-only: %s, %v", rows(out), err)
	}
	if _, err := w.query(t, ref, "DROP TABLE own"); err != nil {
		t.Error(err)
	}
}

// TestQueryRoleRestored: projects of older releases have no query role, and the
// developer can make it useless.
func TestQueryRoleRestored(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) *world{
		"superuser":  func(t *testing.T) *world { return newWorld(t) },
		"weak admin": func(t *testing.T) *world { w, _ := weakWorld(t); return w },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t)
			ref := w.mustCreate(t, NewProject{}).Project.Ref
			role := quote(ref.QueryRole())
			works := func(step string) {
				t.Helper()
				if got, err := w.query(t, ref, "SELECT session_user, current_user"); err != nil ||
					got != `[{"session_user":"`+ref.QueryRole()+`","current_user":"`+ref.OwnerRole()+`"}]` {
					t.Errorf("%s: %s, %v", step, got, err)
				}
				w.awaitNoSession(t, ref)
			}
			works("new")
			admin := func(sql string) {
				t.Helper()
				if err := w.asAdmin(t.Context(), "", execute(t.Context(), sql)); err != nil {
					t.Fatal(err)
				}
			}
			admin("REVOKE CONNECT ON DATABASE " + quote(ref.Database()) + " FROM " + role + "; DROP ROLE " + role)
			works("dropped")
			for _, sql := range []string{
				"SET ROLE NONE; ALTER ROLE CURRENT_USER PASSWORD 'mine'",
				"SET ROLE NONE; ALTER ROLE CURRENT_USER SET local_preload_libraries = 'nowhere'",
				"SET ROLE NONE; ALTER ROLE CURRENT_USER IN DATABASE " + quote(ref.Database()) + " SET local_preload_libraries = 'nowhere'",
				"SET ROLE NONE; ALTER ROLE CURRENT_USER SET role = 'anon'",
				"SET ROLE NONE; ALTER ROLE CURRENT_USER SET statement_timeout = 1",
			} {
				if _, err := w.query(t, ref, sql); err != nil {
					t.Fatalf("%s: %v", sql, err)
				}
				works(sql)
			}
			admin("ALTER ROLE " + role + " NOLOGIN; ALTER ROLE " + quote(ref.OwnerRole()) + " NOLOGIN")
			if _, err := w.query(t, ref, "SELECT 1"); !errors.Is(err, ErrLoginSuspended) {
				t.Errorf("shut out: %v", err)
			}
			if ok, err := w.AllowLogin(t.Context(), ref); err != nil || !ok {
				t.Fatal(ok, err)
			}
			works("allowed again")
		})
	}
}

// TestQueryPaused: no query runs in a paused project, and the role's restoration does
// not open it. A project without the role can be paused and restored.
func TestQueryPaused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref := w.mustCreate(t, NewProject{}).Project.Ref
	w.mustPause(t, ref)
	for range 2 {
		if _, err := w.query(t, ref, "SELECT 1"); !errors.Is(err, ErrPaused) {
			t.Errorf("a query: %v", err)
		}
	}
	w.checkPaused(t, ref)
	w.mustRestore(t, ref)
	if _, err := w.query(t, ref, "SELECT 1"); err != nil {
		t.Error(err)
	}
	w.awaitNoSession(t, ref)
	err := w.asAdmin(t.Context(), "", execute(t.Context(),
		"REVOKE ALL ON DATABASE "+quote(ref.Database())+" FROM "+ref.QueryRole()+"; DROP ROLE "+ref.QueryRole()))
	if err != nil {
		t.Fatal(err)
	}
	w.mustPause(t, ref)
	w.mustRestore(t, ref)
	if _, err := w.query(t, ref, "SELECT 1"); err != nil {
		t.Error(err)
	}
}

// TestQueryTurns: one project's queries leave room for others', and do not wait for ever.
func TestQueryTurns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref, other := w.mustCreate(t, NewProject{}).Project.Ref, w.mustCreate(t, NewProject{}).Project.Ref
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, queriesOfProject)
	for range queriesOfProject {
		go func() {
			_, err := w.Query(ctx, ref, sqlrun.Query{SQL: "SELECT pg_sleep(1000)"})
			done <- err
		}()
	}
	for end := time.Now().Add(time.Minute); w.sessions(t, ref) < queriesOfProject && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if _, err := w.query(t, ref, "SELECT 1"); !errors.Is(err, ErrQueryBusy) {
		t.Errorf("one more: %v", err)
	}
	if _, err := w.query(t, other, "SELECT 1"); err != nil {
		t.Errorf("another project's: %v", err)
	}
	cancel() // the clients go
	for range queriesOfProject {
		if err := <-done; err == nil {
			t.Error("a query without a client succeeded")
		}
	}
	w.awaitNoSession(t, ref)
	if _, err := w.query(t, ref, "SELECT 1"); err != nil {
		t.Error(err)
	}
	w.queries.wantEmpty(t)
}

// TestQueryOrganizations: an organization's queries leave room for those of others,
// in however many projects they run.
func TestQueryOrganizations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization := uuid.New()
	w.insertOrganization(t, organization, 10)
	other := w.mustCreate(t, NewProject{OrganizationID: organization}).Project.Ref
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	const projects = 3
	var refs []tenants.Ref
	for range projects {
		refs = append(refs, w.mustCreate(t, NewProject{}).Project.Ref)
	}
	for _, ref := range refs {
		for range queriesOfProject {
			go func() {
				_, err := w.Query(ctx, ref, sqlrun.Query{SQL: "SELECT pg_sleep(1000)"})
				done <- err
			}()
		}
	}
	for range projects*queriesOfProject - queriesOfOrganization {
		if err := <-done; !errors.Is(err, ErrQueryBusy) {
			t.Errorf("one more: %v", err)
		}
	}
	sessions := 0
	for _, ref := range refs {
		sessions += w.sessions(t, ref)
	}
	if sessions > queriesOfOrganization {
		t.Errorf("the organization has %d sessions", sessions)
	}
	if _, err := w.query(t, other, "SELECT 1"); err != nil {
		t.Errorf("another organization's: %v", err)
	}
	cancel()
	for range queriesOfOrganization {
		if err := <-done; err == nil {
			t.Error("a query without a client succeeded")
		}
	}
	w.queries.wantEmpty(t)
}

// TestQueryRoleEnds: the role goes with its project, and its objects become a
// branch's own.
func TestQueryRoleEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	source := w.source(t)
	for _, sql := range []string{
		"GRANT USAGE, CREATE ON SCHEMA public TO " + source.QueryRole(),
		"SET ROLE NONE; CREATE TABLE public.odd (id int)",
		"GRANT SELECT ON notes TO " + source.QueryRole(),
	} {
		if _, err := w.query(t, source, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	branch := w.mustBranch(t, source).Project.Ref
	w.checkBranch(t, source, branch)
	got, err := w.query(t, branch, "SELECT tableowner, has_table_privilege('"+branch.QueryRole()+"', 'notes', 'SELECT') AS granted FROM pg_tables WHERE tablename = 'odd'")
	if err != nil || got != `[{"tableowner":"`+branch.QueryRole()+`","granted":true}]` {
		t.Errorf("the branch: %s, %v", got, err)
	}
	// A source without the role, of an older release.
	if _, err := w.query(t, source, "SET ROLE NONE; DROP TABLE odd; SET ROLE "+source.OwnerRole()+
		"; REVOKE ALL ON SCHEMA public FROM "+source.QueryRole()+"; REVOKE ALL ON notes FROM "+source.QueryRole()); err != nil {
		t.Fatal(err)
	}
	err = w.asAdmin(t.Context(), "", execute(t.Context(), "REVOKE ALL ON DATABASE "+quote(source.Database())+" FROM "+source.QueryRole()+"; DROP ROLE "+source.QueryRole()))
	if err != nil {
		t.Fatal(err)
	}
	older := w.mustBranch(t, source).Project.Ref
	w.checkBranch(t, source, older)
	for _, ref := range []tenants.Ref{older, branch, source} {
		if err := w.Delete(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
	w.recoverAll(t)
	for _, ref := range []tenants.Ref{older, branch, source} {
		w.checkGone(t, ref)
		if _, err := w.query(t, ref, "SELECT 1"); !errors.Is(err, controldb.ErrNoProject) {
			t.Errorf("a query in a deleted project: %v", err)
		}
	}
}

// TestCatalogs: what reads the catalogs can read nothing else, and write nothing.
func TestCatalogs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref := w.mustCreate(t, NewProject{}).Project.Ref
	if _, err := w.query(t, ref, "CREATE TABLE secrets (id int)"); err != nil {
		t.Fatal(err)
	}
	err := w.Catalogs(t.Context(), ref, func(ctx context.Context, tx pgx.Tx) error {
		var user, path string
		var tables int
		err := tx.QueryRow(ctx, "SELECT current_user::text, current_setting('search_path'), count(*) FROM pg_class WHERE relname = 'secrets'").Scan(&user, &path, &tables)
		if err != nil || user != ref.QueryRole() || path != "pg_catalog" || tables != 1 {
			t.Errorf("as %s with %s: %d tables, %v", user, path, tables, err)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for _, sql := range []string{"SELECT * FROM public.secrets", "SELECT * FROM auth.users", "CREATE TABLE public.x (id int)"} {
		err := w.Catalogs(t.Context(), ref, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, sql)
			return err
		})
		if !errors.Is(err, ErrQueryUnavailable) {
			t.Errorf("%s: %v", sql, err)
		}
	}
	w.awaitNoSession(t, ref)
}
