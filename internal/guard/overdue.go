package guard

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// defaultBounds limit the duration of projects' sessions. Timeouts are not
// enough: a session can change its own, and a function can catch a cancel.
// Termination cannot be caught.
var defaultBounds = bounds{reeveWork: 30 * time.Second, ownerIdle: 10 * time.Minute, ownerWork: 2 * time.Hour}

type bounds struct {
	reeveWork time.Duration // a statement or transaction of the auth and api roles
	ownerIdle time.Duration // an owner's idle transaction; it holds back NOTIFY and vacuum
	ownerWork time.Duration // any transaction of an owner
}

// endOverdue ends sessions beyond the bounds.
func (g *Guard) endOverdue(ctx context.Context) error { return g.endBeyond(ctx, defaultBounds) }

func (g *Guard) endBeyond(ctx context.Context, b bounds) error {
	rows, _ := g.Admin.Query(ctx, `SELECT pid, usename::text FROM pg_stat_activity
		WHERE shobj_description(usesysid, 'pg_authid') = $4
		  AND ((usename ~ '^reeve_[a-z]{20}_(auth|api)$' AND state <> 'idle'
		        AND clock_timestamp() - coalesce(xact_start, query_start, backend_start) > $1::interval)
		    OR (usename ~ '^reeve_[a-z]{20}_owner$'
		        AND (clock_timestamp() - xact_start > $3::interval
		             OR (state LIKE 'idle in transaction%' AND clock_timestamp() - state_change > $2::interval))))`,
		b.reeveWork, b.ownerIdle, b.ownerWork, g.Mark)
	overdue, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s session, err error) {
		return s, row.Scan(&s.pid, &s.role)
	})
	if err != nil {
		return fmt.Errorf("look for overdue sessions: %w", err)
	}
	for _, s := range overdue {
		g.logger().WarnContext(ctx, "a session of a project has run too long and is ended", "role", s.role, "pid", s.pid)
		g.Terminate(ctx, s.role, uint32(s.pid))
	}
	return nil
}
