package provision

import (
	"context"
	"sync"
	"time"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

const (
	// warmTick is the interval at which warm databases are counted.
	warmTick = 10 * time.Second
	// warmYield is how long the creation of warm databases waits while a caller
	// waits for a project.
	warmYield = 50 * time.Millisecond
)

// Run keeps WarmTarget warm databases, recovers every minute, deletes projects
// whose time is over, and drops roles that could not be dropped with their
// database, until ctx ends; then it
// returns nil. It creates one database at a time, pauses for as long as that
// took, and waits while Create is in progress. Any number of replicas may run
// it.
func (s *Service) Run(ctx context.Context) error {
	if err := s.init(); err != nil {
		return err
	}
	if orphans, err := s.Orphans(ctx); err == nil && len(orphans) > 0 {
		s.Logger.WarnContext(ctx, "databases or roles without a project are on the cluster", "cluster", s.Cluster.ID, "projects", orphans)
	}
	var group sync.WaitGroup
	group.Go(func() { s.every(ctx, recoverTick, nil, s.Recover) })
	// Separately, because references to such a role can make this slow.
	group.Go(func() { s.every(ctx, recoverTick, s.rolesLeft, s.dropLeftRoles) })
	group.Go(func() { s.every(ctx, warmTick, s.taken, s.fill) })
	group.Go(func() { s.every(ctx, expireTick, nil, s.Expire) })
	group.Wait()
	return nil
}

// every calls fn at once, then at each tick and nudge.
func (s *Service) every(ctx context.Context, period time.Duration, nudge <-chan struct{}, fn func(context.Context) error) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		if err := fn(ctx); err != nil && ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "provisioning", "cluster", s.Cluster.ID, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-nudge:
		}
	}
}

// nudge makes Run work before the next tick.
func nudge(to chan<- struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// fill creates warm databases until there are enough. Those of an older binary
// are migrated first: they count but cannot be assigned.
func (s *Service) fill(ctx context.Context) error {
	if err := s.refresh(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if s.creating.Load() > 0 {
			pause(ctx, warmYield)
			continue
		}
		began := time.Now()
		made, err := s.Warm(ctx)
		if err != nil || !made {
			return err
		}
		pause(ctx, time.Since(began))
	}
	return nil
}

func (s *Service) refresh(ctx context.Context) error {
	known, err := s.schema()
	if err != nil {
		return err
	}
	behind, err := s.Control.DatabasesBelow(ctx, s.Cluster.ID, known.version)
	if err != nil {
		return err
	}
	for _, d := range behind {
		if d.State != controldb.DatabaseWarm {
			continue
		}
		if _, err := s.migrateDatabase(ctx, d.Ref); err != nil {
			return err
		}
	}
	return nil
}

// Warm creates one warm database, unless there are WarmTarget already,
// including those being created.
func (s *Service) Warm(ctx context.Context) (made bool, err error) {
	if err := s.init(); err != nil {
		return false, err
	}
	var ref tenants.Ref
	err = s.Control.Tx(ctx, func(tx *controldb.Tx) error {
		ref = ""
		if err := tx.LockWarmCount(ctx); err != nil {
			return err
		}
		n, err := tx.CountWarm(ctx, s.Cluster.ID)
		if err != nil || n >= s.WarmTarget {
			return err
		}
		d, _, err := s.newDatabase("")
		if err != nil {
			return err
		}
		ref = d.Ref
		return tx.CreateDatabase(ctx, d)
	})
	if err != nil || ref == "" {
		return false, err
	}
	s.after("warm")
	_, err = s.build(ctx, ref, true)
	return err == nil, err
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
