package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

// TestQuery: who may run what, in whose database, and what the audit log has of it.
func TestQuery(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	db := reeve.Control(t)
	p, other := reeve.Project(t, "queried", nil), reeve.Project(t, "other", nil)
	path := "/v1/projects/" + p.Ref + "/database/query"
	org, err := db.OrganizationBySlug(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	of := platform(t, reeve)
	tokens := map[controldb.Role]string{}
	for _, role := range []controldb.Role{controldb.ReadOnly, controldb.Developer, controldb.Billing} {
		id, _ := developer(t, of, string(role)+"@example.com")
		user := uuid.MustParse(id)
		if err := db.Tx(t.Context(), func(tx *controldb.Tx) error { return tx.AddMember(t.Context(), org.ID, user, role) }); err != nil {
			t.Fatal(err)
		}
		if tokens[role], err = db.CreateAccessToken(t.Context(), user, "test"); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(a *servertest.Answer, status int, code string) map[string]any {
		t.Helper()
		body := a.Expect(t, status).JSON(t)
		if body["code"] != code {
			t.Errorf("%v, want %s", body, code)
		}
		return body
	}
	as := func(role controldb.Role, path string, body any) *servertest.Answer {
		t.Helper()
		return reeve.Do(t, http.MethodPost, path, body, "Authorization", "Bearer "+tokens[role])
	}
	write := map[string]any{"query": "CREATE TABLE t (id int); INSERT INTO t VALUES (1); SELECT id, 'hunter2' AS word FROM t"}
	if a := as(controldb.Developer, path, write).Expect(t, 201); strings.TrimSpace(string(a.Body)) != `[{"id":1,"word":"hunter2"}]` {
		t.Errorf("developer: %s", a.Body)
	}
	read := map[string]any{"query": "SELECT id FROM t WHERE id < $1 AND $2::text IS NOT NULL", "parameters": []any{12345.5, "sesame"}, "read_only": true}
	for _, role := range []controldb.Role{controldb.ReadOnly, controldb.Developer} {
		as(role, path, map[string]any{"query": "SELECT id FROM t WHERE id = $1", "parameters": []any{1}, "read_only": true}).Expect(t, 201)
		if a := as(role, path+"/read-only", map[string]any{"query": "SELECT count(*) FROM t"}).Expect(t, 201); strings.TrimSpace(string(a.Body)) != `[{"count":1}]` {
			t.Errorf("%s: %s", role, a.Body)
		}
		refused(as(role, path+"/read-only", map[string]any{"query": "DELETE FROM t"}), 400, "query_failed")
	}
	refused(as(controldb.Developer, path, read), 400, "query_failed") // 12345.5 is no int
	refused(as(controldb.ReadOnly, path, map[string]any{"query": "SELECT 1"}), 403, "forbidden")
	refused(as(controldb.ReadOnly, path, map[string]any{"query": "SELECT 1", "read_only": false}), 403, "forbidden")
	refused(as(controldb.Billing, path, map[string]any{"query": "SELECT 1", "read_only": true}), 403, "forbidden")
	for name, body := range map[string]any{
		"empty": map[string]any{"query": ""}, "none": map[string]any{}, "NUL": map[string]any{"query": "SELECT '\x00'"},
		"unknown member": map[string]any{"query": "SELECT 1", "role": "postgres"}, "no list": map[string]any{"query": "SELECT 1", "parameters": "x"},
	} {
		if a := as(controldb.Developer, path, body); a.Status != 400 || a.JSON(t)["code"] != "validation_failed" {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	a := refused(as(controldb.Developer, path, map[string]any{"query": "SELECT * FROM nowhere"}), 400, "query_failed")
	if a["sqlstate"] != "42P01" || a["position"] != 15.0 || !strings.HasPrefix(a["message"].(string), "Failed to run sql query: ERROR:  42P01: relation \"nowhere\" does not exist\nLINE 1: ") {
		t.Errorf("an error: %v", a)
	}
	// The other project has no such table, and its roles are out of reach.
	otherPath := strings.Replace(path, p.Ref, other.Ref, 1)
	refused(as(controldb.Developer, otherPath, map[string]any{"query": "SELECT * FROM t"}), 400, "query_failed")
	refused(as(controldb.Developer, otherPath, map[string]any{"query": "SET ROLE " + tenants.Ref(p.Ref).OwnerRole()}), 400, "query_failed")
	who, _ := developer(t, of, "stranger@example.com")
	stranger, err := db.CreateAccessToken(t.Context(), uuid.MustParse(who), "stranger")
	if err != nil {
		t.Fatal(err)
	}
	refused(reeve.Do(t, http.MethodPost, path, map[string]any{"query": "SELECT 1"}, "Authorization", "Bearer "+stranger), 404, "project_not_found")

	log, err := db.AuditLog(t.Context(), org.ID, controldb.AuditFilter{Ref: tenants.Ref(p.Ref), Action: "run-query", Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	written := false
	for _, e := range log {
		detail := string(e.Detail)
		for _, secret := range []string{"hunter2", "sesame", "12345.5", "SELECT id"} {
			if strings.Contains(detail, secret) {
				t.Errorf("the audit log has %q: %s", secret, detail)
			}
		}
		written = written || strings.Contains(detail, `"commands":["CREATE TABLE","INSERT 0 1","SELECT 1"]`) &&
			strings.Contains(detail, `"sha256":"`) && strings.Contains(detail, `"rows":1`)
	}
	if !written || len(log) < 8 {
		t.Errorf("%d entries; the developer's query among them: %v", len(log), written)
	}
	if v, err := db.VerifyAudit(t.Context(), org.ID); err != nil || v.Broken != 0 {
		t.Error(v, err)
	}
}

// TestGuardEndsQueries: the guard ends a query that disturbs other projects, and a
// project that does it again can run no more of them for a while.
func TestGuardEndsQueries(t *testing.T) {
	t.Parallel()
	cluster := testkit.NewCluster(t)
	reeve := servertest.StartOn(t, cluster.Database(t, "reeve_control"), secret.NewMasterKey(), func(c *config.Config) {
		c.Database.AdminURL = cluster.URL()
	})
	p := reeve.Project(t, "greedy", nil)
	path := "/v1/projects/" + p.Ref + "/database/query"
	greedy := map[string]any{"query": `SELECT pg_advisory_lock(i) FROM generate_series(1,
		current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int / 2) i; SELECT pg_sleep(15)`}
	eventually(t, "the query is ended", func() bool {
		a := reeve.Manage(t, http.MethodPost, path, greedy)
		return a.Status == 503 && a.JSON(t)["code"] == "query_interrupted"
	})
	eventually(t, "the project is shut out", func() bool {
		a := reeve.Manage(t, http.MethodPost, path, greedy)
		return a.Status == 503 && a.JSON(t)["code"] == "database_login_suspended"
	})
	reeve.Manage(t, http.MethodPost, strings.Replace(path, p.Ref, reeve.Project(t, "quiet", nil).Ref, 1), map[string]any{"query": "SELECT 1"}).Expect(t, 201)
}
