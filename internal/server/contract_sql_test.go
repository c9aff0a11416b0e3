package server_test

import (
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/internal/testkit"
)

// inDatabase runs a statement in the project's database as superuser, for
// states that no request can cause, such as times in the past.
func inDatabase(t *testing.T, p *servertest.Project, statement string, args ...any) {
	t.Helper()
	u, err := url.Parse(testkit.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/reeve_" + p.Ref
	conn, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	tag, err := conn.Exec(t.Context(), statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	if tag.RowsAffected() == 0 {
		t.Fatalf("%s: touched no row", statement)
	}
}
