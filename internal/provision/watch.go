package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// watchTick is how often the cluster is looked over for what one project's
// developer could do to all the others.
const watchTick = 10 * time.Second

// Bounds on what the projects' roles may keep going. Timeouts alone do not hold:
// a session may lift its own, and a function may catch a cancel. What ends it is
// termination, which cannot be caught.
var watchBounds = bounds{reeveWork: 30 * time.Second, ownerIdle: 10 * time.Minute, ownerWork: 2 * time.Hour}

type bounds struct {
	reeveWork time.Duration // a statement or transaction of the auth and api roles
	ownerIdle time.Duration // an owner's transaction in which nothing happens; it holds back NOTIFY and vacuum
	ownerWork time.Duration // an owner's transaction at all
}

// watch ends what has run too long, and sets the cluster's shared roles back to
// what they must be: everybody who may become one of them could leave settings on
// it.
func (s *Service) watch(ctx context.Context) error {
	if err := s.endOverdue(ctx, watchBounds); err != nil {
		return err
	}
	return s.resetSharedRoles(ctx)
}

// endOverdue ends what exceeds the bounds, of this installation's roles only:
// another may share the server.
func (s *Service) endOverdue(ctx context.Context, b bounds) error {
	rows, err := s.pool.Query(ctx, `SELECT pid, usename::text FROM pg_stat_activity
		WHERE shobj_description(usesysid, 'pg_authid') = $4
		  AND ((usename ~ '^reeve_[a-z]{20}_(auth|api)$' AND state <> 'idle'
		        AND clock_timestamp() - coalesce(xact_start, query_start, backend_start) > $1::interval)
		    OR (usename ~ '^reeve_[a-z]{20}_owner$'
		        AND (clock_timestamp() - xact_start > $3::interval
		             OR (state LIKE 'idle in transaction%' AND clock_timestamp() - state_change > $2::interval))))`,
		b.reeveWork, b.ownerIdle, b.ownerWork, s.mark())
	if err != nil {
		return fmt.Errorf("look for overdue sessions: %w", err)
	}
	type session struct {
		pid  uint32
		role string
	}
	var overdue []session
	defer rows.Close()
	for rows.Next() {
		var o session
		if err := rows.Scan(&o.pid, &o.role); err != nil {
			return fmt.Errorf("look for overdue sessions: %w", err)
		}
		overdue = append(overdue, o)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("look for overdue sessions: %w", err)
	}
	for _, o := range overdue {
		s.Logger.WarnContext(ctx, "a session of a project has run too long and is ended", "role", o.role, "pid", o.pid)
		s.Terminate(ctx, o.role, o.pid)
	}
	return nil
}

// Terminate ends a backend of the role at once, if it still runs. It is what a
// pool.Budget needs for connections whose end it did not see.
func (s *Service) Terminate(ctx context.Context, role string, pid uint32) {
	if s.init() != nil {
		return
	}
	// By role too: a process id may be somebody else's by now.
	_, err := s.pool.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND usename = $2`, int32(pid), role)
	if err != nil && ctx.Err() == nil {
		s.Logger.WarnContext(ctx, "a session cannot be ended", "role", role, "pid", pid, "error", err)
	}
}

// resetSharedRoles undoes settings on the roles that all projects share.
func (s *Service) resetSharedRoles(ctx context.Context) error {
	rows, err := s.pool.Query(ctx, `SELECT DISTINCT r.rolname::text FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
		WHERE s.setdatabase = 0 AND r.rolname IN ('anon', 'authenticated', 'service_role')`)
	if err != nil {
		return fmt.Errorf("look at the shared roles: %w", err)
	}
	var touched []string
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return fmt.Errorf("look at the shared roles: %w", err)
		}
		touched = append(touched, name)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("look at the shared roles: %w", err)
	}
	for _, name := range touched {
		s.Logger.WarnContext(ctx, "somebody left settings on a shared role; they are undone", "role", name)
		_, err := s.pool.Exec(ctx, "ALTER ROLE "+quote(name)+" RESET ALL")
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == "XX000" { // "tuple concurrently updated": another replica was at it
			continue
		}
		if err != nil {
			return fmt.Errorf("reset role %s: %w", name, err)
		}
	}
	return nil
}
