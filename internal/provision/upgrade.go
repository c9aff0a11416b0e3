package provision

import (
	"context"
	"sync"
	"time"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

const (
	// upgradeWait is how long a request waits for its project's migration.
	upgradeWait = 2 * time.Second
	// upgradeTimeout bounds the migration of one database, from its start.
	upgradeTimeout = 2 * time.Minute
	// upgradeBackoff is the pause after a failed migration.
	upgradeBackoff = 10 * time.Second
	// maxUpgrades bounds concurrent migrations: each holds an admin connection
	// and opens another, and projects must still be created.
	maxUpgrades = 2
)

// ErrMigrating is returned while a project's schema is being migrated, or after
// that failed; it is tried again after RetryAfter.
var ErrMigrating = fault.New(fault.Unavailable, "project_migrating",
	"The project's database is being brought up to date").After(upgradeWait)

// upgrades are the migrations that requests need.
type upgrades struct {
	slots chan struct{}
	mu    sync.Mutex
	byRef map[tenants.Ref]*upgrade
}

// upgrade is the migration of one database. A finished one is kept only if it
// failed.
type upgrade struct {
	done    chan struct{} // closed after err and retryAt were set
	err     error
	retryAt time.Time
}

func newUpgrades() upgrades {
	return upgrades{slots: make(chan struct{}, maxUpgrades), byRef: map[tenants.Ref]*upgrade{}}
}

// EnsureSchema migrates a tenant's database if it is behind this binary;
// usually that is a comparison of two numbers. All requests of a project share
// one attempt, which does not depend on them: ErrMigrating when it takes longer
// than two seconds, and for ten seconds after it failed.
func (s *Service) EnsureSchema(ctx context.Context, t *tenants.Tenant) error {
	if err := s.init(); err != nil {
		return err
	}
	known, err := s.schema()
	if err != nil || t.SchemaVersion >= known.version {
		return err
	}
	u := s.upgrade(ctx, t.Ref)
	timer := time.NewTimer(upgradeWait)
	defer timer.Stop()
	select {
	case <-u.done:
		if u.err == nil {
			return nil
		}
		return ErrMigrating.Because(u.err).After(max(upgradeWait, u.retryAt.Sub(s.Now())))
	case <-timer.C:
		return ErrMigrating
	case <-ctx.Done():
		return ctx.Err()
	}
}

// upgrade returns the attempt in progress or that failed recently, or begins
// one.
func (s *Service) upgrade(ctx context.Context, ref tenants.Ref) *upgrade {
	s.upgrades.mu.Lock()
	defer s.upgrades.mu.Unlock()
	if u := s.upgrades.byRef[ref]; u != nil && (u.retryAt.IsZero() || s.Now().Before(u.retryAt)) {
		return u
	}
	u := &upgrade{done: make(chan struct{})}
	s.upgrades.byRef[ref] = u
	s.background.Go(func() {
		err := s.upgradeInTurn(ctx, ref)
		s.upgrades.mu.Lock()
		defer s.upgrades.mu.Unlock()
		if u.err = err; err == nil {
			delete(s.upgrades.byRef, ref)
		} else {
			u.retryAt = s.Now().Add(upgradeBackoff)
			s.Logger.ErrorContext(ctx, "project cannot be brought up", "project", ref, "error", err)
		}
		close(u.done)
	})
	return u
}

func (s *Service) upgradeInTurn(ctx context.Context, ref tenants.Ref) error {
	select {
	case s.upgrades.slots <- struct{}{}:
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
	defer func() { <-s.upgrades.slots }()
	ctx, cancel := s.detach(ctx, upgradeTimeout)
	defer cancel()
	_, err := s.migrateDatabase(ctx, ref)
	return err
}
