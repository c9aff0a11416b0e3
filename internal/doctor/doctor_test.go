//go:build unix

package doctor

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/server"
	"github.com/reevehq/reeve/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// examine returns the findings by subject.
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
		"REEVE_TENANT_CONNECTIONS": "20",
	}
	for about, f := range examine(t, "", vars) {
		if about == "lock table" { // TestLocks; the server of the tests has a small one
			continue
		}
		if f.Err != nil || f.Warning != (about == "mails" || about == "servers") {
			t.Errorf("%s: %+v", about, f)
		}
	}
	vars["REEVE_DATABASE_ADMIN_URL"], vars["REEVE_LISTEN"] = weakRole(t, admin), "x"
	vars["REEVE_SMTP_URL"], vars["REEVE_MAIL_FROM"] = "smtp://mail.example.com", "a@example.com"
	found := examine(t, "", vars)
	if f := found["mails"]; f.Warning || f.Text != "sent by mail.example.com" {
		t.Errorf("mails: %+v", f)
	}
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

// TestBeforeTheFirstStart has an empty server. It is separate, because on the
// shared one other tests close the maintenance database.
func TestBeforeTheFirstStart(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(testkit.NewCluster(t).Database(t, "test_control"))
	if err != nil {
		t.Fatal(err)
	}
	u.Path += "_absent"
	vars := map[string]string{
		"REEVE_PUBLIC_URL": "https://reeve.example.com", "REEVE_MASTER_KEY": secret.NewMasterKey(), "REEVE_DATABASE_URL": u.String(),
	}
	if f := examine(t, "", vars)["control database"]; f.Err != nil || f.Text != "not there yet: the first start makes it" {
		t.Errorf("%+v", f)
	}
	vars["REEVE_MIGRATE"] = "false"
	if f := examine(t, "", vars)["control database"]; f.Err != nil || f.Text != "not there yet: `reeve migrate` makes it" {
		t.Errorf("%+v", f)
	}
	vars["REEVE_DATABASE_URL"] = weakRole(t, u.String())
	if err := examine(t, "", vars)["control database"].Err; err == nil || !strings.Contains(err.Error(), "CREATEDB") {
		t.Errorf("a role that may not make it: %v", err)
	}
}

// TestStarted has an installation, and then changes it as an operator may.
func TestStarted(t *testing.T) {
	t.Parallel()
	cluster := testkit.NewClusterWith(t, map[string]string{"max_locks_per_transaction": "1000", "max_connections": "250"})
	control := cluster.Database(t, "control")
	vars := map[string]string{
		"REEVE_PUBLIC_URL": "https://reeve.example.com", "REEVE_MASTER_KEY": secret.NewMasterKey(),
		"REEVE_DATABASE_URL": control, "REEVE_DATABASE_ADMIN_URL": cluster.URL(), "REEVE_MAIL_CAPTURE": "true",
		"REEVE_TENANT_CONNECTIONS": "15",
	}
	cfg, err := config.Load("", func(name string) (string, bool) { v, ok := vars[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	if err := server.Migrate(t.Context(), server.Options{Config: cfg, Logger: log}, func(provision.Outcome) {}); err != nil {
		t.Fatal(err)
	}
	for about, f := range examine(t, "", vars) {
		if f.Err != nil || f.Warning != (about == "servers") {
			t.Errorf("%s: %+v", about, f)
		}
	}
	for _, sql := range []string{
		"ALTER ROLE service_role NOBYPASSRLS", "GRANT CONNECT ON DATABASE reeve_template, postgres TO PUBLIC",
		"GRANT CONNECT ON DATABASE " + databaseOf(t, control) + " TO PUBLIC",
	} {
		execute(t, cluster.URL(), sql)
	}
	found := examine(t, "", vars)
	for about, says := range map[string]string{"service_role": "BYPASSRLS", "control database": "REVOKE CONNECT", "project databases' server": "REVOKE CONNECT"} {
		if f := found[about]; f.Err != nil || !f.Warning || !strings.Contains(f.Text, says) {
			t.Errorf("%s: %+v", about, f)
		}
	}
	if err := found["template database"].Err; err == nil || !strings.Contains(err.Error(), "REVOKE CONNECT") {
		t.Errorf("template: %v", err)
	}
	vars["REEVE_MASTER_KEY"] = secret.NewMasterKey()
	if err := examine(t, "", vars)["control database"].Err; err == nil || !strings.Contains(err.Error(), "the master key does not belong") {
		t.Errorf("another master key: %v", err)
	}
}

// TestConnections compares max_connections, 120, with the configuration.
func TestConnections(t *testing.T) {
	t.Parallel()
	admin := testkit.NewClusterWith(t, map[string]string{"max_connections": "120"}).URL()
	db := config.Database{ControlURL: admin, AdminURL: admin, TenantConnections: 20, Replicas: 1, OwnerConnections: 3}
	for _, c := range []struct {
		name   string
		change func(*config.Database)
		warns  string
	}{
		{"enough", func(*config.Database) {}, ""},
		{"more for the projects", func(d *config.Database) { d.TenantConnections = 100 }, "Set max_connections to 202"},
		{"another replica", func(d *config.Database) { d.Replicas = 2 }, "2 replicas open up to 84 connections each"},
		{"more for developers", func(d *config.Database) { d.OwnerConnections = 10 }, "a developer up to 10. Set max_connections to 152"},
		{"a control database elsewhere", func(d *config.Database) {
			d.OwnerConnections, d.ControlURL = 5, "postgres://elsewhere/control"
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := db
			c.change(&d)
			if f := connections(t.Context(), d); f.Err != nil || f.Warning != (c.warns != "") || !strings.Contains(f.Text, c.warns) {
				t.Errorf("%+v", f)
			}
		})
	}
}

// TestLocks compares the size of the lock table with what should be enough.
func TestLocks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, locks, prepared, warns string }{
		{"enough", "2000", "0", ""},
		{"Postgres' default", "64", "0", "Set max_locks_per_transaction to 2000"},
		{"prepared transactions", "2000", "1", "max_prepared_transactions is not 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			admin := testkit.NewClusterWith(t, map[string]string{
				"max_connections": "100", "max_locks_per_transaction": c.locks, "max_prepared_transactions": c.prepared,
			}).URL()
			f := locks(t.Context(), config.Database{AdminURL: admin})
			if f.Err != nil || f.Warning != (c.warns != "") || !strings.Contains(f.Text, c.warns) {
				t.Errorf("%+v", f)
			}
		})
	}
}

func databaseOf(t *testing.T, at string) string {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	return pgx.Identifier{strings.TrimPrefix(u.Path, "/")}.Sanitize()
}

// execute does not use the test's own context, which has ended at cleanup.
func execute(t *testing.T, at, sql string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(context.Background(), sql); err != nil {
		t.Error(err)
	}
}

// weakRole creates a role that may only log in, and returns the URL with it.
func weakRole(t *testing.T, admin string) string {
	t.Helper()
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	name := "weak_" + strings.TrimPrefix(u.Path, "/test_")
	maintenance := *u
	maintenance.Path = "/postgres"
	execute(t, maintenance.String(), "CREATE ROLE "+name+" LOGIN PASSWORD 'weak'")
	t.Cleanup(func() { execute(t, maintenance.String(), "DROP ROLE "+name) })
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
	running := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(running.Close)
	stopped := httptest.NewServer(nil)
	stopped.Close()
	for url, warns := range map[string]bool{running.URL: false, stopped.URL: true} {
		if err := os.WriteFile(filepath.Join(data, "dev.json"), []byte(`{"url":"`+url+`"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if f := examine(t, data, nil)["development server"]; f.Err != nil || f.Warning != warns || !strings.Contains(f.Text, url) {
			t.Errorf("%+v", f)
		}
	}
	path := filepath.Join(data, "data", "PG_VERSION")
	if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("9\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := examine(t, data, nil)["Postgres binaries"].Err; err == nil {
		t.Error("data of another release passes")
	}
	// Root may read everything; but a file in place of the folder fails for
	// all.
	closed := filepath.Join(data, "master.key", "below")
	if err := examine(t, closed, nil)["data folder "+closed].Err; err == nil {
		t.Error("a folder that cannot be looked at passes")
	}
	absent := filepath.Join(data, "absent")
	if f := examine(t, absent, nil)["data folder "+absent]; f.Err != nil || !strings.Contains(f.Text, "not there yet") {
		t.Errorf("no folder: %+v", f)
	}
}

func TestServers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		control, admin string
		warns          bool
	}{
		"one server":    {"postgres://a:b@db:5432/reeve_control", "postgres://a:b@db:5432/postgres", true},
		"two servers":   {"postgres://a:b@control:5432/reeve_control", "postgres://a:b@db:5432/postgres", false},
		"two ports":     {"postgres://a:b@db:5432/reeve_control", "postgres://a:b@db:5433/postgres", false},
		"port left out": {"postgres://a:b@db/reeve_control", "postgres://a:b@DB:5432/postgres", true},
		"one socket":    {"postgres:///reeve_control?host=/run/a", "postgres:///postgres?host=/run/a", true},
		"two sockets":   {"postgres:///reeve_control?host=/run/a", "postgres:///postgres?host=/run/b", false},
	} {
		if f := servers(config.Database{ControlURL: c.control, AdminURL: c.admin}); f.Warning != c.warns || f.Err != nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
