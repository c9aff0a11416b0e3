package provision

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// ddlLockTimeout is how long execDDL waits for a lock.
	ddlLockTimeout = 10 * time.Second
	// blockersTick is the interval at which terminateBlockers looks for the
	// sessions that block a backend.
	blockersTick = 100 * time.Millisecond
	// blockersLockTimeout bounds the waits of terminateBlockers itself.
	blockersLockTimeout = time.Second
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
	b := blocked{}
	b.pid.Store(int32(conn.PgConn().PID()))
	return s.unblocked(ctx, &b, func() error {
		_, err := conn.Exec(ctx, sql)
		return err
	})
}

// blocked is a backend whose blockers are terminated.
type blocked struct {
	pid   atomic.Int32
	after time.Duration // how long blockers are left alone at first
}

// watch makes b the backend of the newest connection of cfg.
func (b *blocked) watch(cfg *pgx.ConnConfig) {
	cfg.AfterConnect = func(_ context.Context, conn *pgconn.PgConn) error {
		b.pid.Store(int32(conn.PID()))
		return nil
	}
}

// unblocked runs fn. Until it returns, the sessions of projects' roles that block b
// are terminated.
func (s *Service) unblocked(ctx context.Context, b *blocked, fn func() error) error {
	watched, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.terminateBlockers(watched, b)
	}()
	err := fn()
	stop()
	<-ended
	return err
}

// terminateBlockers terminates the sessions of projects' roles that block b, until
// ctx ends. It does not use a connection of the pool: those may all be in use by
// blocked statements.
func (s *Service) terminateBlockers(ctx context.Context, b *blocked) {
	for pause(ctx, b.after+blockersTick); ctx.Err() == nil; pause(ctx, blockersTick) {
		err := s.asAdmin(ctx, "", func(conn *pgx.Conn) error {
			if _, err := conn.Exec(ctx, "SELECT set_config('lock_timeout', $1, false)", blockersLockTimeout.String()); err != nil {
				return err
			}
			var before map[int32]bool
			for ; ctx.Err() == nil; pause(ctx, blockersTick) {
				var err error
				if before, err = s.terminateBlockersOnce(ctx, conn, b.pid.Load(), before); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil && ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "cannot end sessions that hold a lock", "error", err)
		}
	}
}

// terminateBlockersOnce terminates those sessions that block the backend now and
// did before, and returns all that block it now. A transaction that ends by itself
// within a tick goes on.
func (s *Service) terminateBlockersOnce(ctx context.Context, conn *pgx.Conn, blocked int32, before map[int32]bool) (map[int32]bool, error) {
	rows, _ := conn.Query(ctx, `SELECT pid, usename::text FROM pg_stat_activity
		WHERE pid = ANY(pg_blocking_pids($1)) AND usename ~ '^reeve_[a-z]{20}_(auth|api|owner|query)$'
		  AND shobj_description(usesysid, 'pg_authid') = $2`, blocked, s.Mark())
	blocking, pids, roles := map[int32]bool{}, []int32(nil), []string(nil)
	var pid int32
	var role string
	_, err := pgx.ForEachRow(rows, []any{&pid, &role}, func() error {
		blocking[pid] = true
		if before[pid] {
			pids, roles = append(pids, pid), append(roles, role)
		}
		return nil
	})
	if err != nil || len(pids) == 0 {
		return blocking, err
	}
	if err := join(ctx, conn, roles); err != nil {
		return blocking, err
	}
	s.Logger.WarnContext(ctx, "sessions of projects hold a lock that Reeve needs and are ended", "roles", roles)
	_, err = conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE pid = ANY(pg_blocking_pids($1)) AND pid = ANY($2) AND usename = ANY($3)`, blocked, pids, roles)
	if err != nil {
		err = fmt.Errorf("end sessions: %w", err)
	}
	return blocking, err
}
