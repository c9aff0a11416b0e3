package server_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/internal/testkit"
)

// TestShutOut: a developer whose sessions lock shared catalogs again and again
// cannot log in for a while, also after a restart. Their users and other projects
// go on, and the developer learns why.
func TestShutOut(t *testing.T) {
	t.Parallel()
	cluster := testkit.NewCluster(t)
	onCluster := func(c *config.Config) { c.Database.AdminURL = cluster.URL() }
	reeve := servertest.StartOn(t, cluster.Database(t, "reeve_control"), secret.NewMasterKey(), onCluster)
	hostile, other := reeve.Project(t, "hostile", nil), reeve.Project(t, "other", nil)
	attack := func() bool {
		conn, err := pgx.Connect(t.Context(), hostile.DatabaseURL)
		if err != nil {
			return loginSuspended(err)
		}
		defer func() { _ = conn.Close(context.Background()) }()
		_, _ = conn.Exec(t.Context(), "CREATE RULE r AS ON INSERT TO pg_catalog.pg_authid DO ALSO NOTHING")
		return false
	}
	eventually(t, "the owner role cannot log in", attack)
	hostile.SignUp(t, annEmail, annPassword)
	other.SignUp(t, annEmail, annPassword)
	servertest.Connect(t, other.DatabaseURL)
	eventually(t, "the developer is told", func() bool {
		a := reeve.Manage(t, http.MethodGet, "/v1/projects/"+hostile.Ref+"/logs?code=database_login_suspended", nil).Expect(t, 200)
		return strings.Contains(string(a.Body), "cannot log in until")
	})
	control := reeve.Control(t)
	eventually(t, "the shut-out is stored", func() bool {
		var stored bool
		err := control.Pool().QueryRow(t.Context(), "SELECT count(until) > 0 FROM shut_outs WHERE ref = $1", hostile.Ref).Scan(&stored)
		return err == nil && stored
	})
	health := reeve.Manage(t, http.MethodGet, "/v1/projects/"+hostile.Ref+"/health?services=auth&services=db_postgres_user", nil).Expect(t, 200)
	if body := string(health.Body); strings.Count(body, "ACTIVE_HEALTHY") != 1 || !strings.Contains(body, "cannot log in until") {
		t.Errorf("health: %s", body)
	}

	// A restarted process continues the shut-out, even where the roles lost it.
	reeve.Stop()
	admin := servertest.Connect(t, cluster.URL())
	owner := pgx.Identifier{"reeve_" + hostile.Ref + "_owner"}.Sanitize()
	if _, err := admin.Exec(t.Context(), "ALTER ROLE "+owner+" LOGIN"); err != nil {
		t.Fatal(err)
	}
	second := reeve.Replica(t, onCluster)
	eventually(t, "the login is suspended again", func() bool { return !canLogin(t, hostile.DatabaseURL) })
	second.Stop()

	// When its time is over, the role may log in.
	if _, err := control.Pool().Exec(t.Context(), "UPDATE shut_outs SET until = now() - interval '1 minute', offended_at = now() - interval '2 minutes'"); err != nil {
		t.Fatal(err)
	}
	reeve.Replica(t, onCluster)
	eventually(t, "the owner role can log in", func() bool { return canLogin(t, hostile.DatabaseURL) })
}

func canLogin(t *testing.T, url string) bool {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		if !loginSuspended(err) {
			t.Fatal(err)
		}
		return false
	}
	_ = conn.Close(t.Context())
	return true
}

func loginSuspended(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "28000"
}
