package migrations

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// tableLockTimeout is how long a migration waits for a table that the project
// uses, if cfg does not set lock_timeout: the requests behind it wait too.
const tableLockTimeout = 5 * time.Second

// UpTenant applies the missing migrations of files (Tenant's, except in tests)
// to the database that cfg connects to as the cluster's admin, and returns the
// version afterwards. Each migration is a transaction of its own. The caller
// makes sure that no other process does the same, with a lock outside of this
// database, where the developer cannot take it, and calls reeve.adopt
// afterwards.
func UpTenant(ctx context.Context, cfg *pgx.ConnConfig, files fs.FS) (int64, error) {
	cfg = cfg.Copy()
	if cfg.RuntimeParams["lock_timeout"] == "" {
		cfg.RuntimeParams["lock_timeout"] = strconv.FormatInt(tableLockTimeout.Milliseconds(), 10)
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec // each statement runs once
	db := stdlib.OpenDB(*cfg)
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	// The version table is in schema reeve, which the developer cannot change;
	// goose creates the table but not the schema.
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS reeve"); err != nil {
		return 0, fmt.Errorf("create schema reeve: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithTableName(TenantVersionTable), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return 0, fmt.Errorf("read project migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return 0, err
	}
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("read version of project database: %w", err)
	}
	return version, nil
}
