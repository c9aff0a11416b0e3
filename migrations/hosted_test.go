package migrations_test

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/migrations"
)

// A dump of a hosted project's data loads with the developer's rights.
func TestHostedDumpLoads(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	dump, err := os.ReadFile("testdata/hosted.sql")
	if err != nil {
		t.Fatal(err)
	}
	owner, auth := p.as(t, p.owner), p.as(t, p.auth)
	owner.exec("BEGIN;" + string(dump) + "COMMIT")
	for query, want := range map[string]string{
		"SELECT factor_type::text FROM auth.mfa_factors WHERE secret IS NULL":                                        "recovery_code",
		"SELECT count(*) || ' ' || count(consumed_at) FROM auth.mfa_recovery_codes":                                  "2 1",
		"SELECT count(*) || ' ' || count(expires_at) FROM auth.one_time_tokens":                                      "2 1",
		"SELECT user_name || ' ' || external_id || ' ' || active FROM auth.scim_users WHERE deleted_at IS NULL":      "kim@corp.example 00u1 true",
		"SELECT count(*)::text FROM auth.scim_users WHERE deleted_at IS NOT NULL AND external_id IS NULL AND active": "1",
	} {
		if got := auth.text(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}

	// Rows that are deleted with a user, and rows that stay.
	auth.exec("DELETE FROM auth.users")
	for _, table := range []string{"mfa_recovery_code_sets", "mfa_recovery_codes", "one_time_tokens"} {
		if n := owner.count("SELECT count(*) FROM auth." + table); n != 0 {
			t.Errorf("%d rows of auth.%s outlive the user", n, table)
		}
	}
	if n := owner.count("SELECT count(*) FROM auth.scim_users WHERE user_id IS NULL"); n != 2 {
		t.Errorf("%d SCIM users without a user, want 2", n)
	}
	auth.exec("DELETE FROM auth.sso_providers")
	if n := owner.count("SELECT (SELECT count(*) FROM auth.scim_users) + (SELECT count(*) FROM auth.scim_tokens)"); n != 0 {
		t.Errorf("%d rows outlive the provider", n)
	}
}

// The column lists of COPY in such a dump, which a role that bypasses the
// policies can load.
func TestHostedDumpCopies(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	auth := p.as(t, p.auth)
	auth.exec(`INSERT INTO auth.sso_providers (id) VALUES ('7d4e0a36-53a7-4c2c-9a39-0f0a51f6f001')`)
	for _, c := range []struct{ head, rows string }{
		{
			"auth.scim_users (id, sso_provider_id, user_id, resource, created_at, updated_at, deleted_at)",
			"7d4e0a36-53a7-4c2c-9a39-0f0a51f61001\t7d4e0a36-53a7-4c2c-9a39-0f0a51f6f001\t\\N\t{\"userName\": \"kim\"}\t2026-10-01 08:20:00+00\t2026-10-01 08:20:00+00\t\\N\n",
		},
		{
			"auth.scim_tokens (id, sso_provider_id, token_hash, prefix, created_at, expires_at, revoked_at, last_used_at)",
			"7d4e0a36-53a7-4c2c-9a39-0f0a51f60001\t7d4e0a36-53a7-4c2c-9a39-0f0a51f6f001\t" + strings.Repeat("0a", 32) + "\tab\t2026-10-01 08:20:00+00\t\\N\t\\N\t\\N\n",
		},
		{"auth.mfa_recovery_code_sets (id, user_id, mfa_factor_id, failed_verification_count, verification_locked_until, created_at, updated_at)", ""},
		{"auth.mfa_recovery_codes (id, mfa_recovery_code_set_id, code_hash, consumed_at, created_at)", ""},
		{"auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to, created_at, updated_at, expires_at)", ""},
	} {
		if _, err := auth.conn.PgConn().CopyFrom(t.Context(), strings.NewReader(c.rows), "COPY "+c.head+" FROM STDIN"); err != nil {
			t.Errorf("%s: %v", c.head, err)
		}
	}
}

// upTo returns the migrations up to a version, as in an earlier release.
func upTo(t *testing.T, last string) fs.FS {
	t.Helper()
	names, err := fs.Glob(migrations.Tenant(), "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	out := fstest.MapFS{}
	for _, name := range names {
		if path.Base(name)[:len(last)] > last {
			continue
		}
		raw, err := fs.ReadFile(migrations.Tenant(), name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = &fstest.MapFile{Data: raw}
	}
	return out
}

// oldProject is a project in the state of an earlier release, whose admin is no
// superuser.
func oldProject(t *testing.T, last string) *project {
	t.Helper()
	p := newRoles(t)
	admin := strings.TrimSuffix(p.auth, "_auth") + "_admin"
	connect(t, testkit.Postgres(t), "").exec("CREATE ROLE " + admin + " LOGIN CREATEDB CREATEROLE PASSWORD '" + admin + "'")
	t.Cleanup(func() { dropRoles(t, admin) })
	url := testkit.Database(t)
	connect(t, url, "").exec("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO " + admin + "', current_database()); END $$")
	super := connect(t, testkit.Postgres(t), "")
	for _, role := range []string{p.auth, p.api, p.owner} {
		super.exec("GRANT " + role + " TO " + admin + " WITH ADMIN OPTION")
	}
	p.url = withUser(t, url, admin)
	cfg, err := pgx.ParseConfig(p.url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrations.UpTenant(t.Context(), cfg, upTo(t, last)); err != nil {
		t.Fatal(err)
	}
	p.adopt(t)
	p.admin(t).exec("SELECT reeve.set_capability(sha256(convert_to($1, 'UTF8')))", p.capability)
	return p
}

// A database in use is migrated while the developer's triggers are on its
// tables, also by an admin that is no superuser, and again after a kill.
func TestMigrationOfADatabaseInUse(t *testing.T) {
	t.Parallel()
	p := oldProject(t, "00010")
	auth, owner := p.as(t, p.auth), p.as(t, p.owner)
	user := auth.newUser("ann@example.com")
	owner.exec(`CREATE FUNCTION public.stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
		CREATE TRIGGER stop BEFORE UPDATE OR DELETE ON auth.users FOR EACH ROW EXECUTE FUNCTION public.stop();
		CREATE TRIGGER stop BEFORE INSERT OR UPDATE ON auth.one_time_tokens FOR EACH ROW EXECUTE FUNCTION public.stop()`)

	up := func() {
		t.Helper()
		cfg, err := pgx.ParseConfig(p.url)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := migrations.UpTenant(t.Context(), cfg, upTo(t, "00011")); err != nil {
			t.Fatal(err)
		}
	}
	up()
	before := state(p, p.admin(t))
	// A process that was killed before it recorded the version.
	p.admin(t).exec("DELETE FROM reeve.goose_db_version WHERE version_id > 10")
	up()
	if after := withoutTimes(state(p, p.admin(t))); !slices.Equal(withoutTimes(before), after) {
		t.Errorf("a second run changed\n%s\nto\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	migrate(t, p.url)
	p.adopt(t)
	if got := auth.text("SELECT email FROM auth.users WHERE id = $1", user); got != "ann@example.com" {
		t.Error(got)
	}
	for _, table := range []string{"mfa_recovery_code_sets", "mfa_recovery_codes", "scim_users", "scim_tokens"} {
		if n := owner.count("SELECT count(*) FROM auth." + table); n != 0 {
			t.Error(table, n)
		}
		auth.exec("ALTER TABLE auth." + table + " ADD COLUMN note text") // its owner
	}
}

// withoutTimes drops the lines of the version table.
func withoutTimes(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(s string) bool { return strings.HasPrefix(s, "version ") })
}

// A developer's table with the name of ours is not taken over.
func TestMigrationRefusesATableOfTheSameName(t *testing.T) {
	t.Parallel()
	p := oldProject(t, "00010")
	p.as(t, p.auth).exec("CREATE TABLE auth.scim_users (id uuid)")
	const duplicateTable = "42P07"
	if got := sqlState(upTenant(t.Context(), p.url)); got != duplicateTable {
		t.Errorf("SQLSTATE %q, want %s", got, duplicateTable)
	}
	p.as(t, p.auth).exec("DROP TABLE auth.scim_users")
	migrate(t, p.url)
}
