package server_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
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

// TestConnectionsRunOut: five developers open as many connections as they may, again
// and again, on a server that has no more. Other projects are served, and new ones
// created.
func TestConnectionsRunOut(t *testing.T) {
	t.Parallel()
	cluster := testkit.NewClusterWith(t, map[string]string{"max_connections": "60"})
	reeve := servertest.StartOn(t, cluster.Database(t, "reeve_control"), secret.NewMasterKey(), func(c *config.Config) {
		c.Database.AdminURL = cluster.URL()
		c.Database.TenantConnections = 8
		c.Database.IdleTTL = time.Second
		c.Database.WarmDatabases = 0
		c.Database.OwnerConnections = 12
	})
	quiet := reeve.Project(t, "quiet", map[string]any{"mailer_autoconfirm": true})
	quiet.SignUp(t, "ann@example.com", annPassword)
	ctx, stop := context.WithCancel(t.Context())
	var greedy sync.WaitGroup
	defer greedy.Wait()
	defer stop()
	var opened atomic.Int64
	for i := range 5 {
		url := reeve.Project(t, "greedy"+strconv.Itoa(i), nil).DatabaseURL
		for range 12 {
			greedy.Go(func() {
				for ctx.Err() == nil {
					conn, err := pgx.Connect(ctx, url)
					if err != nil {
						time.Sleep(100 * time.Millisecond)
						continue
					}
					opened.Add(1)
					_, _ = conn.Exec(ctx, "SELECT pg_sleep(600)") // until it is ended
					_ = conn.Close(context.WithoutCancel(ctx))
				}
			})
		}
	}
	eventually(t, "the server's connections are taken", func() bool { return opened.Load() >= 30 })
	for i := range 5 {
		quiet.SignIn(t, "ann@example.com", annPassword)
		created := reeve.Project(t, "new"+strconv.Itoa(i), map[string]any{"mailer_autoconfirm": true})
		created.SignUp(t, "bob@example.com", annPassword)
	}
}
