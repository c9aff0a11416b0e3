package guard

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// defaultBounds limit the duration of projects' sessions. Timeouts are not
// enough: a session can change its own, and a function can catch a cancel.
// Termination cannot be caught, but a few functions of Postgres do not check for
// it (docs/security.md).
var defaultBounds = bounds{reeveWork: 30 * time.Second, reeveAge: time.Hour, ownerIdle: 10 * time.Minute, ownerWork: 2 * time.Hour, queryAge: time.Minute, horizon: 100_000_000}

type bounds struct {
	reeveWork time.Duration // a statement or transaction of the auth and api roles
	reeveAge  time.Duration // a session of these roles; a pool.Budget closes its own after half of that
	ownerIdle time.Duration // an owner's idle transaction; it holds back NOTIFY and vacuum
	ownerWork time.Duration // any statement or transaction of an owner
	queryAge  time.Duration // a session of the query role, which has one for each query
	// horizon is the number of transaction ids that a session may keep vacuum from
	// freezing. The server accepts no more writes when two billion are in use, and
	// one project can use them up within hours.
	horizon int64
}

// endOverdue ends sessions beyond the bounds.
func (g *Guard) endOverdue(ctx context.Context) error { return g.endBeyond(ctx, defaultBounds) }

func (g *Guard) endBeyond(ctx context.Context, b bounds) error {
	// xact_start alone is not the age, because a procedure can commit in a loop.
	rows, _ := g.state.pool.Query(ctx, `SELECT pid, usename::text FROM pg_stat_activity
		WHERE shobj_description(usesysid, 'pg_authid') = $5
		  AND ((usename ~ '^reeve_[a-z]{20}_(auth|api)$'
		        AND (clock_timestamp() - backend_start > $2::interval
		             OR (state <> 'idle' AND clock_timestamp() - coalesce(least(xact_start, query_start), backend_start) > $1::interval)))
		    OR (usename ~ '^reeve_[a-z]{20}_owner$'
		        AND ((state <> 'idle' AND clock_timestamp() - least(xact_start, query_start) > $4::interval)
		             OR (state LIKE 'idle in transaction%' AND clock_timestamp() - state_change > $3::interval)))
		    OR (usename ~ '^reeve_[a-z]{20}_query$' AND clock_timestamp() - backend_start > $7::interval)
		    OR (usename ~ '^reeve_[a-z]{20}_(auth|api|owner|query)$' AND greatest(age(backend_xmin), age(backend_xid)) > $6::bigint))`,
		b.reeveWork, b.reeveAge, b.ownerIdle, b.ownerWork, g.Mark, b.horizon, b.queryAge)
	overdue, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s session, err error) {
		return s, row.Scan(&s.pid, &s.role)
	})
	if err != nil {
		return fmt.Errorf("look for overdue sessions: %w", err)
	}
	for _, s := range overdue {
		g.logger().WarnContext(ctx, "a session of a project has run too long and is ended", "role", s.role, "pid", s.pid)
		g.tell(ctx, s.role, "has run too long")
		g.Terminate(ctx, s.role, uint32(s.pid))
	}
	return nil
}
