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

// canaries is the number of failures in a row, at the beginning, that stop a
// migration of the fleet: one may be the project's fault, two are the
// migration's.
const canaries = 2

// ErrCanary is returned when the first databases could not be migrated, so the
// others were not tried.
var ErrCanary = errors.New("provision: the first databases failed, the others were not touched")

// MigrateFleet migrates the template and then every complete database to this
// binary's schema: one first, then the others in parallel (at most three,
// because each holds an admin connection). Every database of the cluster is
// reported once. A failure does not stop the others; the failed database keeps
// its version, so another run continues there. The error says how many failed;
// their reasons are in the report.
func (s *Service) MigrateFleet(ctx context.Context, parallel int, report Report) error {
	if err := s.init(); err != nil {
		return err
	}
	err := s.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error { return s.ensureTemplate(ctx, c.Conn()) })
	if err != nil {
		return fmt.Errorf("migrate template: %w", err)
	}
	fleet, err := s.fleet(ctx)
	if err != nil {
		return err
	}
	run := fleetRun{s: s, report: report}
	behind := run.settled(fleet)
	rest, stop := run.canary(ctx, behind)
	if stop {
		run.skip(rest)
		return ErrCanary
	}
	// Each holds an admin connection; one is left for projects that are created.
	group := errgroup.Group{}
	group.SetLimit(max(1, min(parallel, adminConns-1)))
	for i, o := range rest {
		if ctx.Err() != nil {
			run.skip(rest[i:])
			break
		}
		group.Go(func() error { run.one(ctx, o); return nil })
	}
	_ = group.Wait()
	if ctx.Err() == nil && run.failed > 0 {
		return fmt.Errorf("%d of %d databases could not be migrated", run.failed, len(behind))
	}
	return ctx.Err()
}

// fleetRun is one migration of the fleet.
type fleetRun struct {
	s      *Service
	report Report
	mu     sync.Mutex
	failed int
}

// settled reports those that need no migration, and returns the others.
func (r *fleetRun) settled(fleet []Outcome) (behind []Outcome) {
	for _, o := range fleet {
		if o.State == MigrationPending {
			behind = append(behind, o)
		} else {
			r.tell(o)
		}
	}
	return behind
}

// canary migrates until one succeeded and returns the remaining ones; stop
// means that none did.
func (r *fleetRun) canary(ctx context.Context, all []Outcome) (rest []Outcome, stop bool) {
	for i, o := range all {
		if ctx.Err() != nil {
			return all[i:], false
		}
		if r.one(ctx, o) {
			return all[i+1:], false
		}
		if r.failed == canaries {
			return all[i+1:], true
		}
	}
	return nil, false
}

func (r *fleetRun) one(ctx context.Context, o Outcome) bool {
	version, err := r.s.migrateDatabase(ctx, o.Ref)
	switch {
	case err == nil:
		o.State, o.To = MigrationDone, version
	case errors.Is(err, controldb.ErrNoDatabase):
		o.State = MigrationUnfinished // deleted in the meantime
	case ctx.Err() == nil:
		o.State, o.Err = MigrationFailed, err
	}
	r.tell(o)
	return err == nil
}

// skip reports those that were not tried.
func (r *fleetRun) skip(rest []Outcome) {
	for _, o := range rest {
		r.tell(o)
	}
}

func (r *fleetRun) tell(o Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if o.State == MigrationFailed {
		r.failed++
	}
	if r.report != nil {
		r.report(o)
	}
}

// migrateDatabase migrates one complete database and records its version or its
// failure.
func (s *Service) migrateDatabase(ctx context.Context, ref tenants.Ref) (version int64, err error) {
	_, err = s.lockedDatabase(ctx, ref, true, func(*pgx.Conn) error {
		known, err := s.schema()
		if err != nil {
			return err
		}
		d, err := s.Control.DatabaseByRef(ctx, ref)
		version = d.SchemaVersion
		if err != nil || d.SchemaVersion >= known.version {
			return err // the previous holder of the lock has done it
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
