package guard

import (
	"cmp"
	"context"
	"errors"
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
	// A listening session reads the NOTIFY queue only between transactions, and
	// holds the queue back until then. Postgres does not show which sessions
	// listen. So, when more than queueShare of the queue is in use, the sessions
	// that have been busy for longer than queueAge are ended one by one, the
	// oldest first, until the queue is below that share. Above queueFull all of
	// them are ended.
	queueShare = 0.05
	queueFull  = 0.5
	queueAge   = 5 * time.Second
)

// These statements must run while the lock table is full, and while others wait
// for locks on the shared catalogs: they are prepared, and only call functions.
const (
	clearSQL = `SELECT pg_stat_clear_snapshot()`
	// rolesSQL brings every role into the backend's cache.
	rolesSQL   = `SELECT oid, oid::regrole::text FROM pg_roles`
	roleSQL    = `SELECT oid::regrole::text FROM pg_roles WHERE oid = $1`
	lockersSQL = `SELECT l.pid, a.usesysid, l.held
		FROM (SELECT pid, count(*) AS held FROM pg_lock_status() WHERE pid IS NOT NULL GROUP BY pid HAVING count(*) > 30) l,
		     pg_stat_get_activity(l.pid) a
		WHERE a.usesysid IS NOT NULL`
	queueUsageSQL = `SELECT pg_notification_queue_usage(), clock_timestamp()`
	// busySQL: xact_start alone is not the age, because a procedure can commit in
	// a loop. A session that is idle and in a transaction is sending
	// notifications to its client; its xact_start is that of its last statement.
	busySQL = `SELECT a.pid, a.usesysid, a.backend_start,
		       CASE a.state WHEN 'idle' THEN clock_timestamp() ELSE coalesce(least(a.xact_start, a.query_start), clock_timestamp()) END
		FROM pg_stat_get_activity(NULL) a
		WHERE (a.state <> 'idle' OR a.xact_start IS NOT NULL) AND a.usesysid IS NOT NULL AND a.backend_start IS NOT NULL`
	goneSQL      = `SELECT NOT EXISTS (SELECT FROM pg_stat_get_activity($1) a)`
	terminateSQL = `SELECT pg_terminate_backend($1)`
	// strongSQL: database 0 stands for what all databases share.
	strongSQL = `SELECT DISTINCT ON (l.pid) l.pid, a.usesysid, l.mode, coalesce(l.relation, l.classid)
		FROM pg_lock_status() l, pg_stat_get_activity(l.pid) a
		WHERE l.database = 0 AND l.locktype IN ('relation', 'object')
		  AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
		  AND a.usesysid IS NOT NULL
		ORDER BY l.pid, l.granted`
	// waitingSQL: for each session that waits for a lock of this one, its role and
	// those of the other sessions that it waits for.
	waitingSQL = `SELECT coalesce(a.usesysid, 0), array_agg(b.usesysid) FILTER (WHERE b.usesysid IS NOT NULL AND b.pid <> pg_backend_pid())
		FROM pg_lock_status() l
		LEFT JOIN LATERAL pg_stat_get_activity(l.pid) a ON true
		CROSS JOIN LATERAL unnest(pg_blocking_pids(l.pid)) blocking(pid)
		LEFT JOIN LATERAL pg_stat_get_activity(blocking.pid) b ON true
		WHERE NOT l.granted
		GROUP BY l.pid, a.usesysid HAVING bool_or(blocking.pid = pg_backend_pid())`
	sessionRolesSQL = `SELECT DISTINCT usesysid FROM pg_stat_get_activity(NULL) WHERE usesysid IS NOT NULL`
	// blockedSQL: a row for each pair of a session that waits for something that
	// all databases share, and one that it waits for. A session without a role is
	// connecting. The last columns say whether the first one waits for a strong
	// lock, and whether they meet at a database that is not the second one's.
	blockedSQL = `SELECT DISTINCT b.pid, b.usesysid, coalesce(a.usesysid, 0),
		       l.locktype IN ('relation', 'object') AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'),
		       coalesce(l.locktype = 'object' AND l.classid = 1262 AND l.objid <> b.datid, false)
		FROM pg_lock_status() l
		LEFT JOIN LATERAL pg_stat_get_activity(l.pid) a ON true
		CROSS JOIN LATERAL unnest(pg_blocking_pids(l.pid)) blocking(pid)
		CROSS JOIN LATERAL pg_stat_get_activity(blocking.pid) b
		WHERE NOT l.granted AND (l.database = 0 OR l.database IS NULL AND a.datid IS DISTINCT FROM b.datid)
		  AND l.waitstart < clock_timestamp() - $1::interval AND b.usesysid IS NOT NULL`
)

// watchShared checks the shared resources on a separate connection that stays
// open, until ctx ends or the connection breaks.
func (g *Guard) watchShared(ctx context.Context) error {
	conn, err := g.connect(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	s := newShared(conn, g.logger())
	s.offend = g.offend
	s.tell, s.note = g.tell, g.ended
	if err := limited(s.prepare)(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(strongInterval)
	defer tick.Stop()
	for i := 0; ; i++ {
		look := s.checkOften
		if i%sharedTicks == 0 {
			look = s.check
		}
		if err := limited(look)(ctx); err != nil && ctx.Err() == nil {
			if conn.IsClosed() {
				return err
			}
			g.logger().WarnContext(ctx, "guard", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (g *Guard) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, tickTimeout)
	defer cancel()
	return pgx.ConnectConfig(ctx, g.Admin.Config().ConnConfig.Copy())
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
	// busySince is kept while the queue is not empty: a client that sends
	// "COMMIT; BEGIN" is never idle, and its transactions are always young.
	busySince map[backend]time.Time

	lockCatalogs string // the statement
	heldSince    time.Time
	roles        map[uint32]string   // names by oid
	ended        map[int32]time.Time // sessions that were ended, by process id

	offend func(role, cause string) // counts an offence of a project
	tell   func(ctx context.Context, role, cause string)
	note   func(pid int32, role string) // of a session that was ended
}

func newShared(conn *pgx.Conn, logger *slog.Logger) *shared {
	return &shared{
		conn: conn, logger: logger, queueShare: queueShare, queueAge: queueAge, ended: map[int32]time.Time{},
		offend: func(string, string) {}, tell: func(context.Context, string, string) {}, note: func(int32, string) {},
	}
}

// backend identifies a session, because process ids are used again.
type backend struct {
	pid     int32
	started int64 // in microseconds
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

// check makes all checks. What must not wait is first.
func (s *shared) check(ctx context.Context) error {
	return s.each(ctx, s.endStrong, s.checkLocks, s.hold, s.readSessionRoles, s.endBlockers, s.yield, s.checkQueue)
}

// checkOften makes the checks of what stops other projects at once.
func (s *shared) checkOften(ctx context.Context) error { return s.each(ctx, s.endStrong, s.checkLocks) }

// each makes the checks, those after a failed one too, unless the connection
// broke.
func (s *shared) each(ctx context.Context, checks ...func(context.Context) error) error {
	var all []error
	for _, check := range checks {
		err := s.resume(ctx)
		if err == nil {
			err = check(ctx)
		}
		if all = append(all, err); s.conn.IsClosed() {
			return errors.Join(all...)
		}
	}
	return errors.Join(append(all, s.resume(ctx))...)
}

// session is a backend of a role.
type session struct {
	pid    int32
	roleID uint32
	role   string
	locks  int64
	since  time.Time // busy since then
}

// nameRoles sets the names of the sessions' roles.
func (s *shared) nameRoles(ctx context.Context, sessions []session) {
	for i := range sessions {
		sessions[i].role = s.roleName(ctx, sessions[i].roleID)
	}
}

func (s *shared) checkLocks(ctx context.Context) error {
	rows, _ := s.conn.Query(ctx, lockersSQL)
	lockers, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l session, err error) {
		return l, row.Scan(&l.pid, &l.roleID, &l.locks)
	})
	if err != nil {
		return fmt.Errorf("count locks: %w", err)
	}
	s.nameRoles(ctx, lockers)
	held := map[string]int64{}
	for _, l := range lockers {
		if project, ok := projectOfRole(l.role); ok {
			held[project] += l.locks
		}
	}
	exceeding, offended := exceedingProjects(held, s.maxLocks), map[string]string{}
	for _, l := range lockers {
		if project, ok := projectOfRole(l.role); ok && exceeding[project] {
			first, err := s.terminate(ctx, l, tooManyLocks)
			if err != nil {
				return err
			}
			if first && held[project] > s.maxLocks {
				offended[project] = l.role
			}
		}
	}
	for _, role := range offended {
		s.offend(role, tooManyLocks)
	}
	return nil
}

const tooManyLocks = "holds too many locks"

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
	usage, now, err := s.queueUsage(ctx)
	if err != nil {
		return err
	}
	if usage == 0 {
		s.busySince = nil
		return nil
	}
	busy, err := s.busySessions(ctx)
	if err != nil {
		return err
	}
	for _, one := range busy {
		if usage <= s.queueShare || now.Sub(one.since) <= s.queueAge {
			return nil
		}
		if _, err := s.terminate(ctx, one, "may hold back the NOTIFY queue"); err != nil {
			return err
		}
		if usage > queueFull {
			continue
		}
		if err := s.awaitEnd(ctx, one.pid); err != nil {
			return err
		}
		if usage, now, err = s.queueUsage(ctx); err != nil {
			return err
		}
	}
	return nil
}

// queueUsage returns the share of the NOTIFY queue that is in use, and the
// server's time.
func (s *shared) queueUsage(ctx context.Context) (usage float64, now time.Time, err error) {
	if err := s.conn.QueryRow(ctx, queueUsageSQL).Scan(&usage, &now); err != nil {
		return 0, time.Time{}, fmt.Errorf("look at the NOTIFY queue: %w", err)
	}
	return usage, now, nil
}

// busySessions returns the projects' sessions that do not read the NOTIFY queue
// now, the oldest first.
func (s *shared) busySessions(ctx context.Context) ([]session, error) {
	rows, _ := s.conn.Query(ctx, busySQL)
	since := map[backend]time.Time{}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (one session, err error) {
		var started time.Time
		err = row.Scan(&one.pid, &one.roleID, &started, &one.since)
		id := backend{pid: one.pid, started: started.UnixMicro()}
		if earlier, ok := s.busySince[id]; ok && earlier.Before(one.since) {
			one.since = earlier
		}
		since[id] = one.since
		return one, err
	})
	if err != nil {
		return nil, fmt.Errorf("look for sessions that hold back the NOTIFY queue: %w", err)
	}
	s.busySince = since
	s.nameRoles(ctx, all)
	busy := slices.DeleteFunc(all, func(one session) bool {
		_, ok := projectOfRole(one.role)
		return !ok
	})
	slices.SortFunc(busy, func(a, b session) int { return a.since.Compare(b.since) })
	return busy, nil
}

// awaitEnd waits for the end of a terminated backend, at most endTries times
// endPause.
func (s *shared) awaitEnd(ctx context.Context, pid int32) error {
	for range endTries {
		var gone bool
		if err := s.conn.QueryRow(ctx, goneSQL, pid).Scan(&gone); err != nil || gone {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(endPause):
		}
	}
	return nil
}

const (
	endTries = 20
	endPause = 10 * time.Millisecond
)

// terminate ends a session. It returns false if that was done a moment ago, and
// an error when the connection broke: others must be ended in any case.
func (s *shared) terminate(ctx context.Context, one session, why string) (first bool, err error) {
	maps.DeleteFunc(s.ended, func(_ int32, at time.Time) bool { return time.Since(at) > endingTime })
	if _, again := s.ended[one.pid]; !again {
		first = true
		s.ended[one.pid] = time.Now()
		s.logger.WarnContext(ctx, "a session of a project is ended", "role", one.role, "pid", one.pid, "cause", why)
		s.tell(ctx, one.role, why)
		s.note(one.pid, one.role)
	}
	if _, err = s.conn.Exec(ctx, terminateSQL, one.pid); err != nil && !s.conn.IsClosed() {
		s.logger.WarnContext(ctx, "a session cannot be ended", "role", one.role, "pid", one.pid, "error", err)
		err = s.resume(ctx)
	}
	return first, err
}

// endingTime is how long a session may take to end.
const endingTime = 10 * time.Second

var projectRole = regexp.MustCompile(`^reeve_[a-z]{20}_(owner|auth|api|query)$`)

// projectOfRole returns the common prefix of a project's role names.
func projectOfRole(role string) (string, bool) {
	i := strings.LastIndexByte(role, '_')
	return role[:max(i, 0)], i > 0 && projectRole.MatchString(role)
}
