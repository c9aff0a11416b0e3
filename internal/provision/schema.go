package provision

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"sort"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/reevehq/reeve/migrations"
)

// migrationLockTimeout is how long a migration waits for a table that a project
// is using: the requests behind it would wait as well.
const migrationLockTimeout = 5 * time.Second

// schema is the project schema that this binary knows.
type schema struct {
	version int64
	digest  string // of all migrations, to notice edited ones
}

func readSchema(fsys fs.FS) (schema, error) {
	names, err := fs.Glob(fsys, "*.sql")
	if err != nil || len(names) == 0 {
		return schema{}, fmt.Errorf("read project migrations: none found: %w", err)
	}
	sort.Strings(names)
	out, sum := schema{}, sha256.New()
	for _, name := range names {
		raw, err := fs.ReadFile(fsys, name)
		if err != nil {
			return schema{}, fmt.Errorf("read project migrations: %w", err)
		}
		version, err := goose.NumericComponent(name)
		if err != nil {
			return schema{}, fmt.Errorf("project migration %s: %w", name, err)
		}
		out.version = max(out.version, version)
		fmt.Fprintf(sum, "%s %d\n", name, len(raw))
		sum.Write(raw)
	}
	out.digest = hex.EncodeToString(sum.Sum(nil)[:16])
	return out, nil
}

// mark is the template's comment once it is complete.
func (s schema) mark() string { return fmt.Sprintf("reeve schema %d %s", s.version, s.digest) }

// markVersion reads the version out of a mark; 0 for anything else.
func markVersion(mark string) (version int64) {
	if _, err := fmt.Sscanf(mark, "reeve schema %d", &version); err != nil {
		return 0
	}
	return version
}

// versionSQL reads the version that a database has.
const versionSQL = "SELECT max(version_id) FROM " + migrations.TenantVersionTable + " WHERE is_applied"

// migrate brings one database of the cluster up to the known schema, as the
// admin, and gives the version it has then. Each migration is its own
// transaction. The caller sees to it that nobody else does the same.
func (s *Service) migrate(ctx context.Context, database string) (int64, error) {
	cfg, err := s.adminConfig(database)
	if err != nil {
		return 0, err
	}
	cfg.RuntimeParams["lock_timeout"] = fmt.Sprint(migrationLockTimeout.Milliseconds())
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec // each statement runs once
	db := stdlib.OpenDB(*cfg)
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS reeve"); err != nil {
		return 0, fmt.Errorf("create schema reeve: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, s.Migrations,
		goose.WithTableName(migrations.TenantVersionTable), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return 0, fmt.Errorf("read project migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return 0, fmt.Errorf("migrate %s: %w", database, err)
	}
	return provider.GetDBVersion(ctx)
}
