package sqlrun

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/reevehq/reeve/internal/fault"
)

// The history of a database's migrations is the table that the stock CLI keeps,
// supabase_migrations.schema_migrations. It is the developer's, who may change it in any
// way: what is read from it is data, and what is written is written with their rights.

// The faults of migrations, besides those of queries.
var (
	ErrNoMigration = fault.New(fault.NotFound, "migration_not_found", "There is no such migration")
	ErrHistory     = fault.New(fault.Conflict, "migration_history_unusable",
		"supabase_migrations.schema_migrations is not the table that it should be")
	// ErrUnrecorded is returned by Apply: the statements ended their transaction and took
	// effect, and the history has no migration.
	ErrUnrecorded = fault.New(fault.Conflict, "migration_not_recorded",
		"The migration ended its transaction itself and took effect, but could not be added to the history: add it with PUT, without running it")
	ErrNoRollback = fault.New(fault.Conflict, "migration_without_rollback", "A migration has no statements to roll it back: nothing was changed")
)

// Migration is a row of the history.
type Migration struct {
	Version        string   `json:"version"`
	Name           string   `json:"name"`
	Statements     []string `json:"statements"`
	Rollback       []string `json:"rollback"`
	CreatedBy      string   `json:"created_by"`
	IdempotencyKey string   `json:"idempotency_key"`
	// Apart says that the statements of Apply ended their transaction themselves, so
	// that the history was written after them, in another one.
	Apart bool `json:"-"`
}

const (
	ensureHistory = `CREATE SCHEMA IF NOT EXISTS supabase_migrations;
		CREATE TABLE IF NOT EXISTS supabase_migrations.schema_migrations (version text NOT NULL PRIMARY KEY);
		ALTER TABLE supabase_migrations.schema_migrations ADD COLUMN IF NOT EXISTS statements text[], ADD COLUMN IF NOT EXISTS name text,
			ADD COLUMN IF NOT EXISTS created_by text, ADD COLUMN IF NOT EXISTS idempotency_key text UNIQUE, ADD COLUMN IF NOT EXISTS rollback text[];
		LOCK TABLE supabase_migrations.schema_migrations IN SHARE ROW EXCLUSIVE MODE`
	selectHistory = `SELECT pg_catalog.to_jsonb(m) AS m FROM supabase_migrations.schema_migrations m`
	listHistory   = `SELECT pg_catalog.to_jsonb(m) OPERATOR(pg_catalog.-) '{statements,rollback}'::pg_catalog.text[] AS m
		FROM supabase_migrations.schema_migrations m ORDER BY version`
)

// Migrations lists the history, the oldest first, without statements. A database
// without one has no migrations.
func (s *Session) Migrations() ([]Migration, error) {
	out, err := s.Query(Query{SQL: listHistory, ReadOnly: true})
	return migrations(out, err)
}

// Migration returns one; ErrNoMigration.
func (s *Session) Migration(version string) (Migration, error) {
	out, err := s.Query(Query{SQL: selectHistory + ` WHERE m.version = $1::text`, Parameters: []any{version}, ReadOnly: true})
	return one(migrations(out, err))
}

// Apply runs a migration's first statement, which may hold several, and adds it to the
// history, in one transaction. If the history has one with the same idempotency key,
// nothing is run, and that one is returned. A version is chosen if there is none.
// Statements that end the transaction themselves take effect before the migration is in
// the history.
func (s *Session) Apply(m Migration, now time.Time) (Migration, error) {
	apart := false
	m, err := s.add(m, now, func() error {
		before, err := s.transaction()
		if err != nil {
			return err
		}
		if _, err := s.Script(m.Statements[0]); err != nil {
			return err
		}
		if s.InTransaction() {
			if after, err := s.transaction(); err != nil || after == before {
				return err
			}
		}
		if s.status != 'I' {
			return ErrOpen // a transaction of its own
		}
		apart = true
		_, err = s.Script("BEGIN; " + ensureHistory)
		return err
	})
	if err != nil && apart {
		return m, ErrUnrecorded.Because(err)
	}
	m.Apart = apart
	return m, err
}

// Record adds a migration to the history without running it, or replaces what the
// history has under its idempotency key.
func (s *Session) Record(m Migration, now time.Time) (Migration, error) {
	return s.add(m, now, nil)
}

// transaction names the current transaction.
func (s *Session) transaction() (string, error) {
	out, err := s.Statement(`SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text AS id`)
	if err != nil || len(out.Rows) != 1 {
		return "", err
	}
	return string(out.Rows[0]), nil
}

// add adds a migration to the history after run, or replaces one if run is nil.
func (s *Session) add(m Migration, now time.Time, run func() error) (Migration, error) {
	if _, err := s.Script("BEGIN; " + ensureHistory); err != nil {
		return m, err
	}
	if m.IdempotencyKey != "" {
		out, err := s.Statement(selectHistory+` WHERE m.idempotency_key = $1::text`, m.IdempotencyKey)
		found, err := migrations(out, err)
		if err != nil {
			return m, err
		}
		if len(found) > 0 && run != nil {
			return found[0], s.end()
		}
		if len(found) > 0 {
			m.Version = found[0].Version
		}
	}
	if run != nil {
		if err := run(); err != nil {
			return m, err
		}
	}
	if m.Version == "" {
		var err error
		if m.Version, err = s.nextVersion(now); err != nil {
			return m, err
		}
	}
	_, err := s.Statement(`INSERT INTO supabase_migrations.schema_migrations AS m (version, name, statements, created_by, idempotency_key, rollback)
		VALUES ($1::text, $2::text, $3::text[], $4::text, $5::text, $6::text[])
		ON CONFLICT (version) DO UPDATE SET name = EXCLUDED.name, statements = EXCLUDED.statements, rollback = EXCLUDED.rollback`,
		m.Version, m.Name, list(m.Statements), m.CreatedBy, orNull(m.IdempotencyKey), list(m.Rollback))
	if err != nil {
		return m, err
	}
	return m, s.end()
}

// end commits.
func (s *Session) end() error {
	_, err := s.Script("COMMIT")
	return err
}

// nextVersion is the time, or more than the last version.
func (s *Session) nextVersion(now time.Time) (string, error) {
	out, err := s.Statement(`SELECT pg_catalog.max(version) AS version FROM supabase_migrations.schema_migrations
		WHERE version OPERATOR(pg_catalog.~) '^[0-9]{14}$'`)
	if err != nil {
		return "", err
	}
	var last struct{ Version string }
	if len(out.Rows) != 1 || json.Unmarshal(out.Rows[0], &last) != nil {
		return "", ErrHistory
	}
	version := now.UTC().Format("20060102150405")
	if n, err := strconv.ParseInt(last.Version, 10, 64); err == nil && last.Version >= version {
		version = fmt.Sprintf("%014d", n+1)
	}
	return version, nil
}

// ChangeMigration changes the name and the rollback of a migration, where they are not
// nil; ErrNoMigration.
func (s *Session) ChangeMigration(version string, name, rollback *string) (Migration, error) {
	if _, err := s.Script("BEGIN; " + ensureHistory); err != nil {
		return Migration{}, err
	}
	var newName, newRollback any
	if name != nil {
		newName = *name
	}
	if rollback != nil {
		newRollback = list([]string{*rollback})
	}
	out, err := s.Statement(`UPDATE supabase_migrations.schema_migrations AS m
		SET name = coalesce($2::text, m.name), rollback = coalesce($3::text[], m.rollback) WHERE m.version = $1::text
		RETURNING pg_catalog.to_jsonb(m) AS m`, version, newName, newRollback)
	m, err := one(migrations(out, err))
	if err != nil {
		return m, err
	}
	return m, s.end()
}

// Rollback runs the rollback statements of the migrations from a version on, the newest
// first, and removes them from the history, in one transaction. ErrNoRollback,
// ErrNoMigration if there are none.
func (s *Session) Rollback(from string) ([]Migration, error) {
	if _, err := s.Script("BEGIN; " + ensureHistory); err != nil {
		return nil, err
	}
	out, err := s.Statement(selectHistory+` WHERE m.version >= $1::text COLLATE "C" ORDER BY m.version COLLATE "C" DESC`, from)
	found, err := migrations(out, err)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNoMigration
	}
	for _, m := range found {
		if len(m.Rollback) == 0 {
			return nil, ErrNoRollback.Saying(fmt.Sprintf("Migration %s has no statements to roll it back: nothing was changed", fault.Clip(m.Version, 50)))
		}
	}
	for _, m := range found {
		for _, sql := range m.Rollback {
			if _, err := s.Script(sql); err != nil {
				return nil, err
			}
			if !s.InTransaction() {
				return nil, ErrHistory.Saying("The rollback of migration " + fault.Clip(m.Version, 50) + " ends the transaction")
			}
		}
		if _, err := s.Statement(`DELETE FROM supabase_migrations.schema_migrations WHERE version = $1::text`, m.Version); err != nil {
			return nil, err
		}
	}
	return found, s.end()
}

// migrations decodes rows of the history; none if there is no table.
func migrations(out Result, err error) ([]Migration, error) {
	if state, _ := fault.From(err).Details["sqlstate"].(string); err != nil && slices.Contains([]string{"42P01", "3F000"}, state) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found := make([]Migration, len(out.Rows))
	for i, row := range out.Rows {
		var r struct{ M *Migration }
		if json.Unmarshal(row, &r) != nil || r.M == nil || r.M.Version == "" {
			return nil, ErrHistory
		}
		found[i] = *r.M
	}
	return found, nil
}

// one returns the only migration; ErrNoMigration.
func one(found []Migration, err error) (Migration, error) {
	if err != nil {
		return Migration{}, err
	}
	if len(found) == 0 {
		return Migration{}, ErrNoMigration
	}
	return found[0], nil
}

// list is a parameter of type text[]; NULL for none.
func list(texts []string) any {
	if texts == nil {
		return nil
	}
	out := make([]any, len(texts))
	for i, text := range texts {
		out[i] = text
	}
	return out
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
