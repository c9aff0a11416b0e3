package controldb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/reevehq/reeve/migrations"
)

// versionTable is where goose stores the applied versions.
const versionTable = "schema_version"

// Migrate migrates the control database to this binary's version and reads (or
// generates) the pepper. Replicas that start at the same time take turns.
func (db *DB) Migrate(ctx context.Context) error {
	provider, done, err := db.migrations()
	if err != nil {
		return err
	}
	defer done()
	if _, err := provider.Up(ctx); err != nil {
		return Fault(fmt.Errorf("migrate control database: %w", err))
	}
	return db.loadPepper(ctx)
}

// Pending reports whether Migrate has something to do.
func (db *DB) Pending(ctx context.Context) (bool, error) {
	provider, done, err := db.migrations()
	if err != nil {
		return false, err
	}
	defer done()
	pending, err := provider.HasPending(ctx)
	return pending, Fault(err)
}

func (db *DB) migrations() (*goose.Provider, func(), error) {
	// One attempt a second, for five minutes: another replica may be migrating.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, nil, fmt.Errorf("migration lock: %w", err)
	}
	sqlDB := stdlib.OpenDBFromPool(db.pool)
	provider, err := goose.NewProvider(goose.DialectPostgres, sqlDB, migrations.Control(),
		goose.WithTableName(versionTable), goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true),
		// Files may be merged in another order than that of their numbers.
		goose.WithAllowOutofOrder(true))
	if err != nil {
		_ = sqlDB.Close()
		return nil, nil, fmt.Errorf("control migrations: %w", err)
	}
	return provider, func() { _ = sqlDB.Close() }, nil
}
