package migrations

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// UpTenant brings the database behind db to TenantVersion and reports the
// version it has then. db connects as the cluster's admin. Calling it again, or
// from two processes at once, applies nothing twice; it waits up to 30 seconds
// for another run in the same database. The caller runs reeve.adopt afterwards.
func UpTenant(ctx context.Context, db *sql.DB) (int64, error) {
	// The version table lies in schema reeve, out of the developer's reach; goose
	// makes the table but not the schema. DO, because two first runs may collide.
	const schema = `DO $$ BEGIN CREATE SCHEMA IF NOT EXISTS reeve; EXCEPTION WHEN unique_violation THEN NULL; END $$`
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return 0, fmt.Errorf("create schema reeve: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 30))
	if err != nil {
		return 0, fmt.Errorf("make migration lock: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, Tenant(),
		goose.WithTableName(TenantVersionTable),
		goose.WithSessionLocker(locker),
		goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return 0, fmt.Errorf("read tenant migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return 0, fmt.Errorf("migrate project database: %w", err)
	}
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("read version of project database: %w", err)
	}
	return version, nil
}
