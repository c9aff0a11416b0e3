package provision

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"sort"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"github.com/reevehq/reeve/migrations"
)

// schema is the project schema of this binary.
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

// mark is the comment on a complete template.
func (s schema) mark() string { return fmt.Sprintf("reeve schema %d %s", s.version, s.digest) }

// markVersion parses the version in a mark; 0 for any other text.
func markVersion(mark string) (version int64) {
	if _, err := fmt.Sscanf(mark, "reeve schema %d", &version); err != nil {
		return 0
	}
	return version
}

// servedBy reports whether a template with the mark can be used: the same
// schema, or a newer one.
func (s schema) servedBy(mark string) bool {
	return mark == s.mark() || markVersion(mark) > s.version
}

// versionSQL reads a database's version.
const versionSQL = "SELECT max(version_id) FROM " + migrations.TenantVersionTable + " WHERE is_applied"

// migrate migrates the database that cfg leads to as the admin to this binary's
// schema, and returns its version afterwards. The caller makes sure that no other
// process does.
func (s *Service) migrate(ctx context.Context, cfg *pgx.ConnConfig) (int64, error) {
	version, err := migrations.UpTenant(ctx, cfg, s.Migrations)
	if err != nil {
		return 0, fmt.Errorf("migrate %s: %w", cfg.Database, err)
	}
	return version, nil
}
