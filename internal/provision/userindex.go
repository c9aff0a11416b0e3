package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Indexes that only the members of large projects need, who search for users, are made
// in the background once one of them did. Every project would pay for them at each
// sign-up. CREATE INDEX CONCURRENTLY waits for old transactions and hinders nobody
// meanwhile; a developer's transaction that stays open makes it give up, and it is
// tried again later. What a killed attempt leaves behind, the next one removes.
const (
	// indexPatience is the default of Service.IndexPatience.
	indexPatience = 30 * time.Second
	// IndexTimeout bounds the making of the indexes of a project.
	IndexTimeout = 5 * time.Minute
	// indexMargin is left of it to remove an index that was not completed.
	indexMargin = 40 * time.Second
)

// userIndex is an index of schema auth.
type userIndex struct{ name, sql string }

// IndexSearch makes the indexes by which users are found: one for a text anywhere in
// an address, a number or a name where the server has pg_trgm, else those for its
// beginnings. It is repeatable.
func (s *Service) IndexSearch(ctx context.Context, ref tenants.Ref) error {
	return s.withIndexer(ctx, ref, func(conn *pgx.Conn) error {
		schema, err := trigrams(ctx, conn)
		if err != nil {
			return err
		}
		wanted := []userIndex{{tenantdb.IndexUserBanned, `ON auth.users (banned_until) WHERE banned_until IS NOT NULL`}}
		if schema != "" {
			wanted = append(wanted, userIndex{tenantdb.IndexUserSearch, `ON auth.users USING gin ((` + tenantdb.UserSearchExpression + `) ` +
				pgx.Identifier{schema, "gin_trgm_ops"}.Sanitize() + `)`})
		} else {
			wanted = append(wanted,
				userIndex{tenantdb.IndexUserEmail, `ON auth.users (lower(email::text) text_pattern_ops)`},
				userIndex{tenantdb.IndexUserPhone, `ON auth.users (phone text_pattern_ops)`},
				userIndex{tenantdb.IndexUserName, `ON auth.users (lower(` + tenantdb.UserNameExpression + `) text_pattern_ops)`})
		}
		return makeIndexes(ctx, conn, "auth.users", wanted)
	})
}

// IndexLastSignIn makes the index by which users are sorted by their last sign-in. It
// is repeatable. From then on a sign-in writes to all indexes of the user's row.
func (s *Service) IndexLastSignIn(ctx context.Context, ref tenants.Ref) error {
	return s.withIndexer(ctx, ref, func(conn *pgx.Conn) error {
		return makeIndexes(ctx, conn, "auth.users", []userIndex{{tenantdb.IndexUserLastSignIn, `ON auth.users (last_sign_in_at DESC, id)`}})
	})
}

// IndexProvider makes the index by which the users of an identity provider are found.
// It is repeatable.
func (s *Service) IndexProvider(ctx context.Context, ref tenants.Ref) error {
	return s.withIndexer(ctx, ref, func(conn *pgx.Conn) error {
		return makeIndexes(ctx, conn, "auth.identities", []userIndex{{tenantdb.IndexProvider, `ON auth.identities (provider, user_id)`}})
	})
}

// IndexAudit makes the index by which the entries of a user are found in the audit
// log. It is repeatable.
func (s *Service) IndexAudit(ctx context.Context, ref tenants.Ref) error {
	return s.withIndexer(ctx, ref, func(conn *pgx.Conn) error {
		return makeIndexes(ctx, conn, "auth.audit_log_entries", []userIndex{
			{tenantdb.IndexAuditUser, `ON auth.audit_log_entries ((` + tenantdb.AuditUserExpression + `), created_at DESC, id)`},
		})
	})
}

// withIndexer runs fn with a connection of the admin to a project's database.
func (s *Service) withIndexer(ctx context.Context, ref tenants.Ref, fn func(*pgx.Conn) error) error {
	cfg, err := s.adminConfig(ref.Database())
	if err != nil {
		return err
	}
	harden(cfg)
	cfg.RuntimeParams["search_path"] = "pg_catalog"
	cfg.RuntimeParams["statement_timeout"] = milliseconds(IndexTimeout - indexMargin)
	cfg.RuntimeParams["lock_timeout"] = milliseconds(cmp.Or(s.IndexPatience, indexPatience))
	conn, err := connectAmongMany(ctx, cfg)
	if err != nil {
		return fmt.Errorf("index users of %s: %w", ref, err)
	}
	defer closeConn(conn)
	if err := fn(conn); err != nil {
		return fmt.Errorf("index users of %s: %w", ref, err)
	}
	return nil
}

// trigrams returns the schema of pg_trgm, which it installs where the server has it
// and the project does not; "" for none. Who installs it later finds it there.
func trigrams(ctx context.Context, conn *pgx.Conn) (schema string, err error) {
	const installed = `SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'`
	err = conn.QueryRow(ctx, installed).Scan(&schema)
	if !errors.Is(err, pgx.ErrNoRows) {
		return schema, err
	}
	var possible bool
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm')
		AND EXISTS (SELECT FROM pg_namespace WHERE nspname = 'extensions')`).Scan(&possible)
	if err != nil || !possible {
		return "", err
	}
	if _, err := conn.Exec(ctx, `CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA extensions`); err != nil {
		return "", err
	}
	return schema, conn.QueryRow(ctx, installed).Scan(&schema)
}

// makeIndexes makes those of the indexes that a table lacks. What an earlier attempt
// left incomplete is made anew. The planner needs statistics of the expressions.
func makeIndexes(ctx context.Context, conn *pgx.Conn, table string, wanted []userIndex) error {
	made := false
	for _, index := range wanted {
		var valid bool
		err := conn.QueryRow(ctx, `SELECT x.indisvalid FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
			WHERE x.indrelid = to_regclass($1) AND i.relname = $2`, table, index.name).Scan(&valid)
		switch {
		case err == nil && valid:
			continue
		case err == nil:
			if err := dropIndex(ctx, conn, index.name); err != nil {
				return err
			}
		case !errors.Is(err, pgx.ErrNoRows):
			return err
		}
		if _, err := conn.Exec(ctx, `CREATE INDEX CONCURRENTLY `+index.name+` `+index.sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			// An incomplete index costs what a complete one does.
			return errors.Join(err, dropIndex(ctx, conn, index.name))
		}
		made = true
	}
	if !made {
		return nil
	}
	_, err := conn.Exec(ctx, `ANALYZE `+table)
	return err
}

func dropIndex(ctx context.Context, conn *pgx.Conn, name string) error {
	_, err := conn.Exec(ctx, `DROP INDEX CONCURRENTLY IF EXISTS auth.`+name, pgx.QueryExecModeSimpleProtocol)
	return err
}
