package servertest

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

// Control opens the control database, for tests of what no route shows.
func (r *Reeve) Control(tb testing.TB) *controldb.DB {
	tb.Helper()
	keyring, err := secret.NewKeyring(r.MasterKey)
	if err != nil {
		tb.Fatal(err)
	}
	db, err := controldb.Open(tb.Context(), r.ControlURL, keyring, controldb.Options{
		ProjectURL: func(ref tenants.Ref) string { return "http://reeve.test/p/" + string(ref) },
	})
	if err != nil {
		tb.Fatalf("control database: %v", err)
	}
	tb.Cleanup(db.Close)
	return db
}

// Tenant is Reeve's snapshot of the project, private keys included.
func (p *Project) Tenant(tb testing.TB) *tenants.Tenant {
	tb.Helper()
	db := p.Reeve.Control(tb)
	defer db.Close()
	t, err := db.Tenant(tb.Context(), tenants.Ref(p.Ref))
	if err != nil {
		tb.Fatalf("project %s: %v", p.Ref, err)
	}
	return t
}

// AdminURL is the superuser's URL of the project's database.
func (p *Project) AdminURL(tb testing.TB) string {
	tb.Helper()
	return DatabaseURL(tb, testkit.Postgres(tb), tenants.Ref(p.Ref).Database())
}

// DatabaseURL is a connection string for another database of the same server.
func DatabaseURL(tb testing.TB, of, database string) string {
	tb.Helper()
	u, err := url.Parse(of)
	if err != nil {
		tb.Fatal(err)
	}
	u.Path = "/" + database
	return u.String()
}

// Connect opens a connection until the test ends.
func Connect(tb testing.TB, at string) *pgx.Conn {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), at)
	if err != nil {
		tb.Fatalf("connect: %v", err)
	}
	tb.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Fingerprint is a hash of every table: two equal ones mean that nothing was
// written in between.
type Fingerprint map[string]string

// Fingerprint hashes the tables of the project's database, once all its mails
// are delivered.
func (p *Project) Fingerprint(tb testing.TB) Fingerprint {
	tb.Helper()
	conn := Connect(tb, p.AdminURL(tb))
	defer func() { _ = conn.Close(context.Background()) }()
	for range 1000 {
		var waiting int
		if err := conn.QueryRow(tb.Context(), `SELECT count(*) FROM reeve.outbox`).Scan(&waiting); err != nil {
			tb.Fatal(err)
		}
		if waiting == 0 {
			return FingerprintOf(tb, conn)
		}
		time.Sleep(10 * time.Millisecond)
	}
	tb.Fatalf("the mails of %s are not delivered", p.Ref)
	return nil
}

// FingerprintOf hashes the tables of a database, except the given ones and
// those of scheduled jobs, which change by themselves.
func FingerprintOf(tb testing.TB, conn *pgx.Conn, except ...string) Fingerprint {
	tb.Helper()
	rows, err := conn.Query(tb.Context(), `SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'river') AND c.relname <> ALL ($1)`, append([]string{}, except...))
	if err != nil {
		tb.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		tb.Fatal(err)
	}
	out := Fingerprint{}
	for _, name := range names {
		var hash string
		err := conn.QueryRow(tb.Context(), `SELECT count(*) || ' rows ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM `+name+` t`).Scan(&hash)
		if err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		out[name] = hash
	}
	return out
}

// Same fails the test for each changed table.
func (f Fingerprint) Same(tb testing.TB, before Fingerprint, what string) {
	tb.Helper()
	if len(before) == 0 {
		tb.Fatal("no table was looked at")
	}
	for _, table := range slices.Sorted(maps.Keys(before)) {
		if f[table] != before[table] {
			tb.Errorf("%s: %s changed: %s", what, table, fmt.Sprintf("%s, was %s", f[table], before[table]))
		}
	}
}
