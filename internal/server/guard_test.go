package server_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/internal/testkit"
)

// TestGuardWatches: a running process ends the session of a developer who fills
// the lock table that all databases share.
func TestGuardWatches(t *testing.T) {
	t.Parallel()
	cluster := testkit.NewCluster(t) // separate, because the processes of other tests guard theirs
	reeve := servertest.StartOn(t, cluster.Database(t, "reeve_control"), secret.NewMasterKey(), func(c *config.Config) {
		c.Database.AdminURL = cluster.URL()
	})
	developer := servertest.Connect(t, reeve.Project(t, "greedy", nil).DatabaseURL)
	var pg *pgconn.PgError
	eventually(t, "the session is ended", func() bool {
		_, err := developer.Exec(t.Context(), `SELECT pg_advisory_lock(i) FROM generate_series(1,
			current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int / 2) i`)
		if err == nil {
			return false
		}
		if errors.As(err, &pg) && pg.Code != "57P01" {
			t.Fatalf("the statement failed: %v", err)
		}
		return true
	})
}
