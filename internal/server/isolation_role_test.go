package server_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/tenants"
)

// TestDatabaseRoles: the login roles of A can only connect to A's database, and
// cannot become a role of B.
func TestDatabaseRoles(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	a, b := reeve.Project(t, "a", nil), reeve.Project(t, "b", nil)
	if want := roleURL(t, a, tenants.Ref(a.Ref).OwnerRole(), passwords(t, a).Owner); !samePassword(t, want, a.DatabaseURL) {
		t.Errorf("db_url is not the owner's")
	}
	control, err := url.Parse(reeve.ControlURL)
	if err != nil {
		t.Fatal(err)
	}
	others := []string{
		tenants.Ref(b.Ref).Database(), strings.TrimPrefix(control.Path, "/"), provision.DefaultTemplate, "postgres", "template0",
	}
	for _, r := range rolesOf(t, a) {
		conn := servertest.Connect(t, r.url) // its project's database
		for _, database := range others {
			denied(t, r.name+" to "+database, servertest.DatabaseURL(t, r.url, database), "42501", "55000")
		}
		for _, other := range rolesOf(t, b) {
			wrong := roleURL(t, b, other.name, r.password)
			denied(t, other.name+" with the password of "+r.name, wrong, "28P01")
			_, err := conn.Exec(t.Context(), "SET ROLE "+other.name)
			state(t, r.name+" becomes "+other.name, err, "42501")
		}
	}
	escape(t, a)
}

type role struct{ name, password, url string }

func rolesOf(t *testing.T, p *servertest.Project) []role {
	t.Helper()
	ref, pass := tenants.Ref(p.Ref), passwords(t, p)
	out := []role{
		{name: ref.OwnerRole(), password: pass.Owner},
		{name: ref.AuthRole(), password: pass.Auth},
		{name: ref.APIRole(), password: pass.API},
		{name: ref.QueryRole(), password: pass.Query},
	}
	for i := range out {
		out[i].url = roleURL(t, p, out[i].name, out[i].password)
	}
	return out
}

func passwords(t *testing.T, p *servertest.Project) controldb.Passwords {
	t.Helper()
	db, ref := p.Reeve.Control(t), tenants.Ref(p.Ref)
	row, err := db.DatabaseByRef(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	dk, err := db.DataKey(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	out, err := controldb.OpenPasswords(dk, row.Sealed)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// roleURL is the URL of the project's database with one of its roles.
func roleURL(t *testing.T, p *servertest.Project, role, password string) string {
	t.Helper()
	u, err := url.Parse(p.AdminURL(t))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, password)
	return u.String()
}

func samePassword(t *testing.T, a, b string) bool {
	t.Helper()
	x, err := url.Parse(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := url.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return x.User.String() == y.User.String()
}

// denied fails the test when the server accepts a connection.
func denied(t *testing.T, what, at string, states ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), at)
	if err == nil {
		_ = conn.Close(t.Context())
	}
	state(t, what, err, states...)
}

// state checks the SQLSTATE of an error.
func state(t *testing.T, what string, err error, states ...string) {
	t.Helper()
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		t.Errorf("%s: %v, want a refusal", what, err)
		return
	}
	for _, s := range states {
		if pg.Code == s {
			return
		}
	}
	t.Errorf("%s: %s %s, want %v", what, pg.Code, pg.Message, states)
}

// escape: the developer's role cannot leave its database in any other way.
func escape(t *testing.T, p *servertest.Project) {
	t.Helper()
	conn := servertest.Connect(t, p.DatabaseURL)
	for _, sql := range []string{
		"CREATE EXTENSION dblink", "CREATE EXTENSION postgres_fdw", "CREATE EXTENSION file_fdw",
		"CREATE ROLE intruder", "CREATE DATABASE intruder", "ALTER ROLE CURRENT_USER SUPERUSER", "ALTER ROLE CURRENT_USER CONNECTION LIMIT -1",
		"COPY (SELECT 1) TO PROGRAM 'true'", "SELECT pg_read_file('PG_VERSION')", "SELECT pg_ls_dir('.')",
		"SELECT rolpassword FROM pg_authid", "SELECT passwd FROM pg_shadow", "ALTER SYSTEM SET max_connections = 1",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'", "SELECT lo_import('/etc/passwd')",
		"GRANT CONNECT ON DATABASE postgres TO CURRENT_USER",
	} {
		rows, err := conn.Exec(t.Context(), sql)
		if strings.HasPrefix(sql, "GRANT") && err == nil {
			continue // Postgres only warns; the connection is tried above
		}
		if err == nil && rows.RowsAffected() == 0 && strings.HasPrefix(sql, "SELECT") {
			continue
		}
		// 58P01 or 0A000: an extension that this machine does not have.
		state(t, sql, err, "42501", "58P01", "0A000")
	}
}
