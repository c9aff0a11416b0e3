package provision

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// A process that works on a database holds an advisory lock on the connection
// that its DDL runs on. So a process that was thought dead can do nothing after
// another one took over: its connection and its lock live or end together.

// lockedDatabase runs fn with the lock of one database. If wait is false, it
// returns false at once when another process has the lock.
func (s *Service) lockedDatabase(ctx context.Context, ref tenants.Ref, wait bool, fn func(conn *pgx.Conn) error) (bool, error) {
	if err := s.init(); err != nil {
		return false, err
	}
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		// Whatever the reason, even a wrong password: it is not the database's
		// fault.
		return false, fmt.Errorf("connect to cluster %s: %w", s.Cluster.ID, controldb.ErrUnavailable.Because(err))
	}
	defer c.Release()
	conn := c.Conn()
	got := true
	name := databaseLock(ref)
	if wait {
		err = lock(ctx, conn, name)
	} else {
		err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", name).Scan(&got)
	}
	if err != nil || !got {
		return false, err
	}
	defer unlock(conn, "pg_advisory_unlock", name)
	return true, fn(conn)
}

// lockedApart is lockedDatabase on a connection outside of the pool, for work that
// may wait long for a lock. A lockTimeout bounds the wait for the database's lock;
// 0 means that only ctx does.
func (s *Service) lockedApart(ctx context.Context, ref tenants.Ref, lockTimeout time.Duration, fn func(conn *pgx.Conn) error) error {
	cfg, err := s.adminConfig("")
	if err != nil {
		return err
	}
	cfg.RuntimeParams["lock_timeout"] = milliseconds(lockTimeout)
	conn, err := connectAmongMany(ctx, cfg)
	if err != nil {
		return fmt.Errorf("connect to cluster %s: %w", s.Cluster.ID, controldb.ErrUnavailable.Because(err))
	}
	defer closeConn(conn) // which releases the lock
	if err := lock(ctx, conn, databaseLock(ref)); err != nil {
		return err
	}
	return fn(conn)
}

// databaseLock is the name of a database's lock.
func databaseLock(ref tenants.Ref) string { return "reeve/database/" + string(ref) }

func lock(ctx context.Context, conn *pgx.Conn, name string) error {
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtextextended($1, 0))", name); err != nil {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	return nil
}

// unlock releases a lock; if that fails, it closes the connection, which
// releases the lock too.
func unlock(conn *pgx.Conn, function, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if _, err := conn.Exec(ctx, "SELECT "+function+"(hashtextextended($1, 0))", name); err != nil {
		_ = conn.Close(ctx)
	}
}

// lockedTemplate runs fn while no other process copies or changes the template;
// with shared, others may copy it.
func (s *Service) lockedTemplate(ctx context.Context, conn *pgx.Conn, shared bool, fn func() error) error {
	name, suffix := "reeve/template/"+s.Cluster.Template, ""
	if shared {
		suffix = "_shared"
	}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock"+suffix+"(hashtextextended($1, 0))", name); err != nil {
		return fmt.Errorf("lock template: %w", err)
	}
	defer unlock(conn, "pg_advisory_unlock"+suffix, name)
	return fn()
}
