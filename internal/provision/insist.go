package provision

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// How long a statement of insist waits in all, and before those that it waits for
// are ended.
const (
	insistTimeout = 10 * time.Second
	insistTick    = 200 * time.Millisecond
)

// insist runs DDL on databases and roles, and ends the sessions of projects that it
// has to wait for. Any role may lock any other's database, and any other role, in a
// transaction that it leaves open: ALTER ROLE CURRENT_USER IN DATABASE of another
// takes a lock there, a GRANT to another takes one on the role. The statement is in
// the queue first, so whoever comes after it waits for it. It fails with 55P03 after
// ten seconds.
func (s *Service) insist(ctx context.Context, conn *pgx.Conn, sql string) error {
	if _, err := conn.Exec(ctx, "SELECT set_config('lock_timeout', $1, false)", insistTimeout.String()); err != nil {
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
		s.endBlockers(watched, conn.PgConn().PID())
	}()
	_, err := conn.Exec(ctx, sql)
	stop()
	<-ended
	return err
}

// endBlockers ends the sessions of projects' roles that the backend waits for, until
// ctx ends. Its connection is not one of the pool, which may be used up by those who
// wait.
func (s *Service) endBlockers(ctx context.Context, waiting uint32) {
	for pause(ctx, insistTick); ctx.Err() == nil; pause(ctx, insistTick) {
		err := s.asAdmin(ctx, s.pool.Config().ConnConfig.Database, func(conn *pgx.Conn) error {
			return s.endBlockersOf(ctx, conn, waiting)
		})
		if err != nil && ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "cannot end sessions that hold up a deletion", "error", err)
		}
	}
}

func (s *Service) endBlockersOf(ctx context.Context, conn *pgx.Conn, waiting uint32) error {
	rows, _ := conn.Query(ctx, `SELECT DISTINCT usename::text FROM pg_stat_activity
		WHERE pid = ANY(pg_blocking_pids($1)) AND usename ~ '^reeve_[a-z]{20}_(auth|api|owner)$'
		  AND shobj_description(usesysid, 'pg_authid') = $2`, int32(waiting), s.mark())
	roles, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(roles) == 0 {
		return err
	}
	if err := join(ctx, conn, roles); err != nil {
		return err
	}
	s.Logger.WarnContext(ctx, "sessions of projects hold up a deletion and are ended", "roles", roles)
	_, err = conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE pid = ANY(pg_blocking_pids($1)) AND usename = ANY($2)`, int32(waiting), roles)
	return err
}
