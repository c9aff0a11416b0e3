// Package guard ends sessions of projects that exhaust resources which all
// databases of a Postgres server share: the lock table, the NOTIFY queue and the
// connections. It
// also ends sessions that run too long, and resets the roles that all projects
// share. It identifies projects only by the names of their roles, and reads
// none of their data.
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
	// strongInterval is short: a lock on a shared catalog stops everything.
	strongInterval = 250 * time.Millisecond
	// sharedInterval is the interval of the other checks of shared resources. A
	// session fills the lock table within seconds.
	sharedInterval = time.Second
	sharedTicks    = int(sharedInterval / strongInterval)
	// overdueInterval is the interval of the checks for overdue sessions and
	// for settings on shared roles.
	overdueInterval = 10 * time.Second
	// tickTimeout limits one round of checks.
	tickTimeout = 10 * time.Second
)

// Guard watches one Postgres server. Several replicas may watch the same one.
type Guard struct {
	// Admin connects to the server as a role that may end the sessions of
	// projects' roles. Its owner closes it after Run returned.
	Admin *pgxpool.Pool
	// Mark is the comment on every role of this installation. Only those roles'
	// overdue sessions are ended, because another installation may use the same
	// server.
	Mark string
	// Limits are set on every role of this installation; none are when zero.
	Limits ConnectionLimits
	Logger *slog.Logger // slog.Default() when nil

	lowered lowered
}

// Run watches until ctx ends; then it returns nil.
func (g *Guard) Run(ctx context.Context) error {
	g.lowered.changed = make(chan struct{}, 1)
	var group sync.WaitGroup
	group.Go(func() { g.every(ctx, sharedInterval, g.watchShared) }) // returns only when its connection broke
	group.Go(func() { g.every(ctx, overdueInterval, limited(g.endOverdue)) })
	group.Go(func() { g.every(ctx, overdueInterval, limited(g.resetSharedRoles)) })
	group.Go(func() { g.every(ctx, connectionsInterval, g.watchConnections) }) // as watchShared
	group.Go(func() { g.keepLimits(ctx) })
	group.Wait()
	return nil
}

// limited is fn with a time limit.
func limited(fn func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, tickTimeout)
		defer cancel()
		return fn(ctx)
	}
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

// Terminate ends a backend of the role at once, if it still runs. A pool.Budget
// calls it for connections whose end it did not see.
func (g *Guard) Terminate(ctx context.Context, role string, pid uint32) {
	// By role too, because the process id may belong to another session by now.
	_, err := g.Admin.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND usename = $2`, int32(pid), role)
	if err != nil && ctx.Err() == nil {
		g.logger().WarnContext(ctx, "a session cannot be ended", "role", role, "pid", pid, "error", err)
	}
}

func (g *Guard) logger() *slog.Logger { return cmp.Or(g.Logger, slog.Default()) }
