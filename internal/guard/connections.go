package guard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// All projects share the server's connections. When fewer than a reserve are free,
// the guard ends sessions of the projects that hold the most. A project that comes
// back at once gets lower connection limits for a while.
const (
	connectionsInterval = 500 * time.Millisecond
	// comesBack is after how long the guard looks again when it has ended sessions:
	// who comes back at once takes the connections that others wait for.
	comesBack = 100 * time.Millisecond
	// The reserve is reserveShare of the connections, at least leastReserve, and
	// at most mostReserve of them.
	reserveShare = 0.1
	leastReserve = 10
	mostReserve  = 0.25
	// keptSessions of a project's auth and api roles are never ended, so that
	// Reeve serves every project.
	keptSessions = 2
	// A project that exceeds its share again within lowerWithin gets lower limits
	// for shortestLower, and for twice as long each further time.
	lowerWithin   = 10 * time.Second
	shortestLower = time.Minute
	longestLower  = time.Hour
	// limitsInterval is the interval at which the limits of all roles are compared
	// with the configured ones.
	limitsInterval = time.Minute
)

// Connections is how many connections a Guard keeps open besides Admin's.
const Connections = 2 + poolConns

// ConnectionLimits are the limits of each project's roles.
type ConnectionLimits struct {
	Owner int
	Reeve int // of the auth and the api role, over all replicas
	Query int // of the query role, likewise; Reeve when zero
}

// of returns the limit of a role.
func (l ConnectionLimits) of(role string) int {
	switch {
	case strings.HasSuffix(role, ownerSuffix):
		return l.Owner
	case strings.HasSuffix(role, querySuffix):
		return cmp.Or(l.Query, l.Reeve)
	}
	return l.Reeve
}

const (
	ownerSuffix = "_owner"
	querySuffix = "_query"
)

// ofDeveloper reports whether a role runs the developer's SQL only.
func ofDeveloper(role string) bool {
	return strings.HasSuffix(role, ownerSuffix) || strings.HasSuffix(role, querySuffix)
}

// ReserveOf returns how many of a server's connections are kept free.
func ReserveOf(maxConnections int) int {
	return min(max(leastReserve, int(float64(maxConnections)*reserveShare)), int(float64(maxConnections)*mostReserve))
}

// sessionsSQL: what a role may not see is NULL, and counts as a connection unless
// it belongs to no role.
const sessionsSQL = `SELECT a.pid, a.usesysid::regrole::text,
	CASE WHEN a.state = 'idle' THEN 0 WHEN a.state LIKE 'idle in transaction%' THEN 1 ELSE 2 END,
	coalesce(a.state_change, clock_timestamp())
	FROM pg_stat_get_activity(NULL) a
	WHERE a.usesysid IS NOT NULL AND coalesce(a.backend_type, 'client backend') = 'client backend'`

// slots watches the connections on one of them, which stays open: it might not get
// another.
type slots struct {
	guard   *Guard
	conn    *pgx.Conn
	max     int // those that any role may use
	reserve int
	// exceeded is when sessions of a project were ended last.
	exceeded map[string]time.Time
	ended    bool // the last check ended sessions
	warnedAt time.Time
}

// watchConnections keeps the reserve until ctx ends or its connection breaks.
func (g *Guard) watchConnections(ctx context.Context) error {
	conn, err := g.connect(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	s := slots{guard: g, conn: conn, exceeded: map[string]time.Time{}}
	if err := limited(s.measure)(ctx); err != nil {
		return err
	}
	for {
		if err := limited(s.check)(ctx); err != nil {
			return err
		}
		wait := connectionsInterval
		if s.ended {
			wait = comesBack
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

func (s *slots) measure(ctx context.Context) error {
	all, reserved, err := MaxConnections(ctx, s.conn)
	s.max, s.reserve = all-reserved, ReserveOf(all)
	return err
}

// MaxConnections returns max_connections of a server, and how many of them only
// privileged roles may use.
func MaxConnections(ctx context.Context, conn *pgx.Conn) (all, reserved int, err error) {
	err = conn.QueryRow(ctx, `SELECT current_setting('max_connections')::int,
		current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0)`).
		Scan(&all, &reserved)
	if err != nil {
		return 0, 0, fmt.Errorf("read max_connections: %w", err)
	}
	return all, reserved, nil
}

// check ends sessions if fewer connections than the reserve are free.
func (s *slots) check(ctx context.Context) error {
	rows, _ := s.conn.Query(ctx, sessionsSQL)
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c client, err error) {
		return c, row.Scan(&c.pid, &c.role, &c.state, &c.since)
	})
	if err != nil {
		return fmt.Errorf("look at the connections: %w", err)
	}
	missing := s.reserve - (s.max - len(all))
	s.ended = false
	if missing <= 0 {
		return nil
	}
	ended := map[string]int{}
	for _, c := range excess(all, missing) {
		ended[c.project()]++
		s.guard.ended(c.pid, c.role)
		if _, err := s.conn.Exec(ctx, terminateSQL, c.pid); err != nil {
			if s.conn.IsClosed() {
				return err
			}
			s.guard.logger().WarnContext(ctx, "a session cannot be ended", "role", c.role, "pid", c.pid, "error", err)
		}
	}
	now := time.Now()
	s.ended = len(ended) > 0
	if len(ended) == 0 && now.Sub(s.warnedAt) > limitsInterval {
		s.warnedAt = now
		s.guard.logger().WarnContext(ctx, "the server's connections are nearly used up, and not by single projects: raise max_connections",
			"max_connections", s.max, "used", len(all))
	}
	for project, n := range ended {
		s.guard.logger().WarnContext(ctx, "sessions of a project are ended", "project", project, "sessions", n,
			"cause", "the server's connections are nearly used up", "max_connections", s.max, "used", len(all))
		if now.Sub(s.exceeded[project]) < lowerWithin {
			s.guard.lowered.lower(project, remaining(all, project)-n, now)
		}
		s.exceeded[project] = now
	}
	maps.DeleteFunc(s.exceeded, func(_ string, at time.Time) bool { return now.Sub(at) >= lowerWithin })
	return nil
}

// client is a session of any role.
type client struct {
	pid   int32
	role  string
	state int // 0 idle, 1 idle in a transaction, 2 active
	since time.Time
}

// project returns the common prefix of the roles of c's project, or "".
func (c client) project() string {
	if project, ok := projectOfRole(c.role); ok {
		return project
	}
	return ""
}

func (c client) owner() bool { return ofDeveloper(c.role) }

// rank orders a project's sessions: those with the lowest are ended first.
func (c client) rank() int {
	rank := 2 * c.state
	if !c.owner() {
		rank++
	}
	return rank
}

func remaining(all []client, project string) (n int) {
	for _, c := range all {
		if c.project() == project {
			n++
		}
	}
	return n
}

// holder is a project with sessions.
type holder struct {
	project string
	held    int
	endable []client // in the order in which they are ended
}

// excess returns n sessions to end, or fewer: each is one of the project that holds
// the most sessions after those before it have ended.
func excess(all []client, n int) []client {
	byProject := map[string]*holder{}
	for _, c := range all {
		project := c.project()
		if project == "" {
			continue
		}
		if byProject[project] == nil {
			byProject[project] = &holder{project: project}
		}
		byProject[project].held++
		byProject[project].endable = append(byProject[project].endable, c)
	}
	for _, h := range byProject {
		h.sort()
	}
	var out []client
	for range n {
		var most *holder
		for _, h := range byProject {
			if len(h.endable) > 0 && (most == nil || h.before(most)) {
				most = h
			}
		}
		if most == nil {
			break
		}
		out = append(out, most.endable[0])
		most.endable, most.held = most.endable[1:], most.held-1
	}
	return out
}

// sort orders the sessions and leaves out those that are kept.
func (h *holder) sort() {
	slices.SortFunc(h.endable, func(a, b client) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), a.since.Compare(b.since), cmp.Compare(a.pid, b.pid))
	})
	kept := 0
	for i := len(h.endable) - 1; i >= 0 && kept < keptSessions; i-- {
		if !h.endable[i].owner() {
			h.endable = slices.Delete(h.endable, i, i+1)
			kept++
		}
	}
}

// before reports whether a session of h is ended before one of other.
func (h *holder) before(other *holder) bool {
	return cmp.Or(cmp.Compare(other.held, h.held), cmp.Compare(h.endable[0].rank(), other.endable[0].rank()),
		cmp.Compare(h.project, other.project)) < 0
}

// lowered are the projects whose limits are lower for a while.
type lowered struct {
	mu        sync.Mutex
	byProject map[string]lower
	changed   chan struct{}
}

type lower struct {
	limit int // of each role
	until time.Time
	last  time.Duration
}

// lower limits a project's roles to the number of sessions that are left.
func (l *lowered) lower(project string, left int, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, limit := l.byProject[project], max(left, keptSessions)
	switch {
	case !now.Before(one.until):
		one.last = min(max(2*one.last, shortestLower), longestLower)
		one.limit, one.until = limit, now.Add(one.last)
	case limit < one.limit:
		one.limit = limit
	default:
		return // its sessions are older than the limit
	}
	if l.byProject == nil {
		l.byProject = map[string]lower{}
	}
	l.byProject[project] = one
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// limit returns the lower one of most and the project's limit.
func (l *lowered) limit(project string, most int, now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one, ok := l.byProject[project]; ok && now.Before(one.until) {
		return min(most, one.limit)
	}
	return most
}

// forget drops the projects that have kept to their share for long.
func (l *lowered) forget(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.byProject, func(_ string, one lower) bool { return now.Sub(one.until) > longestLower })
}

// setLimits sets the connection limits of all roles of this installation.
func (g *Guard) setLimits(ctx context.Context) error {
	if g.Limits == (ConnectionLimits{}) {
		return nil
	}
	rows, _ := g.state.pool.Query(ctx, `SELECT rolname::text, rolconnlimit FROM pg_roles
		WHERE rolname ~ '^reeve_[a-z]{20}_(auth|api|owner|query)$' AND rolcanlogin AND shobj_description(oid, 'pg_authid') = $1`, g.Mark)
	type limit struct {
		role string
		most int
	}
	roles, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l limit, err error) {
		return l, row.Scan(&l.role, &l.most)
	})
	if err != nil {
		return fmt.Errorf("read connection limits: %w", err)
	}
	now := time.Now()
	g.lowered.forget(now)
	var all []error
	for _, r := range roles {
		project, _ := projectOfRole(r.role)
		most := g.Limits.of(r.role)
		want := g.lowered.limit(project, most, now)
		if want == r.most {
			continue
		}
		if want < most {
			g.logger().WarnContext(ctx, "a project takes too many connections, and may open fewer for a while", "role", r.role, "limit", want)
		}
		err := g.execUnblocked(ctx, fmt.Sprintf("ALTER ROLE %s CONNECTION LIMIT %d", pgx.Identifier{r.role}.Sanitize(), want))
		if err != nil && !changedElsewhere(err) {
			all = append(all, fmt.Errorf("limit the connections of %s: %w", r.role, err))
		}
	}
	return errors.Join(all...)
}

// changedElsewhere reports whether an ALTER ROLE failed because another replica
// altered or dropped the role ("tuple concurrently updated", undefined_object).
func changedElsewhere(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "XX000" || pg.Code == "42704")
}
