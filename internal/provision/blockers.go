package provision

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// ddlLockTimeout is how long execDDL waits for a lock.
	ddlLockTimeout = 10 * time.Second
	// blockersTick is the interval at which execDDL terminates the sessions
	// that block the statement.
	blockersTick = 200 * time.Millisecond
)

// execDDL runs DDL on databases and roles. It terminates the sessions of projects'
// roles that block the statement. Any role can lock any other's database, and any
// other role, in a transaction that it leaves open: ALTER ROLE CURRENT_USER IN
// DATABASE of another takes a lock on that database, a GRANT to another takes one
// on the role. The statement is in the lock queue first, so later sessions wait for
// it. It fails with 55P03 after ddlLockTimeout.
func (s *Service) execDDL(ctx context.Context, conn *pgx.Conn, sql string) error {
	if _, err := conn.Exec(ctx, "SELECT set_config('lock_timeout', $1, false)", ddlLockTimeout.String()); err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		if _, err := conn.Exec(ctx, "RESET lock_timeout"); err != nil {
			_ = conn.Close(ctx)
		}
	}()
	watched, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.terminateBlockers(watched, conn.PgConn().PID())
	}()
	_, err := conn.Exec(ctx, sql)
	stop()
	<-ended
	return err
}

// terminateBlockers terminates the sessions of projects' roles that block the
// backend, until ctx ends. It does not use a connection of the pool: those may all
// be in use by blocked statements.
func (s *Service) terminateBlockers(ctx context.Context, blocked uint32) {
	for pause(ctx, blockersTick); ctx.Err() == nil; pause(ctx, blockersTick) {
		err := s.asAdmin(ctx, s.pool.Config().ConnConfig.Database, func(conn *pgx.Conn) error {
			return s.terminateBlockersOnce(ctx, conn, blocked)
		})
		if err != nil && ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "cannot end sessions that hold up a deletion", "error", err)
		}
	}
}

func (s *Service) terminateBlockersOnce(ctx context.Context, conn *pgx.Conn, blocked uint32) error {
	rows, _ := conn.Query(ctx, `SELECT DISTINCT usename::text FROM pg_stat_activity
		WHERE pid = ANY(pg_blocking_pids($1)) AND usename ~ '^reeve_[a-z]{20}_(auth|api|owner)$'
		  AND shobj_description(usesysid, 'pg_authid') = $2`, int32(blocked), s.Mark())
	roles, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(roles) == 0 {
		return err
	}
	if err := join(ctx, conn, roles); err != nil {
		return err
	}
	s.Logger.WarnContext(ctx, "sessions of projects hold up a deletion and are ended", "roles", roles)
	_, err = conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE pid = ANY(pg_blocking_pids($1)) AND usename = ANY($2)`, int32(blocked), roles)
	return err
}
