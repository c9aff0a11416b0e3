package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// The owner of a project can hold a lock on its tables for any time. So a database
// is migrated in two attempts. The quick one gives up as soon as it must wait.
// Nothing is lost by that: each migration is a transaction. The patient one waits,
// and after a moment ends the sessions that it waits for. They take turns apart
// from each other, so that a database that nobody blocks never waits for one that
// somebody does.
const (
	quickTimeout     = 2 * time.Second
	quickLockTimeout = 200 * time.Millisecond
	// patientLockTimeout bounds the wait for a lock that no session of a project
	// holds, such as an operator's. The requests behind it wait too.
	patientLockTimeout = 5 * time.Second
	// patientGrace is how long the sessions of a project may block its migration.
	patientGrace = time.Second
)

// errBlocked is returned by a quick attempt that gave up.
var errBlocked = errors.New("it waits for locks, or takes long")

// migrateQuickly migrates one complete database, unless that must wait for a lock
// or takes long: errBlocked, and nothing is recorded.
func (s *Service) migrateQuickly(outer context.Context, ref tenants.Ref) (version int64, err error) {
	ctx, cancel := context.WithTimeout(outer, quickTimeout)
	defer cancel()
	err = s.lockedApart(ctx, ref, quickLockTimeout, func(*pgx.Conn) (err error) {
		version, err = s.migrateLocked(ctx, ref, quickLockTimeout, &blocked{})
		return err
	})
	if lockTimedOut(err) || err != nil && ctx.Err() != nil && outer.Err() == nil {
		return version, fmt.Errorf("migrate project %s: %w: %w", ref, errBlocked, err)
	}
	return version, s.migrated(outer, ref, err)
}

// migrateDatabase migrates one complete database, and ends the sessions of projects'
// roles that block it.
func (s *Service) migrateDatabase(ctx context.Context, ref tenants.Ref) (version int64, err error) {
	err = s.lockedApart(ctx, ref, 0, func(*pgx.Conn) error {
		b := blocked{after: patientGrace}
		return s.unblocked(ctx, &b, func() (err error) {
			version, err = s.migrateLocked(ctx, ref, patientLockTimeout, &b)
			return err
		})
	})
	return version, s.migrated(ctx, ref, err)
}

// migrated records a failed attempt.
func (s *Service) migrated(ctx context.Context, ref tenants.Ref, err error) error {
	if err != nil {
		err = fmt.Errorf("migrate project %s: %w", ref, err)
		s.failed(ctx, ref, err)
	}
	return err
}

// migrateLocked migrates a database, whose lock the caller holds, and records its
// version.
func (s *Service) migrateLocked(ctx context.Context, ref tenants.Ref, lockTimeout time.Duration, b *blocked) (int64, error) {
	known, err := s.schema()
	if err != nil {
		return 0, err
	}
	d, err := s.Control.DatabaseByRef(ctx, ref)
	if err != nil || d.SchemaVersion >= known.version {
		return d.SchemaVersion, err // the previous holder of the lock has done it
	}
	if d.State != controldb.DatabaseWarm && d.State != controldb.DatabaseAssigned {
		return d.SchemaVersion, controldb.ErrNoDatabase
	}
	cfg, err := s.adminConfig(ref.Database())
	if err != nil {
		return d.SchemaVersion, err
	}
	cfg.RuntimeParams["lock_timeout"] = milliseconds(lockTimeout)
	b.watch(cfg)
	version, err := s.migrate(ctx, cfg)
	if err != nil {
		return d.SchemaVersion, err
	}
	if err := s.handOver(ctx, cfg, ref); err != nil {
		return d.SchemaVersion, fmt.Errorf("hand new objects over: %w", err)
	}
	return version, s.Control.Tx(ctx, func(tx *controldb.Tx) error { return tx.DatabaseMigrated(ctx, ref, version) })
}

// handOver gives the objects that a migration made to the project's roles. The
// database of a paused project stays closed.
func (s *Service) handOver(ctx context.Context, cfg *pgx.ConnConfig, ref tenants.Ref) error {
	p, err := s.Control.ProjectByRef(ctx, ref)
	if err != nil && !errors.Is(err, controldb.ErrNoProject) { // a warm one has none
		return err
	}
	conn, err := connectAmongMany(ctx, cfg)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, adoptSQL, ref.AuthRole(), ref.APIRole(), ref.OwnerRole())
		if err != nil || !p.Status.Paused() {
			return err
		}
		sql, err := closeSQL(ctx, tx.Conn(), ref)
		if err == nil {
			_, err = tx.Exec(ctx, sql)
		}
		return err
	})
}
