package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestMigrations: migrations are applied once and whole, and kept where the stock CLI
// keeps them.
func TestMigrations(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p, other := reeve.Project(t, "migrated", nil), reeve.Project(t, "other", nil)
	path := "/v1/projects/" + p.Ref + "/database/migrations"
	do := func(method, path string, body any, headers ...string) *servertest.Answer {
		t.Helper()
		return reeve.Do(t, method, path, body, append([]string{"Authorization", "Bearer " + reeve.Token}, headers...)...)
	}
	refused := func(a *servertest.Answer, status int, code string) {
		t.Helper()
		if got := a.Expect(t, status).JSON(t)["code"]; got != code {
			t.Errorf("%s, want %s: %s", got, code, a.Body)
		}
	}
	sql := func(query string) string {
		t.Helper()
		a := do(http.MethodPost, "/v1/projects/"+p.Ref+"/database/query", map[string]any{"query": query}).Expect(t, 201)
		return strings.TrimSpace(string(a.Body))
	}
	list := func() (versions, names []string) {
		t.Helper()
		var all []struct{ Version, Name string }
		do(http.MethodGet, path, nil).Expect(t, 200).Into(t, &all)
		for _, m := range all {
			versions, names = append(versions, m.Version), append(names, m.Name)
		}
		return versions, names
	}
	if a := do(http.MethodGet, path, nil).Expect(t, 200); strings.TrimSpace(string(a.Body)) != "[]" {
		t.Errorf("before the first: %s", a.Body)
	}
	refused(do(http.MethodGet, path+"/1", nil), 404, "migration_not_found")

	first := do(http.MethodPost, path, map[string]any{
		"name": "notes", "query": "create table notes (id int); insert into notes values (1)", "rollback": "drop table notes",
	}, "Idempotency-Key", "one").Expect(t, 200).JSON(t)["version"].(string)
	for range 2 { // the same again
		again := do(http.MethodPost, path, map[string]any{"name": "notes", "query": "create table notes (id int)"}, "Idempotency-Key", "one").
			Expect(t, 200).JSON(t)
		if again["version"] != first {
			t.Errorf("again: %v, want %s", again, first)
		}
	}
	second := do(http.MethodPost, path, map[string]any{"name": "tags", "query": "create table tags (id int)", "rollback": "drop table tags"}).
		Expect(t, 200).JSON(t)["version"].(string)
	if second <= first || len(second) != 14 {
		t.Errorf("versions %s, %s", first, second)
	}
	// A failed one leaves nothing, whether it fails at its beginning or its end.
	for name, query := range map[string]string{
		"at the end": "create table half (id int); select 1/0", "syntax": "creat table x ()", "open": "begin; create table half (id int); commit; begin",
		"copy": "copy notes from stdin", "no history": "create table half (id int); drop schema supabase_migrations cascade",
	} {
		if a := do(http.MethodPost, path, map[string]any{"query": query}); a.Status != 400 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	if got := sql("select to_regclass('half') is null as gone, (select count(*) from supabase_migrations.schema_migrations) as n"); got != `[{"gone":false,"n":2}]` {
		t.Errorf("after failures: %s", got) // "open" has committed it
	}
	// One that ends the transaction itself is in the history nevertheless.
	do(http.MethodPost, path, map[string]any{"name": "own", "query": "begin; drop table half; commit", "rollback": "select 1"}).Expect(t, 200)
	if n := count(t, servertest.Connect(t, reeve.ControlURL), `SELECT count(*) FROM audit_log WHERE entry LIKE '%"own_transaction":true%'`); n != 1 {
		t.Errorf("%d entries of migrations with a transaction of their own", n)
	}
	// One that took effect and cannot be recorded says so.
	refused(do(http.MethodPost, path, map[string]any{"query": `create function stop() returns trigger language plpgsql as 'begin raise ''no''; end';
		create trigger stop before insert on supabase_migrations.schema_migrations execute function stop(); commit`}), 409, "migration_not_recorded")
	sql("drop trigger stop on supabase_migrations.schema_migrations")
	// Recorded, not run.
	put := do(http.MethodPut, path, map[string]any{"name": "elsewhere", "query": "select nothing", "rollback": "select 1"}, "Idempotency-Key", "two").Expect(t, 200).JSON(t)
	again := do(http.MethodPut, path, map[string]any{"name": "renamed", "query": "select nothing else", "rollback": "select 1"}, "Idempotency-Key", "two").Expect(t, 200).JSON(t)
	if put["version"] != again["version"] {
		t.Errorf("recorded as %v and %v", put, again)
	}
	versions, names := list()
	if strings.Join(names, " ") != "notes tags own renamed" {
		t.Errorf("history: %v", names)
	}
	got := do(http.MethodGet, path+"/"+first, nil).Expect(t, 200).JSON(t)
	if got["idempotency_key"] != "one" || got["created_by"] == "" || got["statements"].([]any)[0] != "create table notes (id int); insert into notes values (1)" ||
		got["rollback"].([]any)[0] != "drop table notes" {
		t.Errorf("the first: %v", got)
	}
	do(http.MethodPatch, path+"/"+first, map[string]any{"name": "first"}).Expect(t, 200)
	refused(do(http.MethodPatch, path+"/"+first, map[string]any{}), 400, "validation_failed")
	refused(do(http.MethodPatch, path+"/99", map[string]any{"name": "x"}), 404, "migration_not_found")
	for _, bad := range []string{path + "/x", path + "/1;drop", path + "/" + strings.Repeat("1", 31)} {
		refused(do(http.MethodGet, bad, nil), 400, "validation_failed")
	}

	refused(do(http.MethodDelete, path, nil), 400, "validation_failed")
	refused(do(http.MethodDelete, path+"?gte=99999999999999", nil), 404, "migration_not_found")
	var undone []struct{ Version string }
	do(http.MethodDelete, path+"?gte="+versions[1], nil).Expect(t, 200).Into(t, &undone)
	if len(undone) != 3 || undone[2].Version != second {
		t.Errorf("undone: %v", undone)
	}
	if got := sql("select to_regclass('tags') is null as tags, (select count(*) from notes) as notes"); got != `[{"tags":true,"notes":1}]` {
		t.Errorf("after the rollback: %s", got)
	}
	do(http.MethodPost, path, map[string]any{"query": "create table forever (id int)"}).Expect(t, 200)
	refused(do(http.MethodDelete, path+"?gte="+first, nil), 409, "migration_without_rollback")
	if got := sql("select count(*) from notes"); got != `[{"count":1}]` {
		t.Errorf("after a refused rollback: %s", got)
	}

	// The history as the CLI makes it, and as nobody should.
	sql("alter table supabase_migrations.schema_migrations drop column created_by, drop column idempotency_key, drop column rollback")
	if _, names := list(); len(names) != 2 {
		t.Errorf("a history without some columns: %v", names)
	}
	sql("insert into supabase_migrations.schema_migrations (version, name) values ('99991231235959', 'far')")
	if a := do(http.MethodPost, path, map[string]any{"name": "next", "query": "select 1"}).Expect(t, 200).JSON(t); a["version"] != "99991231235960" {
		t.Errorf("after the last second: %v", a)
	}
	sql("drop table supabase_migrations.schema_migrations; create view supabase_migrations.schema_migrations as select 1 as version")
	refused(do(http.MethodGet, path, nil), 409, "migration_history_unusable")
	if a := do(http.MethodPost, path, map[string]any{"query": "select 1"}); a.Status != 400 {
		t.Errorf("a view: %d %s", a.Status, a.Body)
	}

	if a := do(http.MethodGet, strings.Replace(path, p.Ref, other.Ref, 1), nil).Expect(t, 200); strings.TrimSpace(string(a.Body)) != "[]" {
		t.Errorf("another project's: %s", a.Body)
	}
	db := reeve.Control(t)
	org, err := db.OrganizationBySlug(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	log, err := db.AuditLog(t.Context(), org.ID, controldb.AuditFilter{Action: "apply-migration", Result: controldb.AuditDone, Limit: 100})
	if err != nil || len(log) < 5 {
		t.Fatal(len(log), err)
	}
	for _, e := range log {
		if detail := string(e.Detail); strings.Contains(detail, "create table") || !strings.Contains(detail, `"version":"`) || !strings.Contains(detail, `"sha256":"`) {
			t.Errorf("the audit log has %s", detail)
		}
	}
}
