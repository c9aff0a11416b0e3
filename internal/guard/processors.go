package guard

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// All projects share the server's processors, and Postgres divides them among
// processes, not among projects. When several sessions of a project compute for
// seconds while the processors are overloaded, the guard cancels their statements
// but for a few, and ends the sessions when the project goes on.
const (
	processorsInterval = 500 * time.Millisecond
	// keptComputing is the number of processes that a project may always have
	// computing.
	keptComputing = 2
	// computingLooks is in how many looks in a row a project must have more.
	computingLooks = 3
	// A session of the auth or the api role counts only when its statement is older
	// than statementAge, or when it computed in sessionLooks looks in a row. Those of
	// Reeve compute for moments: many at a time are a project's many requests.
	statementAge = 2 * time.Second
	sessionLooks = 4
	// overloaded is how many times longer than alone the probe takes when the
	// processors are overloaded: about three processes for each.
	overloaded = 3
	// A project loses its sessions, not only their statements, when it has more than
	// manyComputing processes, or too many again within computingAgain.
	manyComputing  = 8
	computingAgain = time.Minute
)

// computingSQL: a process that waits for the disk or for other processes of its
// query counts as computing.
const computingSQL = `SELECT a.pid, r.rolname::text, coalesce(a.query_start, a.backend_start), clock_timestamp() - coalesce(a.query_start, a.backend_start) > $2::interval,
		1 + (SELECT count(*) FROM pg_stat_get_activity(NULL) w WHERE w.leader_pid = a.pid AND w.pid <> a.pid)
	FROM pg_stat_get_activity(NULL) a JOIN pg_roles r ON r.oid = a.usesysid
	WHERE a.state = 'active' AND a.backend_type = 'client backend' AND coalesce(a.wait_event_type, '') IN ('', 'IO', 'LWLock', 'BufferPin', 'IPC')
	  AND r.rolname ~ '^reeve_[a-z]{20}_(auth|api|owner|query)$' AND shobj_description(r.oid, 'pg_authid') = $1`

// probeSQL takes some milliseconds of a processor.
const probeSQL = `SELECT count(*) FROM generate_series(1, 100000)`

// processors watches who computes. Only one goroutine uses it.
type processors struct {
	guard *Guard
	// looks counts the looks in a row in which a project had too many processes,
	// and sessions those in which a session computed.
	looks    map[string]int
	sessions map[int32]int
	acted    map[string]time.Time // when statements of a project were ended last
	best     time.Duration        // of the probe
	// overload reports whether the processors are overloaded.
	overload func(ctx context.Context) (bool, error)
}

func newProcessors(g *Guard) *processors {
	p := &processors{guard: g, looks: map[string]int{}, sessions: map[int32]int{}, acted: map[string]time.Time{}, best: math.MaxInt64}
	p.overload = p.probe
	return p
}

// computing is a session that computes.
type computing struct {
	session
	long      bool // its statement is older than statementAge
	processes int  // with its parallel workers
}

func (p *processors) check(ctx context.Context) error {
	if p.best == math.MaxInt64 {
		if _, err := p.probe(ctx); err != nil {
			return err
		}
	}
	rows, _ := p.guard.state.pool.Query(ctx, computingSQL, p.guard.Mark, statementAge)
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c computing, err error) {
		return c, row.Scan(&c.pid, &c.role, &c.since, &c.long, &c.processes)
	})
	if err != nil {
		return fmt.Errorf("look for sessions that compute: %w", err)
	}
	now, greedy := p.guard.now(), p.greedy(all)
	maps.DeleteFunc(p.acted, func(_ string, at time.Time) bool { return now.Sub(at) > computingAgain })
	if len(greedy) == 0 {
		return nil
	}
	if yes, err := p.overload(ctx); err != nil || !yes {
		return err
	}
	for project, sessions := range greedy {
		if err := p.end(ctx, project, sessions, now); err != nil {
			return err
		}
	}
	return nil
}

// greedy returns, for each project that has had too many processes for several
// looks, the sessions to end.
func (p *processors) greedy(all []computing) map[string][]computing {
	by, sessions := map[string][]computing{}, map[int32]int{}
	for _, c := range all {
		sessions[c.pid] = p.sessions[c.pid] + 1
		counts := c.long || sessions[c.pid] >= sessionLooks || ofDeveloper(c.role)
		if project, ok := projectOfRole(c.role); ok && counts {
			by[project] = append(by[project], c)
		}
	}
	p.sessions = sessions
	looks, greedy := map[string]int{}, map[string][]computing{}
	for project, sessions := range by {
		over := beyond(sessions, keptComputing)
		if len(over) == 0 {
			continue
		}
		if looks[project] = p.looks[project] + 1; looks[project] >= computingLooks {
			greedy[project] = over
		}
	}
	p.looks = looks
	return greedy
}

// beyond returns the sessions that must end so that not more than kept processes
// compute, those of the oldest statements first. A query with parallel workers
// that is alone goes on.
func beyond(sessions []computing, kept int) []computing {
	slices.SortFunc(sessions, func(a, b computing) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.pid, b.pid))
	})
	processes := 0
	for _, c := range sessions {
		processes += c.processes
	}
	n := 0
	for ; n < len(sessions)-1 && processes > kept; n++ {
		processes -= sessions[n].processes
	}
	return sessions[:n]
}

// end cancels the statements of a project's sessions. If they are many, or that was
// done already a moment ago, it ends the sessions and lowers the project's
// connection limits.
func (p *processors) end(ctx context.Context, project string, sessions []computing, now time.Time) error {
	function, pids, processes := "pg_cancel_backend", make([]int32, len(sessions)), 0
	for i, c := range sessions {
		pids[i] = c.pid
		processes += c.processes
	}
	if _, again := p.acted[project]; again || processes+keptComputing > manyComputing {
		function = "pg_terminate_backend"
		p.guard.lowered.lower(project, keptComputing, now)
		for _, c := range sessions {
			p.guard.ended(c.pid, c.role)
		}
	}
	p.acted[project] = now
	p.guard.logger().WarnContext(ctx, "statements of a project are ended", "project", project, "sessions", len(sessions),
		"cause", "the processors are overloaded", "by", function)
	p.guard.tell(ctx, sessions[0].role, fmt.Sprintf("more than %d processes computed at the same time while the processors were overloaded", keptComputing))
	_, err := p.guard.state.pool.Exec(ctx, "SELECT "+function+"(pid) FROM pg_stat_activity WHERE pid = ANY ($1) AND usename::text ^@ $2", pids, project)
	if err != nil {
		return fmt.Errorf("end statements of %s: %w", project, err)
	}
	return nil
}

// probe computes something in Postgres and compares its time with the best one.
// So it sees the load of the machine that Postgres runs on, however many
// processors that has.
func (p *processors) probe(ctx context.Context) (bool, error) {
	conn, err := p.guard.state.pool.Acquire(ctx)
	if err != nil {
		return false, fmt.Errorf("probe the processors: %w", err)
	}
	defer conn.Release()
	begun := time.Now()
	if _, err := conn.Exec(ctx, probeSQL); err != nil {
		return false, fmt.Errorf("probe the processors: %w", err)
	}
	took := time.Since(begun)
	p.best = min(p.best, took)
	return took > overloaded*p.best, nil
}
