// Package guard ends sessions of projects that harm what all databases of a
// Postgres server share: the lock table and the NOTIFY queue. It also ends
// sessions that run too long, and resets the roles that all projects share. It
// knows projects by the names of their roles only, and reads nothing of theirs.
package guard

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// sharedInterval is short: a session fills the lock table within seconds.
	sharedInterval = time.Second
	// overdueInterval is the time between two looks for overdue sessions and for
	// settings on shared roles.
	overdueInterval = 10 * time.Second
)

// Guard watches one Postgres server. Any number of replicas may watch the same.
type Guard struct {
	// Admin connects to the server as a role that may end the sessions of
	// projects' roles. Its owner closes it after Run returned.
	Admin *pgxpool.Pool
	// Mark is the comment on every role of this installation. Sessions that run too
	// long are ended by those roles only, since another installation may use the
	// same server.
	Mark   string
	Logger *slog.Logger // slog.Default() when nil
}

// Run watches until ctx ends; then it returns nil.
func (g *Guard) Run(ctx context.Context) error {
	var group sync.WaitGroup
	group.Go(func() { g.every(ctx, sharedInterval, g.watchShared) }) // returns only when its connection broke
	group.Go(func() { g.every(ctx, overdueInterval, g.endOverdue) })
	group.Go(func() { g.every(ctx, overdueInterval, g.resetSharedRoles) })
	group.Wait()
	return nil
}

// every calls fn at once, and again at each interval.
func (g *Guard) every(ctx context.Context, interval time.Duration, fn func(context.Context) error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := fn(ctx); err != nil && ctx.Err() == nil {
			g.logger().WarnContext(ctx, "guard", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Terminate ends a backend of the role at once, if it still runs. It is what a
// pool.Budget needs for connections whose end it did not see.
func (g *Guard) Terminate(ctx context.Context, role string, pid uint32) {
	// By role too: the process id may belong to another session by now.
	_, err := g.Admin.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND usename = $2`, int32(pid), role)
	if err != nil && ctx.Err() == nil {
		g.logger().WarnContext(ctx, "a session cannot be ended", "role", role, "pid", pid, "error", err)
	}
}

func (g *Guard) logger() *slog.Logger { return cmp.Or(g.Logger, slog.Default()) }
