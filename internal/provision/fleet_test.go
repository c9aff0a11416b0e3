package provision

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

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

// ownTemplate returns a template that only this test uses.
func ownTemplate(t *testing.T) func(*Service) {
	name := "reeve_template_" + strings.ToLower(rand.Text())
	return func(s *Service) { s.Cluster.Template = name }
}

type reported struct {
	state    MigrationState
	from, to int64
	warm     bool
	status   tenants.Status
}

func collect(t *testing.T, into map[tenants.Ref]reported) Report {
	return func(o Outcome) {
		if _, twice := into[o.Ref]; twice {
			t.Errorf("%s is reported twice", o.Ref)
		}
		if (o.State == MigrationFailed) != (o.Err != nil) {
			t.Errorf("%s is %s with error %v", o.Ref, o.State, o.Err)
		}
		into[o.Ref] = reported{o.State, o.From, o.To, o.Warm, o.Status}
	}
}

func TestMigrateFleet(t *testing.T) {
	t.Parallel()
	template := ownTemplate(t)
	old := newWorld(t, template)
	base := migrations.TenantVersion()
	canary := old.mustCreate(t, NewProject{}).Project.Ref
	bad := old.mustCreate(t, NewProject{})
	third := old.mustCreate(t, NewProject{}).Project.Ref
	old.mustPause(t, third)
	noTemplate := old.replica(t, func(s *Service) { s.Cluster.Template = "reeve_not_there" })
	half, err := noTemplate.Create(t.Context(), NewProject{OrganizationID: old.org, Name: "half"})
	if err != nil {
		t.Fatal(err)
	}
	old.mustWarm(t)
	warm, err := queryRefs(t.Context(), old, "SELECT ref FROM databases WHERE state = 'warm'")
	if err != nil {
		t.Fatal(err)
	}
	// In one project an object blocks the migration.
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
	err = next.MigrateFleet(t.Context(), 4, collect(t, got))
	if err == nil || errors.Is(err, ErrCanary) {
		t.Errorf("MigrateFleet = %v, want that one failed", err)
	}
	want := map[tenants.Ref]reported{
		canary:           {MigrationDone, base, 9001, false, tenants.StatusActive},
		third:            {MigrationDone, base, 9001, false, tenants.StatusPaused},
		bad.Project.Ref:  {MigrationFailed, base, base, false, tenants.StatusActive},
		half.Project.Ref: {MigrationUnfinished, 0, 0, false, tenants.StatusCreating},
		warm[0]:          {MigrationDone, base, 9001, true, ""},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(reported{})); diff != "" {
		t.Error(diff)
	}
	if d, err := next.Control.DatabaseByRef(t.Context(), bad.Project.Ref); err != nil || d.SchemaVersion != base || d.LastError == "" {
		t.Errorf("failed project: version %d, error %q, %v", d.SchemaVersion, d.LastError, err)
	}
	old.checkServed(t, bad.Project.Ref)
	old.mustRestore(t, third)
	checkOwnTable(t, old, third)

	block("DROP TABLE auth.news")
	clear(got)
	if err := next.MigrateFleet(t.Context(), 4, collect(t, got)); err != nil {
		t.Fatal(err)
	}
	current := reported{MigrationCurrent, 9001, 9001, false, tenants.StatusActive}
	want[canary], want[third] = current, current
	want[bad.Project.Ref] = reported{MigrationDone, base, 9001, false, tenants.StatusActive}
	want[warm[0]] = reported{MigrationCurrent, 9001, 9001, true, ""}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(reported{})); diff != "" {
		t.Errorf("second run: %s", diff)
	}
	// The template has it too, and the migrated warm database can be assigned.
	for range 2 {
		created, err := next.Create(t.Context(), NewProject{OrganizationID: old.org, Name: "new"})
		if err != nil {
			t.Fatal(err)
		}
		checkOwnTable(t, old, created.Project.Ref)
	}
}

// checkOwnTable checks that the auth role may use a migration's table.
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
	// It works in the template and fails in every project.
	fsys := withMore(t, "-- +goose StatementBegin\nDO $$ BEGIN IF current_database() ~ '^reeve_[a-z]{20}$' THEN RAISE 'no'; END IF; END $$;\n-- +goose StatementEnd")
	next := old.replica(t, template, func(s *Service) { s.Migrations = fsys })
	got := map[tenants.Ref]reported{}
	if err := next.MigrateFleet(t.Context(), 4, collect(t, got)); !errors.Is(err, ErrCanary) {
		t.Errorf("MigrateFleet = %v", err)
	}
	states := map[MigrationState]int{}
	for _, r := range got {
		states[r.state]++
	}
	if diff := cmp.Diff(map[MigrationState]int{MigrationFailed: 2, MigrationPending: 1}, states); diff != "" {
		t.Error(diff)
	}
}

func TestEnsureSchema(t *testing.T) {
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
		if err := next.EnsureSchema(t.Context(), stale); err != nil {
			t.Fatal(err)
		}
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
