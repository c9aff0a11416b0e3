package job

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// schema is the schema of River's tables in the control database.
const schema = "river"

// migrationLock is the advisory lock in the control database that serializes the
// migrations of processes that start at the same time.
const migrationLock = 0x72656576656a6f62 // "reevejob"

// Migrate migrates River's tables to the version of this binary. Each step is a
// transaction, so the next call completes an interrupted migration.
func Migrate(ctx context.Context, pool *pgxpool.Pool) error {
	pending, err := Pending(ctx, pool)
	if err != nil || !pending {
		return err
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("migrate job tables: %w", err)
	}
	defer conn.Release()
	if err := lock(ctx, conn.Conn()); err != nil {
		return fmt.Errorf("lock job tables: %w", err)
	}
	defer func() {
		if _, err := conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(migrationLock)); err != nil {
			_ = conn.Conn().Close(context.WithoutCancel(ctx)) // the lock ends with its session
		}
	}()
	if exists, err := hasSchema(ctx, pool); err != nil {
		return err
	} else if !exists { // IF NOT EXISTS requires the CREATE privilege even if the schema exists
		if _, err := pool.Exec(ctx, "CREATE SCHEMA "+schema); err != nil {
			return fmt.Errorf("create schema %s: %w", schema, err)
		}
	}
	m, err := migrator(pool)
	if err != nil {
		return err
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate job tables: %w", err)
	}
	return nil
}

// lock takes migrationLock for the session. It waits for as long as another process
// migrates, whatever lock_timeout the connection has.
func lock(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = 0"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock))
		return err
	})
}

// Pending reports whether Migrate has work to do. Tables of a newer release count
// as migrated.
func Pending(ctx context.Context, pool *pgxpool.Pool) (bool, error) {
	var exists bool
	if err := pool.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", schema+".river_migration").Scan(&exists); err != nil {
		return false, fmt.Errorf("look for job tables: %w", err)
	}
	if !exists {
		return true, nil
	}
	var current int
	if err := pool.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM "+schema+".river_migration").Scan(&current); err != nil {
		return false, fmt.Errorf("read version of job tables: %w", err)
	}
	m, err := migrator(pool)
	if err != nil {
		return false, err
	}
	for _, v := range m.AllVersions() {
		if v.Version > current {
			return true, nil
		}
	}
	return false, nil
}

func hasSchema(ctx context.Context, pool *pgxpool.Pool) (exists bool, err error) {
	if err := pool.QueryRow(ctx, "SELECT to_regnamespace($1) IS NOT NULL", schema).Scan(&exists); err != nil {
		return false, fmt.Errorf("look for schema %s: %w", schema, err)
	}
	return exists, nil
}

func migrator(pool *pgxpool.Pool) (*rivermigrate.Migrator[pgx.Tx], error) {
	m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: schema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("job migrations: %w", err)
	}
	return m, nil
}
