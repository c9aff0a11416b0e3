package guard

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// resetSharedRoles resets settings on the roles that all projects share: any
// role that can SET ROLE to one of them can leave settings on it.
func (g *Guard) resetSharedRoles(ctx context.Context) error {
	rows, _ := g.state.pool.Query(ctx, `SELECT DISTINCT r.rolname::text FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
		WHERE s.setdatabase = 0 AND r.rolname IN ('anon', 'authenticated', 'service_role', 'supabase_auth_admin')`)
	changed, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look at the shared roles: %w", err)
	}
	for _, role := range changed {
		g.logger().WarnContext(ctx, "somebody left settings on a shared role; they are undone", "role", role)
		err := g.execUnblocked(ctx, "ALTER ROLE "+pgx.Identifier{role}.Sanitize()+" RESET ALL")
		if changedElsewhere(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reset role %s: %w", role, err)
		}
	}
	return nil
}

const (
	// lockTimeout is how long a statement of the guard waits for a lock.
	lockTimeout = 3 * time.Second
	// blockersTick is the interval at which the sessions that block it are ended.
	blockersTick = 200 * time.Millisecond
)

// execUnblocked runs the statement and ends the sessions of projects' roles that
// block it, however young their transactions are. It fails with 55P03 after
// lockTimeout.
func (g *Guard) execUnblocked(ctx context.Context, sql string) error {
	return pgx.BeginFunc(ctx, g.state.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT set_config('lock_timeout', $1, true)", lockTimeout.String()); err != nil {
			return err
		}
		watched, stop := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			g.endBlockers(watched, tx.Conn().PgConn().PID())
		}()
		_, err := tx.Exec(ctx, sql)
		stop()
		<-ended
		return err
	})
}

// endBlockers ends the sessions that block the backend, until ctx ends.
func (g *Guard) endBlockers(ctx context.Context, blocked uint32) {
	tick := time.NewTicker(blockersTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		rows, _ := g.state.pool.Query(ctx, `SELECT pid, usename::text FROM pg_stat_activity
			WHERE pid = ANY(pg_blocking_pids($1)) AND shobj_description(usesysid, 'pg_authid') = $2`, int32(blocked), g.Mark)
		blockers, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s session, err error) {
			return s, row.Scan(&s.pid, &s.role)
		})
		if err != nil && ctx.Err() == nil {
			g.logger().WarnContext(ctx, "cannot look for sessions that block the guard", "error", err)
		}
		for _, s := range blockers {
			if _, ok := projectOfRole(s.role); ok {
				g.logger().WarnContext(ctx, "a session of a project blocks the guard and is ended", "role", s.role, "pid", s.pid)
				g.Terminate(ctx, s.role, uint32(s.pid))
			}
		}
	}
}
