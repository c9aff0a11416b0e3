package provision

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// TestWeakAdminEndsSessions: an admin that is no superuser can end the sessions of
// every role of a project, as the guard has to.
func TestWeakAdminEndsSessions(t *testing.T) {
	t.Parallel()
	w, _ := weakWorld(t)
	created := w.mustCreate(t, NewProject{})
	admin := connect(t, w.Cluster.AdminURL)
	for name, conn := range map[string]*pgx.Conn{
		"owner": connect(t, created.DatabaseURL), "auth": w.asAuth(t, created.Project.Ref),
	} {
		var ended bool
		err := admin.QueryRow(t.Context(), "SELECT pg_terminate_backend($1)", int32(conn.PgConn().PID())).Scan(&ended)
		if err != nil || !ended {
			t.Errorf("the session of the %s role: %t, %v", name, ended, err)
		}
		var pg *pgconn.PgError
		if _, err := conn.Exec(t.Context(), "SELECT 1"); !errors.As(err, &pg) || pg.Code != "57P01" {
			t.Errorf("the session of the %s role goes on: %v", name, err)
		}
	}
}
