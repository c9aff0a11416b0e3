package provision

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/reevehq/reeve/internal/controldb"
)

// canaries is the number of failures in a row, at the beginning, that stop a
// migration of the fleet: one may be the project's fault, two are the
// migration's.
const canaries = 2

// maxFleet bounds the databases that MigrateFleet works on at a time.
const maxFleet = 3

// ErrCanary is returned when the first databases could not be migrated, so the
// others were not tried.
var ErrCanary = errors.New("provision: the first databases failed, the others were not touched")

// MigrateFleet migrates the template and then every complete database to this
// binary's schema: one first, then the others in parallel (at most three), and
// last those in which somebody holds a lock. Every database of the cluster is
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
	blocked := run.all(ctx, parallel, rest, run.quick)
	run.all(ctx, parallel, blocked, run.patient)
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

// all calls fn for each of the databases, in parallel, and returns those that are
// blocked.
func (r *fleetRun) all(ctx context.Context, parallel int, databases []Outcome, fn func(context.Context, Outcome) error) (blocked []Outcome) {
	var mu sync.Mutex
	group := errgroup.Group{}
	group.SetLimit(max(1, min(parallel, maxFleet)))
	for i, o := range databases {
		if ctx.Err() != nil {
			r.skip(databases[i:])
			break
		}
		group.Go(func() error {
			if err := fn(ctx, o); errors.Is(err, errBlocked) {
				mu.Lock()
				defer mu.Unlock()
				blocked = append(blocked, o)
			}
			return nil
		})
	}
	_ = group.Wait()
	return blocked
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
// means that none did. A lock that nobody gives up says nothing about the
// migration.
func (r *fleetRun) canary(ctx context.Context, all []Outcome) (rest []Outcome, stop bool) {
	failed := 0
	for i, o := range all {
		if ctx.Err() != nil {
			return all[i:], false
		}
		err := r.quick(ctx, o)
		if errors.Is(err, errBlocked) {
			err = r.patient(ctx, o)
		}
		switch {
		case err == nil:
			return all[i+1:], false
		case !lockTimedOut(err) && !errors.Is(err, controldb.ErrNoDatabase):
			failed++
		}
		if failed == canaries {
			return all[i+1:], true
		}
	}
	return nil, false
}

// quick migrates a database, unless that must wait for a lock: errBlocked, and
// nothing is reported.
func (r *fleetRun) quick(ctx context.Context, o Outcome) error {
	version, err := r.s.migrateQuickly(ctx, o.Ref)
	if !errors.Is(err, errBlocked) {
		r.done(ctx, o, version, err)
	}
	return err
}

// patient migrates a database, and ends the sessions that block it.
func (r *fleetRun) patient(ctx context.Context, o Outcome) error {
	version, err := r.s.migrateDatabase(ctx, o.Ref)
	r.done(ctx, o, version, err)
	return err
}

func (r *fleetRun) done(ctx context.Context, o Outcome, version int64, err error) {
	switch {
	case err == nil:
		o.State, o.To = MigrationDone, version
	case errors.Is(err, controldb.ErrNoDatabase):
		o.State = MigrationUnfinished // deleted in the meantime
	case ctx.Err() == nil:
		o.State, o.Err = MigrationFailed, err
	}
	r.tell(o)
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
