package provision

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// canaries is how many failures in a row, at the beginning, stop a migration of
// the fleet: one may be the project's fault, two are the migration's.
const canaries = 2

// ErrCanary is returned when the first projects could not be migrated and the
// others were therefore left alone.
var ErrCanary = errors.New("provision: the first projects failed, the others were not touched")

// Report hears of each project that was migrated, or failed to be. It is called
// by one goroutine at a time.
type Report func(ref tenants.Ref, from, to int64, err error)

// MigrateFleet brings the template and then every complete database to the
// schema that this binary knows: one project first, the others in parallel (at
// most three, for each holds a connection of the admin). A
// project that fails is reported and does not stop the others; it keeps its
// version, so another run takes up where this one ended. The error joins those
// of the failed projects.
func (s *Service) MigrateFleet(ctx context.Context, parallel int, report Report) error {
	if err := s.init(); err != nil {
		return err
	}
	known, err := s.schema()
	if err != nil {
		return err
	}
	err = s.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error { return s.ensureTemplate(ctx, c.Conn()) })
	if err != nil {
		return fmt.Errorf("migrate template: %w", err)
	}
	behind, err := s.Control.DatabasesBelow(ctx, s.Cluster.ID, known.version)
	if err != nil {
		return err
	}
	run := fleetRun{s: s, report: report}
	rest, stop := run.canary(ctx, behind)
	if stop {
		return errors.Join(append([]error{ErrCanary}, run.failed...)...)
	}
	group, _ := errgroup.WithContext(ctx)
	// Each holds an admin connection; one is left for projects that are created.
	group.SetLimit(max(1, min(parallel, adminConns-1)))
	for _, d := range rest {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { _ = run.one(ctx, d); return nil })
	}
	_ = group.Wait()
	return errors.Join(append(run.failed, ctx.Err())...)
}

// fleetRun is one migration of the fleet.
type fleetRun struct {
	s      *Service
	report Report
	mu     sync.Mutex
	failed []error
}

// canary migrates until one project succeeded and gives those that remain; stop
// says that none did.
func (r *fleetRun) canary(ctx context.Context, all []controldb.Database) (rest []controldb.Database, stop bool) {
	for i, d := range all {
		if r.one(ctx, d) == nil {
			return all[i+1:], false
		}
		if i+1 == canaries {
			return nil, true
		}
	}
	return nil, false
}

func (r *fleetRun) one(ctx context.Context, d controldb.Database) error {
	version, err := r.s.migrateDatabase(ctx, d.Ref)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		version = d.SchemaVersion
		r.failed = append(r.failed, err)
	}
	if r.report != nil {
		r.report(d.Ref, d.SchemaVersion, version, err)
	}
	return err
}

// EnsureSchema brings a tenant's database up where it is behind what this binary
// knows; usually that is a comparison of two numbers.
func (s *Service) EnsureSchema(ctx context.Context, t *tenants.Tenant) error {
	if err := s.init(); err != nil {
		return err
	}
	known, err := s.schema()
	if err != nil || t.SchemaVersion >= known.version {
		return err
	}
	_, err = s.migrateDatabase(ctx, t.Ref)
	return err
}

// migrateDatabase migrates one complete database and records its version; a
// failure is recorded too.
func (s *Service) migrateDatabase(ctx context.Context, ref tenants.Ref) (version int64, err error) {
	_, err = s.lockedDatabase(ctx, ref, true, func(*pgx.Conn) error {
		known, err := s.schema()
		if err != nil {
			return err
		}
		d, err := s.Control.DatabaseByRef(ctx, ref)
		version = d.SchemaVersion
		if err != nil || d.SchemaVersion >= known.version {
			return err // nothing left to do for who waited
		}
		if d.State != controldb.DatabaseWarm && d.State != controldb.DatabaseAssigned {
			return controldb.ErrNoDatabase
		}
		if version, err = s.migrate(ctx, ref.Database()); err != nil {
			return err
		}
		err = s.asAdmin(ctx, ref.Database(), func(conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, adoptSQL, ref.AuthRole(), ref.APIRole(), ref.OwnerRole())
			return err
		})
		if err != nil {
			return fmt.Errorf("hand new objects over: %w", err)
		}
		return s.Control.Tx(ctx, func(tx *controldb.Tx) error { return tx.DatabaseMigrated(ctx, ref, version) })
	})
	if err != nil {
		err = fmt.Errorf("migrate project %s: %w", ref, err)
		s.failed(ctx, ref, err)
	}
	return version, err
}
