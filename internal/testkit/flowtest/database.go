package flowtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/migrations"
	"github.com/reevehq/reeve/tenants"
)

// template is the migrated database that this process copies. Its name is a
// digest of the migrations, so that several test processes on one cluster share
// it and none gets a stale one.
var template struct {
	once sync.Once
	name string
	err  error
}

const setupTimeout = 2 * time.Minute

// newDatabase makes what provisioning makes for a project: roles, and a migrated
// database, and gives its superuser URL.
func newDatabase(tb testing.TB, t *tenants.Tenant) string {
	tb.Helper()
	admin := testkit.Postgres(tb)
	template.once.Do(func() { template.name, template.err = makeTemplate(admin) })
	if template.err != nil {
		tb.Fatalf("make template database: %v", template.err)
	}
	ref := t.Ref
	statements := []string{
		"CREATE ROLE " + ref.AuthRole() + " LOGIN PASSWORD '" + t.Secrets.AuthPassword + "'",
		"CREATE ROLE " + ref.APIRole() + " LOGIN NOINHERIT",
		"CREATE ROLE " + ref.OwnerRole() + " LOGIN",
		"GRANT anon, authenticated, service_role TO " + ref.APIRole(),
		"CREATE DATABASE " + ref.Database() + " TEMPLATE " + template.name,
	}
	if err := onCluster(admin, statements...); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		err := onCluster(admin, "DROP DATABASE "+ref.Database()+" WITH (FORCE)",
			"DROP ROLE "+ref.AuthRole()+", "+ref.APIRole()+", "+ref.OwnerRole())
		if err != nil {
			tb.Error(err)
		}
	})
	return inDatabase(admin, ref.Database())
}

func onCluster(admin string, statements ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return fmt.Errorf("connect to the test cluster: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("%.40s: %w", s, err)
		}
	}
	return nil
}

// makeTemplate makes the template unless the cluster has it. It is migrated
// under another name first, so that a half made one is never copied.
func makeTemplate(admin string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	digest, err := digestOf(migrations.Tenant())
	if err != nil {
		return "", err
	}
	name := "flowtest_" + digest
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return "", fmt.Errorf("connect to the test cluster: %w", err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	// One process at a time; the lock ends with the connection.
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtext($1))", name); err != nil {
		return "", err
	}
	var there bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil || there {
		return name, err
	}
	for _, s := range []string{migrations.Cluster(), "DROP DATABASE IF EXISTS " + name + "_new WITH (FORCE)", "CREATE DATABASE " + name + "_new"} {
		if _, err := conn.Exec(ctx, s); err != nil {
			return "", fmt.Errorf("%.40s: %w", s, err)
		}
	}
	if err := migrate(ctx, inDatabase(admin, name+"_new")); err != nil {
		return "", err
	}
	_, err = conn.Exec(ctx, "ALTER DATABASE "+name+"_new RENAME TO "+name)
	return name, err
}

func migrate(ctx context.Context, at string) error {
	cfg, err := pgx.ParseConfig(at)
	if err != nil {
		return err
	}
	_, err = migrations.UpTenant(ctx, cfg, migrations.Tenant())
	return err
}

func digestOf(files fs.FS) (string, error) {
	sum := sha256.New()
	names, err := fs.Glob(files, "*.sql")
	for _, name := range names {
		var raw []byte
		if raw, err = fs.ReadFile(files, name); err != nil {
			break
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(raw))
		sum.Write(raw)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), err
}

func inDatabase(admin, name string) string {
	u, err := url.Parse(admin)
	if err != nil {
		return admin
	}
	u.Path = "/" + name
	return u.String()
}
