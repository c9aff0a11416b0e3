package provision

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// guardTick is how often the server is looked at for what takes seconds to stop
// everybody.
const guardTick = time.Second

// What of the things that all databases of a server share one project may hold.
const (
	// lockShare of the lock table, and no less than leastLocks. Whoever fills the
	// table stops every write of every project.
	lockShare  = 0.25 // and twice as much all projects together
	leastLocks = 1000
	// queueShare of the NOTIFY queue may be used before transactions that sit idle
	// for longer than queueHeld are ended: one that listens holds the queue back, and
	// which do is not to be seen. At queueFull all are. Commits that notify fail when
	// it is full, as those of the control plane do.
	queueShare = 0.05
	queueFull  = 0.5
	queueHeld  = 5 * time.Second
)

// The statements of the guard must run while the lock table is full: they call
// functions only, since tables would need locks, and they are prepared.
const (
	// guardRoles keeps every role in the backend's cache: to end a session the
	// server looks its role up. It reads a table, and may fail.
	guardRoles = `SELECT count(oid::regrole::text) FROM pg_roles`
	guardLocks = `SELECT l.pid, a.usesysid::regrole::text, l.held
		FROM (SELECT pid, count(*) AS held FROM pg_lock_status() WHERE pid IS NOT NULL GROUP BY pid HAVING count(*) > 30) l,
		     pg_stat_get_activity(l.pid) a
		WHERE a.usesysid IS NOT NULL`
	guardQueue = `SELECT a.pid, a.usesysid::regrole::text
		FROM pg_stat_get_activity(NULL) a
		WHERE (pg_notification_queue_usage() > $1 AND a.state LIKE 'idle in transaction%' OR pg_notification_queue_usage() > $2)
		  AND clock_timestamp() - a.xact_start > $3::interval AND a.usesysid IS NOT NULL`
	guardEnd = `SELECT pg_terminate_backend($1)`
)

// guard looks at the server every second, on a connection of its own that stays
// open, until ctx ends.
func (s *Service) guard(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig.Copy())
	if err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	defer closeConn(conn)
	g := guard{Service: s, conn: conn, queueShare: queueShare, queueHeld: queueHeld}
	if err := g.measure(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(guardTick)
	defer tick.Stop()
	for {
		if err := g.look(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

type guard struct {
	*Service
	conn       *pgx.Conn
	allowed    int64 // locks of one project
	queueShare float64
	queueHeld  time.Duration
}

// measure reads the size of the lock table.
func (g *guard) measure(ctx context.Context) error {
	var size int64
	err := g.conn.QueryRow(ctx, `SELECT current_setting('max_locks_per_transaction')::bigint *
		(current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint)`).Scan(&size)
	if err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	g.allowed = max(int64(float64(size)*lockShare), leastLocks)
	return nil
}

// look ends the sessions of whoever holds too much. It fails when the connection
// is of no more use.
func (g *guard) look(ctx context.Context) error {
	if err := g.locks(ctx); err != nil {
		return err
	}
	if err := g.queue(ctx); err != nil {
		return err
	}
	_, err := g.conn.Exec(ctx, guardRoles)
	if g.conn.IsClosed() {
		return fmt.Errorf("guard: look roles up: %w", err)
	}
	return nil
}

type heldBy struct {
	pid  int32
	role string
	held int64
}

func (g *guard) locks(ctx context.Context) error {
	rows, _ := g.conn.Query(ctx, guardLocks)
	holders, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h heldBy, err error) {
		return h, row.Scan(&h.pid, &h.role, &h.held)
	})
	if err != nil {
		return fmt.Errorf("guard: count locks: %w", err)
	}
	ofProject := map[string]int64{}
	for _, h := range holders {
		if project, ok := projectOfRole(h.role); ok {
			ofProject[project] += h.held
		}
	}
	greedy := tooGreedy(ofProject, g.allowed)
	for _, h := range holders {
		if project, ok := projectOfRole(h.role); ok && greedy[project] {
			if err := g.end(ctx, h, "holds too many locks"); err != nil {
				return err
			}
		}
	}
	return nil
}

// tooGreedy names the projects that hold more than allowed, and, where all of
// them hold more than twice that together, those that hold the most.
func tooGreedy(held map[string]int64, allowed int64) map[string]bool {
	most := slices.SortedFunc(maps.Keys(held), func(a, b string) int { return cmp.Compare(held[b], held[a]) })
	var all int64
	for _, n := range held {
		all += n
	}
	greedy := map[string]bool{}
	for _, project := range most {
		if held[project] <= allowed && all <= 2*allowed {
			break
		}
		greedy[project] = true
		all -= held[project]
	}
	return greedy
}

func (g *guard) queue(ctx context.Context) error {
	rows, _ := g.conn.Query(ctx, guardQueue, g.queueShare, queueFull, g.queueHeld)
	holders, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h heldBy, err error) {
		return h, row.Scan(&h.pid, &h.role)
	})
	if err != nil {
		return fmt.Errorf("guard: look at the NOTIFY queue: %w", err)
	}
	for _, h := range holders {
		if _, ok := projectOfRole(h.role); ok {
			if err := g.end(ctx, h, "holds back the NOTIFY queue"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *guard) end(ctx context.Context, h heldBy, why string) error {
	g.Logger.WarnContext(ctx, "a session of a project is ended", "role", h.role, "pid", h.pid, "cause", why, "locks", h.held)
	_, err := g.conn.Exec(ctx, guardEnd, h.pid)
	if err != nil && !g.conn.IsClosed() { // the others must end all the same
		g.Logger.WarnContext(ctx, "a session cannot be ended", "role", h.role, "pid", h.pid, "error", err)
		return nil
	}
	return err
}

var projectRole = regexp.MustCompile(`^reeve_[a-z]{20}_(owner|auth|api)$`)

// projectOfRole gives what the names of a project's roles have in common.
func projectOfRole(role string) (string, bool) {
	i := strings.LastIndexByte(role, '_')
	return role[:max(i, 0)], i > 0 && projectRole.MatchString(role)
}
