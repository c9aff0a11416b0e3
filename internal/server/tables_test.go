package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/control/database"
	"github.com/reevehq/reeve/internal/server/servertest"
)

func TestTables(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p, other := reeve.Project(t, "tables", nil), reeve.Project(t, "other", nil)
	owner := servertest.Connect(t, p.DatabaseURL)
	run(t, owner, `CREATE SCHEMA app; CREATE TABLE app.hidden (x int)`)
	run(t, owner, `CREATE TABLE "Notes" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL DEFAULT 'x', owner uuid, twice text GENERATED ALWAYS AS (body || body) STORED)`)
	run(t, owner, `COMMENT ON TABLE "Notes" IS 'What people write'; ALTER TABLE "Notes" ENABLE ROW LEVEL SECURITY;
		CREATE POLICY own ON "Notes" FOR UPDATE TO authenticated USING (owner = auth.uid()) WITH CHECK (owner = auth.uid());
		CREATE POLICY nobody ON "Notes" AS RESTRICTIVE USING (false);
		REVOKE ALL ON "Notes" FROM anon; GRANT SELECT ON "Notes" TO anon; REVOKE TRUNCATE, REFERENCES, TRIGGER ON "Notes" FROM authenticated;
		INSERT INTO "Notes" (body) SELECT 'x' FROM generate_series(1, 50); ANALYZE "Notes";
		CREATE VIEW shown AS SELECT 1 AS one`)
	path := "/v1/projects/" + p.Ref + "/database/tables"
	list := func(query string) (out database.Tables) {
		t.Helper()
		reeve.Manage(t, http.MethodGet, path+query, nil).Expect(t, 200).Into(t, &out)
		return out
	}
	names := func(tables database.Tables) (out []string) {
		for _, one := range tables.Tables {
			out = append(out, one.Schema+"."+one.Name)
		}
		return out
	}
	all := list("")
	if got := names(all); !slices.Equal(got, []string{"app.hidden", "public.Notes", "public.shown"}) || all.Next != nil || !slices.Contains(all.Schemas, "app") || slices.Contains(all.Schemas, "reeve") {
		t.Fatalf("%v, schemas %v", got, all.Schemas)
	}
	notes := all.Tables[1]
	if notes.Kind != "table" || !notes.RLS || notes.RLSForced || *notes.RowEstimate != 50 || *notes.Bytes < 8192 || notes.Comment != "What people write" || len(notes.Columns) != 4 {
		t.Errorf("%+v", notes)
	}
	if c := notes.Columns[0]; c.Type != "bigint" || !c.Primary || !c.Identity || c.Nullable || c.Default != nil {
		t.Errorf("%+v", c)
	}
	if c := notes.Columns[1]; *c.Default != "'x'::text" || c.Nullable || !notes.Columns[2].Nullable || !notes.Columns[3].Generated {
		t.Errorf("%+v", notes.Columns)
	}
	if got := notes.Policies; len(got) != 2 || got[0].Name != "nobody" || got[0].Permissive || got[0].Command != "ALL" || !slices.Equal(got[0].Roles, []string{"public"}) ||
		got[1].Command != "UPDATE" || !slices.Equal(got[1].Roles, []string{"authenticated"}) || *got[1].Check != "(owner = auth.uid())" || got[0].Check != nil {
		t.Errorf("%+v", got)
	}
	if g := notes.Grants; !slices.Equal(g.Anon, []string{"SELECT"}) || !slices.Equal(g.Authenticated, []string{"SELECT", "INSERT", "UPDATE", "DELETE"}) || all.Tables[0].Grants.Anon == nil || len(all.Tables[0].Grants.Anon) != 0 {
		t.Errorf("%+v %+v", g, all.Tables[0].Grants)
	}
	if view := all.Tables[2]; view.Kind != "view" || view.RowEstimate != nil {
		t.Errorf("%+v", view)
	}

	// Pages, filters, and what is not there.
	first := list("?limit=2")
	if first.Next == nil || !slices.Equal(names(list("?limit=2&after="+*first.Next)), []string{"public.shown"}) {
		t.Errorf("%+v", first.Next)
	}
	if got := names(list("?search=NOTE")); !slices.Equal(got, []string{"public.Notes"}) {
		t.Errorf("%v", got)
	}
	if got := names(list("?included_schemas=auth")); !slices.Contains(got, "auth.users") {
		t.Errorf("%v", got)
	}
	if got := names(list("?included_schemas=reeve,pg_catalog,nothing")); got != nil {
		t.Errorf("%v", got)
	}
	var others database.Tables
	reeve.Manage(t, http.MethodGet, "/v1/projects/"+other.Ref+"/database/tables", nil).Expect(t, 200).Into(t, &others)
	if len(others.Tables) != 0 {
		t.Errorf("another project has %v", names(others))
	}
	// A session that locks a table does not stop the list.
	run(t, owner, `BEGIN; LOCK TABLE "Notes"`)
	if got := list("?search=notes"); got.Tables[0].Bytes != nil {
		t.Errorf("%+v", got.Tables[0])
	}
	run(t, owner, `ROLLBACK`)
	for _, bad := range []string{"?limit=0", "?limit=201", "?limit=x", "?search=" + strings.Repeat("x", 64), "?after=%00"} {
		reeve.Manage(t, http.MethodGet, path+bad, nil).Expect(t, 400)
	}
}

// TestQueryAs: the routes of SQL as a caller.
func TestQueryAs(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "callers", map[string]any{"mailer_autoconfirm": true})
	ann := p.SignUp(t, "ann@example.com", "correct horse").User.ID
	run(t, servertest.Connect(t, p.DatabaseURL), `CREATE TABLE notes (id int, owner uuid DEFAULT auth.uid()); ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
		CREATE POLICY own ON notes TO authenticated USING (owner = auth.uid()) WITH CHECK (owner = auth.uid());
		INSERT INTO notes VALUES (1, '`+ann+`'), (2, gen_random_uuid())`)
	path := "/v1/projects/" + p.Ref + "/database/query"
	as := map[string]any{"role": "authenticated", "user_id": ann}
	if got := reeve.Manage(t, http.MethodPost, path, map[string]any{"query": "select id from notes", "run_as": as}).Expect(t, 201); string(got.Body) != "[{\"id\":1}]\n" {
		t.Errorf("%s", got.Body)
	}
	var out database.QueryResult
	reeve.Manage(t, http.MethodPost, path+"/detailed", map[string]any{"query": "insert into notes (id) values (3) returning *", "run_as": as}).Expect(t, 201).Into(t, &out)
	if out.RowCount != 1 || out.Committed || out.Columns[1].Type != "uuid" || out.Rows[0][1] != ann || out.Claims["email"] != "ann@example.com" || out.Claims["role"] != "authenticated" {
		t.Errorf("%+v", out)
	}
	reeve.Manage(t, http.MethodPost, path+"/detailed", map[string]any{"query": "select count(*) from notes", "explain": "analyze"}).Expect(t, 201).Into(t, &out)
	if out.Plan == nil || len(out.Rows) != 0 {
		t.Errorf("%+v", out)
	}
	for _, bad := range []map[string]any{
		{"query": "select 1", "run_as": map[string]any{"role": "postgres"}},
		{"query": "select 1", "run_as": map[string]any{"role": "anon", "user_id": ann}},
		{"query": "select 1", "run_as": map[string]any{"role": "authenticated", "user_id": "x"}},
		{"query": "select 1", "run_as": map[string]any{}},
		{"query": "select 1", "commit": true},
		{"query": "select 1", "commit": true, "read_only": true, "run_as": as},
		{"query": "select 1", "explain": "yes"},
		{"query": "select 1", "limit": 10001},
	} {
		if got := reeve.Manage(t, http.MethodPost, path+"/detailed", bad); got.Status != 400 {
			t.Errorf("%v: %d %s", bad, got.Status, got.Body)
		}
	}
	// A read-only query that locks a table is ended.
	got := reeve.Manage(t, http.MethodPost, path+"/detailed", map[string]any{"query": "DO $$ BEGIN LOCK TABLE auth.users; PERFORM pg_sleep(17); END $$", "read_only": true})
	if got.Expect(t, 503).JSON(t)["code"] != "query_interrupted" {
		t.Errorf("%s", got.Body)
	}
}
