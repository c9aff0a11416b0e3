//go:build unix

package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/testkit"
)

// TestMigrate migrates a new installation, and then one with a project whose
// database is gone.
func TestMigrate(t *testing.T) {
	t.Parallel()
	cluster := testkit.NewCluster(t)
	control := cluster.Database(t, "control")
	vars := map[string]string{
		"REEVE_PUBLIC_URL": "https://reeve.example.com", "REEVE_MASTER_KEY": secret.NewMasterKey(),
		"REEVE_DATABASE_URL": control, "REEVE_DATABASE_ADMIN_URL": cluster.URL(),
	}
	code, out, errOut := call(t, vars, "migrate")
	if code != exitOK || !strings.Contains(out, "projects: 0 migrated, 0 failed, 0 current; warm databases: 0 migrated") {
		t.Fatalf("exit %d: %s%s", code, out, errOut)
	}
	conn, err := pgx.Connect(t.Context(), control)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	_, err = conn.Exec(t.Context(), `INSERT INTO databases (ref, cluster_id, state, schema_version)
			VALUES ('abcdefghijklmnopqrst', 'default', 'assigned', 1);
		INSERT INTO organizations (id, slug, name, max_projects) VALUES (gen_random_uuid(), 'acme', 'Acme', 1);
		INSERT INTO projects (ref, organization_id, name, status)
			SELECT 'abcdefghijklmnopqrst', id, 'lost', 'active' FROM organizations`)
	if err != nil {
		t.Fatal(err)
	}
	code, out, errOut = call(t, vars, "migrate")
	if code != exitFailure || !strings.Contains(out, "abcdefghijklmnopqrst  failed at 1: ") ||
		!strings.Contains(out, "projects: 0 migrated, 1 failed") || !strings.Contains(errOut, "1 of 1 databases could not be migrated") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	code, out, _ = call(t, vars, "migrate", "-o", "json")
	var got report
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if code != exitFailure || len(got.Databases) != 1 || got.Databases[0].Error == "" || got.Projects["failed"] != 1 {
		t.Errorf("as JSON: exit %d, %+v", code, got)
	}
	code, out, _ = call(t, vars, "token", "-o", "json")
	var minted map[string]string
	if err := json.Unmarshal([]byte(out), &minted); err != nil || code != exitOK || !strings.HasPrefix(minted["access_token"], "sbp_") {
		t.Errorf("token as JSON: exit %d: %v", code, err)
	}
}
