package guard

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// The share of a server's resources that one project may hold.
const (
	// lockShare of the lock table, and no less than leastLocks. A full table
	// stops every write of every project. All projects together may hold twice
	// as much.
	lockShare  = 0.25
	leastLocks = 1000
	// When more than queueShare of the NOTIFY queue is in use, transactions
	// that are idle for longer than queueAge are ended: a listening one holds
	// the queue back, and Postgres does not show which ones listen. Above
	// queueFull all transactions of that age are ended. When the queue is full,
	// commits that notify fail, including the control plane's.
	queueShare = 0.05
	queueFull  = 0.5
	queueAge   = 5 * time.Second
)

// These statements must run while the lock table is full: they are prepared,
// and only call functions, because tables would need locks.
const (
	// roleNamesSQL keeps every role in the backend's cache, because ending a
	// session looks up its role. It reads a table, and may fail.
	roleNamesSQL = `SELECT count(oid::regrole::text) FROM pg_roles`
	lockersSQL   = `SELECT l.pid, a.usesysid::regrole::text, l.held
		FROM (SELECT pid, count(*) AS held FROM pg_lock_status() WHERE pid IS NOT NULL GROUP BY pid HAVING count(*) > 30) l,
		     pg_stat_get_activity(l.pid) a
		WHERE a.usesysid IS NOT NULL`
	queueHoldersSQL = `SELECT a.pid, a.usesysid::regrole::text
		FROM pg_stat_get_activity(NULL) a
		WHERE (pg_notification_queue_usage() > $1 AND a.state LIKE 'idle in transaction%' OR pg_notification_queue_usage() > $2)
		  AND clock_timestamp() - a.xact_start > $3::interval AND a.usesysid IS NOT NULL`
	terminateSQL = `SELECT pg_terminate_backend($1)`
)

// watchShared checks the lock table and the NOTIFY queue every second, on a
// separate connection that stays open, until ctx ends or the connection breaks.
func (g *Guard) watchShared(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, g.Admin.Config().ConnConfig.Copy())
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	s := shared{conn: conn, logger: g.logger(), queueShare: queueShare, queueAge: queueAge}
	if err := s.readLockTableSize(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(sharedInterval)
	defer tick.Stop()
	for {
		if err := s.check(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// closeTimeout bounds closing a connection.
const closeTimeout = 5 * time.Second

// shared checks the shared resources on one connection.
type shared struct {
	conn       *pgx.Conn
	logger     *slog.Logger
	maxLocks   int64 // of one project
	queueShare float64
	queueAge   time.Duration
}

func (s *shared) readLockTableSize(ctx context.Context) error {
	var size int64
	err := s.conn.QueryRow(ctx, `SELECT current_setting('max_locks_per_transaction')::bigint *
		(current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint)`).Scan(&size)
	if err != nil {
		return fmt.Errorf("read the size of the lock table: %w", err)
	}
	s.maxLocks = max(int64(float64(size)*lockShare), leastLocks)
	return nil
}

// check ends the sessions of projects that hold too much. It returns an error
// when the connection is unusable.
func (s *shared) check(ctx context.Context) error {
	if err := s.checkLocks(ctx); err != nil {
		return err
	}
	if err := s.checkQueue(ctx); err != nil {
		return err
	}
	_, err := s.conn.Exec(ctx, roleNamesSQL)
	if s.conn.IsClosed() {
		return fmt.Errorf("look roles up: %w", err)
	}
	return nil
}

// session is a backend of a role.
type session struct {
	pid   int32
	role  string
	locks int64
}

func (s *shared) checkLocks(ctx context.Context) error {
	rows, _ := s.conn.Query(ctx, lockersSQL)
	lockers, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l session, err error) {
		return l, row.Scan(&l.pid, &l.role, &l.locks)
	})
	if err != nil {
		return fmt.Errorf("count locks: %w", err)
	}
	held := map[string]int64{}
	for _, l := range lockers {
		if project, ok := projectOfRole(l.role); ok {
			held[project] += l.locks
		}
	}
	exceeding := exceedingProjects(held, s.maxLocks)
	for _, l := range lockers {
		if project, ok := projectOfRole(l.role); ok && exceeding[project] {
			if err := s.terminate(ctx, l, "holds too many locks"); err != nil {
				return err
			}
		}
	}
	return nil
}

// exceedingProjects returns the projects that hold more than most. If all of
// them together hold more than twice that, it adds those that hold the most,
// until the rest is below it.
func exceedingProjects(held map[string]int64, most int64) map[string]bool {
	descending := slices.SortedFunc(maps.Keys(held), func(a, b string) int { return cmp.Compare(held[b], held[a]) })
	var rest int64
	for _, n := range held {
		rest += n
	}
	exceeding := map[string]bool{}
	for _, project := range descending {
		if held[project] <= most && rest <= 2*most {
			break
		}
		exceeding[project] = true
		rest -= held[project]
	}
	return exceeding
}

func (s *shared) checkQueue(ctx context.Context) error {
	rows, _ := s.conn.Query(ctx, queueHoldersSQL, s.queueShare, queueFull, s.queueAge)
	holders, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h session, err error) {
		return h, row.Scan(&h.pid, &h.role)
	})
	if err != nil {
		return fmt.Errorf("look at the NOTIFY queue: %w", err)
	}
	for _, h := range holders {
		if _, ok := projectOfRole(h.role); ok {
			if err := s.terminate(ctx, h, "holds back the NOTIFY queue"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *shared) terminate(ctx context.Context, one session, why string) error {
	s.logger.WarnContext(ctx, "a session of a project is ended", "role", one.role, "pid", one.pid, "cause", why, "locks", one.locks)
	_, err := s.conn.Exec(ctx, terminateSQL, one.pid)
	if err != nil && !s.conn.IsClosed() { // the others must be ended all the same
		s.logger.WarnContext(ctx, "a session cannot be ended", "role", one.role, "pid", one.pid, "error", err)
		return nil
	}
	return err
}

var projectRole = regexp.MustCompile(`^reeve_[a-z]{20}_(owner|auth|api)$`)

// projectOfRole returns the common prefix of a project's role names.
func projectOfRole(role string) (string, bool) {
	i := strings.LastIndexByte(role, '_')
	return role[:max(i, 0)], i > 0 && projectRole.MatchString(role)
}
