// Package guard ends sessions of projects that exhaust resources which all
// databases of a Postgres server share: locks on shared catalogs, the lock table,
// the NOTIFY queue, the connections and the processors. It suspends the logins of projects that
// repeat it. It also ends sessions that run too long, and resets the roles that
// all projects share. It identifies projects only by the names of their roles, and
// reads none of their data.
package guard

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/reevehq/reeve/internal/projectlog"
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
	// projects' roles. Its owner closes it after Run returned. The guard's own
	// checks use other connections, so that they never wait for one of these.
	Admin *pgxpool.Pool
	// Mark is the comment on every role of this installation. Only those roles'
	// overdue sessions are ended, because another installation may use the same
	// server.
	Mark string
	// Limits are set on every role of this installation; none are when zero.
	Limits ConnectionLimits
	Store  Store            // without one, shut-outs last as long as the process
	Logins Logins           // without one, logins are not restored
	Log    *projectlog.Log  // of the projects whose sessions are ended; may be nil
	Logger *slog.Logger     // slog.Default() when nil
	Now    func() time.Time // time.Now when nil

	once      sync.Once
	state     state
	lowered   lowered
	survivors survivors
}

// state is what a Guard needs while it runs.
type state struct {
	pool     *pgxpool.Pool
	err      error // of opening the pool
	offences *offences
}

// poolConns is the number of connections of the checks that may wait: three that
// wait for a lock, and one that ends what they wait for.
const poolConns = 4

// open creates the pool of connections, without connecting.
func (g *Guard) open() error {
	g.once.Do(func() {
		cfg := g.Admin.Config()
		cfg.MinConns, cfg.MaxConns = 1, poolConns
		cfg.ConnConfig.RuntimeParams["lock_timeout"] = lockTimeout.String()
		g.state.offences = newOffences()
		g.state.pool, g.state.err = pgxpool.NewWithConfig(context.Background(), cfg)
	})
	return g.state.err
}

func (g *Guard) close() {
	if g.open() == nil {
		g.state.pool.Close()
	}
}

// Run watches until ctx ends; then it returns nil. It may be called once.
func (g *Guard) Run(ctx context.Context) error {
	if err := g.open(); err != nil {
		return err
	}
	defer g.close()
	g.lowered.changed = make(chan struct{}, 1)
	var group sync.WaitGroup
	group.Go(func() { g.loop(ctx, sharedInterval, nil, g.watchShared) }) // returns only when its connection broke
	group.Go(func() { g.loop(ctx, suspendInterval, g.state.offences.suspend, limited(g.suspendLogins)) })
	group.Go(func() { g.loop(ctx, overdueInterval, nil, limited(g.endOverdue)) })
	group.Go(func() { g.loop(ctx, overdueInterval, nil, limited(g.resetSharedRoles)) })
	group.Go(func() { g.loop(ctx, connectionsInterval, nil, g.watchConnections) }) // as watchShared
	group.Go(func() { g.loop(ctx, processorsInterval, nil, limited(newProcessors(g).check)) })
	group.Go(func() { g.loop(ctx, survivorInterval, nil, limited(g.reportSurvivors)) })
	group.Go(func() { g.loop(ctx, limitsInterval, g.lowered.changed, limited(g.setLimits)) })
	group.Go(func() { g.loop(ctx, saveInterval, g.state.offences.save, limited(g.exchangeShutOuts)) })
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

// loop calls fn at once, at each interval and each time that it is woken, until
// ctx ends.
func (g *Guard) loop(ctx context.Context, interval time.Duration, woken <-chan struct{}, fn func(context.Context) error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := fn(ctx); err != nil && ctx.Err() == nil {
			g.logger().WarnContext(ctx, "guard", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-woken:
		case <-tick.C:
		}
	}
}

// Terminate ends a backend of the role at once, if it still runs. A pool.Budget
// calls it for connections whose end it did not see.
func (g *Guard) Terminate(ctx context.Context, role string, pid uint32) {
	// By role too, because the process id may belong to another session by now.
	tag, err := g.Admin.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND usename = $2`, int32(pid), role)
	if tag.RowsAffected() > 0 {
		g.ended(int32(pid), role)
	}
	if err != nil && ctx.Err() == nil {
		g.logger().WarnContext(ctx, "a session cannot be ended", "role", role, "pid", pid, "error", err)
	}
}

func (g *Guard) now() time.Time {
	if g.Now != nil {
		return g.Now()
	}
	return time.Now()
}

func (g *Guard) logger() *slog.Logger { return cmp.Or(g.Logger, slog.Default()) }
