package provision

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/reevehq/reeve/migrations"
	"github.com/reevehq/reeve/tenants"
)

// withMore adds migrations to those of a project, from number 9001 on.
func withMore(t *testing.T, more ...string) fs.FS {
	t.Helper()
	all := fstest.MapFS{}
	entries, err := fs.ReadDir(migrations.Tenant(), ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		raw, err := fs.ReadFile(migrations.Tenant(), e.Name())
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = &fstest.MapFile{Data: raw}
	}
	for i, sql := range more {
		all["0900"+string(rune('1'+i))+"_more.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + sql + "\n")}
	}
	return all
}

// ownTemplate gives a test a template that it may change.
func ownTemplate(t *testing.T) func(*Service) {
	name := "reeve_template_" + strings.ToLower(rand.Text())
	return func(s *Service) { s.Cluster.Template = name }
}

type reported struct {
	from, to int64
	failed   bool
}

func collect(into map[tenants.Ref]reported) Report {
	return func(ref tenants.Ref, from, to int64, err error) { into[ref] = reported{from, to, err != nil} }
}

func TestMigrateFleet(t *testing.T) {
	t.Parallel()
	template := ownTemplate(t)
	old := newWorld(t, template)
	base := migrations.TenantVersion()
	canary := old.mustCreate(t, NewProject{}).Project.Ref
	bad := old.mustCreate(t, NewProject{})
	third := old.mustCreate(t, NewProject{}).Project.Ref
	old.mustWarm(t)
	// In one project, the way of the migration is blocked.
	block := func(sql string) {
		t.Helper()
		cfg, err := old.adminConfig(bad.Project.Ref.Database())
		if err != nil {
			t.Fatal(err)
		}
		err = old.asAdmin(t.Context(), cfg.Database, execute(t.Context(), sql))
		if err != nil {
			t.Fatal(err)
		}
	}
	block("CREATE TABLE auth.news (id int)")
	fsys := withMore(t, "CREATE TABLE auth.news (id uuid PRIMARY KEY);")
	next := old.replica(t, template, func(s *Service) { s.Migrations = fsys })

	got := map[tenants.Ref]reported{}
	err := next.MigrateFleet(t.Context(), 4, collect(got))
	if err == nil || errors.Is(err, ErrCanary) {
		t.Errorf("MigrateFleet = %v, want the failed project's error", err)
	}
	if len(got) != 4 || got[canary] != (reported{base, 9001, false}) || got[third] != (reported{base, 9001, false}) ||
		got[bad.Project.Ref] != (reported{base, base, true}) {
		t.Errorf("reported %v", got)
	}
	if d, err := next.Control.DatabaseByRef(t.Context(), bad.Project.Ref); err != nil || d.SchemaVersion != base || d.LastError == "" {
		t.Errorf("failed project: version %d, error %q, %v", d.SchemaVersion, d.LastError, err)
	}
	old.checkServed(t, bad.Project.Ref)
	checkOwnTable(t, old, third)

	block("DROP TABLE auth.news")
	clear(got)
	if err := next.MigrateFleet(t.Context(), 4, collect(got)); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[bad.Project.Ref] != (reported{base, 9001, false}) {
		t.Errorf("second run reported %v", got)
	}
	// The template has it too, and the migrated warm one is assigned.
	for range 2 {
		created, err := next.Create(t.Context(), NewProject{OrganizationID: old.org, Name: "new"})
		if err != nil {
			t.Fatal(err)
		}
		checkOwnTable(t, old, created.Project.Ref)
	}
}

// checkOwnTable checks that the auth role may use what a migration made.
func checkOwnTable(t *testing.T, w *world, ref tenants.Ref) {
	t.Helper()
	tenant := w.checkServed(t, ref)
	if tenant.SchemaVersion != 9001 {
		t.Errorf("schema version of %s is %d", ref, tenant.SchemaVersion)
	}
	conn, err := w.Dial(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(conn)
	if _, err := conn.Exec(t.Context(), "INSERT INTO auth.news VALUES (gen_random_uuid())"); err != nil {
		t.Errorf("%s: %v", ref, err)
	}
}

func TestMigrateFleetStopsAtCanaries(t *testing.T) {
	t.Parallel()
	template := ownTemplate(t)
	old := newWorld(t, template)
	for range 3 {
		old.mustCreate(t, NewProject{})
	}
	// It works in the template, and in no project.
	fsys := withMore(t, "-- +goose StatementBegin\nDO $$ BEGIN IF current_database() ~ '^reeve_[a-z]{20}$' THEN RAISE 'no'; END IF; END $$;\n-- +goose StatementEnd")
	next := old.replica(t, template, func(s *Service) { s.Migrations = fsys })
	got := map[tenants.Ref]reported{}
	if err := next.MigrateFleet(t.Context(), 4, collect(got)); !errors.Is(err, ErrCanary) || len(got) != 2 {
		t.Errorf("MigrateFleet = %v after %d projects", err, len(got))
	}
}

func TestDialBringsSchemaUp(t *testing.T) {
	t.Parallel()
	template := ownTemplate(t)
	old := newWorld(t, template)
	ref := old.mustCreate(t, NewProject{}).Project.Ref
	stale, err := old.Control.Tenant(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	fsys := withMore(t, "CREATE TABLE auth.news (id uuid PRIMARY KEY);")
	next := old.replica(t, template, func(s *Service) { s.Migrations = fsys })
	for range 2 {
		conn, err := next.Dial(t.Context(), stale)
		if err != nil {
			t.Fatal(err)
		}
		closeConn(conn)
	}
	checkOwnTable(t, old, ref)
}

func TestRunRefreshesStaleWarmOnes(t *testing.T) {
	t.Parallel()
	template := ownTemplate(t)
	old := newWorld(t, template)
	old.mustWarm(t)
	fsys := withMore(t, "CREATE TABLE auth.news (id uuid PRIMARY KEY);")
	next := old.replica(t, template, func(s *Service) { s.Migrations = fsys })
	if err := next.Bootstrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := next.fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	behind, err := next.Control.DatabasesBelow(t.Context(), "test", 9001)
	if err != nil || len(behind) != 0 {
		t.Errorf("%d stale databases, %v", len(behind), err)
	}
	if d, err := next.Control.UnfinishedDatabases(t.Context(), "test", maxAttempts, next.Now()); err != nil || len(d) != 0 {
		t.Errorf("%d unfinished, %v", len(d), err)
	}
}
