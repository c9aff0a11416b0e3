//go:build unix

package doctor

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// examine gives the findings by what they are about.
func examine(t *testing.T, data string, vars map[string]string) map[string]Finding {
	t.Helper()
	out := map[string]Finding{}
	for _, f := range Examine(t.Context(), Options{Data: data, Lookup: func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}}) {
		out[f.About] = f
	}
	return out
}

func TestProduction(t *testing.T) {
	t.Parallel()
	admin := testkit.Database(t)
	vars := map[string]string{
		"REEVE_PUBLIC_URL": "https://reeve.example.com", "REEVE_MASTER_KEY": secret.NewMasterKey(), "REEVE_DATABASE_URL": admin,
	}
	for about, f := range examine(t, t.TempDir(), vars) {
		if f.Err != nil {
			t.Errorf("%s: %v", about, f.Err)
		}
	}
	vars["REEVE_DATABASE_ADMIN_URL"], vars["REEVE_LISTEN"] = weakRole(t, admin), "x"
	found := examine(t, t.TempDir(), vars)
	if err := found["configuration"].Err; err == nil || !strings.Contains(err.Error(), "REEVE_LISTEN") {
		t.Errorf("configuration: %v", err)
	}
	if err := found["project databases' server"].Err; err == nil || !strings.Contains(err.Error(), "CREATEDB") {
		t.Errorf("a role without rights: %v", err)
	}
	if err := found["control database"].Err; err != nil {
		t.Errorf("control database: %v", err)
	}
}

// weakRole makes a role that may only log in, and gives the URL with it.
func weakRole(t *testing.T, admin string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	name := "weak_" + strings.TrimPrefix(u.Path, "/test_")
	if _, err := conn.Exec(t.Context(), "CREATE ROLE "+name+" LOGIN PASSWORD 'weak'"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), admin)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(context.Background()) }()
		if _, err := conn.Exec(context.Background(), "DROP ROLE "+name); err != nil {
			t.Error(err)
		}
	})
	u.User = url.UserPassword(name, "weak")
	return u.String()
}

func TestDevelopment(t *testing.T) {
	t.Parallel()
	const unreachable = "postgres://u:hunter2@127.0.0.1:1/x"
	data := t.TempDir()
	found := examine(t, data, map[string]string{"REEVE_DATABASE_URL": unreachable})
	if err := found["REEVE_DATABASE_URL"].Err; err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("unreachable: %v", err)
	}
	if err := found["data folder "+data].Err; err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(data, "master.key"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(data, "master.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := examine(t, data, nil)["data folder "+data].Err; err == nil || !strings.Contains(err.Error(), "master.key") {
		t.Errorf("a key that others can read: %v", err)
	}
	absent := filepath.Join(data, "absent")
	if f := examine(t, absent, nil)["data folder "+absent]; f.Err != nil || !strings.Contains(f.Text, "not there yet") {
		t.Errorf("no folder: %+v", f)
	}
}
