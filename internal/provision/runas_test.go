package provision

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/sqlrun"
)

// TestRunAs: a developer sees what policies admit.
func TestRunAs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref := w.mustCreate(t, NewProject{}).Project.Ref
	ann, bob := uuid.NewString(), uuid.NewString()
	setUp := []string{
		`INSERT INTO auth.users (id, aud, role, email, raw_app_meta_data, raw_user_meta_data) VALUES
			('` + ann + `', 'authenticated', 'authenticated', 'ann@example.com', '{"team":"a"}', '{}'), ('` + bob + `', 'authenticated', 'authenticated', 'bob@example.com', '{}', '{}')`,
		`CREATE TYPE mood AS ENUM ('sad', 'ok')`,
		`CREATE TABLE notes (id int PRIMARY KEY, owner uuid NOT NULL DEFAULT auth.uid(), team text, feels mood DEFAULT 'ok')`,
		`INSERT INTO notes (id, owner, team) VALUES (1, '` + ann + `', 'a'), (2, '` + bob + `', 'b'), (3, '` + bob + `', 'a')`,
		`ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
		CREATE POLICY own ON notes TO authenticated USING (owner = auth.uid()) WITH CHECK (owner = auth.uid());
		CREATE POLICY team ON notes FOR SELECT TO authenticated USING (team = auth.jwt() -> 'app_metadata' ->> 'team');
		CREATE TABLE closed (id int); REVOKE ALL ON closed FROM anon, authenticated, service_role;
		CREATE FUNCTION shout() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'hear %', current_user USING HINT = 'listen'; RETURN 1; END $$;
		CREATE FUNCTION climb() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RESET ROLE; RETURN current_user; END $$`,
	}
	for _, sql := range setUp {
		if _, err := w.query(t, ref, sql); err != nil {
			t.Fatal(err)
		}
	}
	run := func(r sqlrun.Run) (out sqlrun.Detailed, err error) {
		if r.Keep == 0 {
			r.Keep = 100
		}
		err = w.Session(t.Context(), ref, r.ReadOnly, func(s *sqlrun.Session) (err error) {
			out, err = s.Run(r)
			return err
		})
		return out, err
	}
	as := func(role, user string) *sqlrun.Caller { return &sqlrun.Caller{Role: role, UserID: user} }
	const ids = "SELECT string_agg(id::text, ' ' ORDER BY id) FROM notes"
	for name, c := range map[string]struct {
		run        sqlrun.Run
		rows, code string
	}{
		"owner":              {sqlrun.Run{SQL: ids}, `["1 2 3"]`, ""},
		"anon":               {sqlrun.Run{SQL: ids, As: as("anon", "")}, `[null]`, ""},
		"ann":                {sqlrun.Run{SQL: ids, As: as("authenticated", ann)}, `["1 3"]`, ""},
		"bob":                {sqlrun.Run{SQL: ids, As: as("authenticated", bob)}, `["2 3"]`, ""},
		"bob, read-only":     {sqlrun.Run{SQL: ids, ReadOnly: true, As: as("authenticated", bob)}, `["2 3"]`, ""},
		"service":            {sqlrun.Run{SQL: ids, As: as("service_role", "")}, `["1 2 3"]`, ""},
		"claims":             {sqlrun.Run{SQL: ids, As: &sqlrun.Caller{Role: "authenticated", UserID: bob, Claims: map[string]any{"app_metadata": map[string]any{"team": "a"}}}}, `["1 2 3"]`, ""},
		"who":                {sqlrun.Run{SQL: "SELECT current_user, auth.uid(), auth.role(), auth.email()", As: as("authenticated", ann)}, `["authenticated","` + ann + `","authenticated","ann@example.com"]`, ""},
		"owner with claims":  {sqlrun.Run{SQL: "SELECT current_user, auth.uid()", As: as("", ann)}, `["` + ref.OwnerRole() + `","` + ann + `"]`, ""},
		"refused by policy":  {sqlrun.Run{SQL: "INSERT INTO notes (id, owner) VALUES (9, '" + ann + "')", As: as("authenticated", bob)}, "", "query_failed"},
		"no grant":           {sqlrun.Run{SQL: "SELECT * FROM closed", As: as("anon", "")}, "", "query_failed"},
		"write, read-only":   {sqlrun.Run{SQL: "DELETE FROM notes", ReadOnly: true, As: as("service_role", "")}, "", "query_failed"},
		"read-write again":   {sqlrun.Run{SQL: "SET TRANSACTION READ WRITE", ReadOnly: true, As: as("anon", "")}, "", "query_failed"},
		"two statements":     {sqlrun.Run{SQL: "COMMIT; DELETE FROM notes", As: as("anon", "")}, "", "query_failed"},
		"nobody":             {sqlrun.Run{SQL: ids, As: as("authenticated", uuid.NewString())}, "", "user_not_found"},
		"unknown role":       {sqlrun.Run{SQL: ids, As: as("pg_read_all_data", "")}, "", "query_failed"},
		"no more than owner": {sqlrun.Run{SQL: "SELECT climb()", As: as("anon", "")}, `["` + ref.OwnerRole() + `"]`, ""},
		"parameters":         {sqlrun.Run{SQL: "SELECT id FROM notes WHERE id = $1", Parameters: []any{json.Number("1")}, As: as("authenticated", ann)}, `[1]`, ""},
	} {
		out, err := run(c.run)
		var got []string
		for _, row := range out.Rows {
			got = append(got, string(row))
		}
		if code := fault.From(err).Code; err != nil && code != c.code || err == nil && c.code != "" || strings.Join(got, ",") != c.rows {
			t.Errorf("%s: %v %v, want %s %s", name, got, err, c.rows, c.code)
		}
	}

	// It is rolled back unless asked.
	out, err := run(sqlrun.Run{SQL: "INSERT INTO notes (id) VALUES (4) RETURNING id, owner, feels", As: as("authenticated", ann)})
	if err != nil || out.Committed || out.Count != 1 || out.Commands[0] != "INSERT 0 1" || len(out.Columns) != 3 || out.Columns[0].Type != "int4" || out.Columns[2].Type != "mood" {
		t.Errorf("%+v, %v", out, err)
	}
	if rows, _ := w.query(t, ref, ids); !strings.Contains(rows, `"1 2 3"`) {
		t.Errorf("the statement stayed: %s", rows)
	}
	if out, err = run(sqlrun.Run{SQL: "INSERT INTO notes (id) VALUES (4)", Commit: true, As: as("authenticated", ann)}); err != nil || !out.Committed {
		t.Errorf("%+v, %v", out, err)
	}
	if rows, _ := w.query(t, ref, "SELECT owner FROM notes WHERE id = 4"); !strings.Contains(rows, ann) {
		t.Errorf("the statement did not stay: %s", rows)
	}
	if out, err = run(sqlrun.Run{SQL: "ROLLBACK", Commit: true, As: as("anon", "")}); err != nil || out.Committed {
		t.Errorf("%+v, %v", out, err)
	}

	// Notices, several statements, many rows, equal names.
	if out, err = run(sqlrun.Run{SQL: "SELECT shout()", As: as("anon", "")}); err != nil || len(out.Notices) != 1 || out.Notices[0].Message != "hear anon" || out.Notices[0].Hint != "listen" || out.Notices[0].Severity != "NOTICE" {
		t.Errorf("%+v, %v", out, err)
	}
	if out, err = run(sqlrun.Run{SQL: "SELECT i AS a, i + 1 AS a FROM generate_series(1, 500) i", Keep: 2}); err != nil || out.Count != 500 || !out.Truncated || len(out.Rows) != 2 || string(out.Rows[1]) != "[2,3]" {
		t.Errorf("%+v, %v", out, err)
	}
	if objects, err := out.Objects(); err != nil || string(objects[1]) != `{"a":3}` {
		t.Errorf("%s, %v", objects, err)
	}
	if out, err = run(sqlrun.Run{SQL: "CREATE TABLE more (); SELECT * FROM more"}); err != nil || out.Columns == nil || out.Count != 0 || len(out.Commands) != 2 {
		t.Errorf("%+v, %v", out, err)
	}

	// A plan, and where an error is.
	out, err = run(sqlrun.Run{SQL: "DELETE FROM notes", Explain: sqlrun.ExplainAnalyze})
	if err != nil || len(out.Rows) != 1 || !strings.Contains(string(out.Rows[0]), `"Actual Rows"`) {
		t.Errorf("%+v, %v", out, err)
	}
	if rows, _ := w.query(t, ref, "SELECT count(*) AS n FROM notes"); rows != `[{"n":4}]` {
		t.Errorf("an explained statement stayed: %s", rows)
	}
	for _, explain := range []string{"", sqlrun.ExplainPlan} {
		_, err = run(sqlrun.Run{SQL: "SELECT id,\n nothing FROM notes", Explain: explain})
		if f := fault.From(err); f.Code != "query_failed" || f.Details["position"] != 13 || !strings.Contains(f.Message, "LINE 2:  nothing FROM notes\n         ^") {
			t.Errorf("%q: %+v", explain, f)
		}
	}
}
