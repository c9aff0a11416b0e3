package provision

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
)

const (
	// upgradeWait is how long a request waits for its project's migration.
	upgradeWait = 2 * time.Second
	// upgradeTimeout bounds an attempt to migrate one database.
	upgradeTimeout = 2 * time.Minute
	// upgradeBackoff is the pause after a failed migration.
	upgradeBackoff = 10 * time.Second
	// quickUpgrades and patientUpgrades bound the attempts at a time.
	quickUpgrades   = 2
	patientUpgrades = 4
	// maxUpgradeWaiting bounds the requests of a project that wait.
	maxUpgradeWaiting = 1000
)

// ErrMigrating is returned while a project's schema is being migrated, or after
// that failed; it is tried again after RetryAfter.
var ErrMigrating = fault.New(fault.Unavailable, "project_migrating",
	"The project's database is being brought up to date").After(upgradeWait)

// messageBlocked is ErrMigrating's message where locks are the cause.
const messageBlocked = "The project's database is being brought up to date, which waits for locks that sessions in it hold"

// upgrades are the migrations that requests need.
type upgrades struct {
	quick, patient turns
	mu             sync.Mutex
	byRef          map[tenants.Ref]*upgrade
}

// turns bounds how many attempts run at a time.
type turns chan struct{}

// run calls fn in turn, unless ctx ends before.
func (t turns) run(ctx context.Context, fn func() error) error {
	select {
	case t <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-t }()
	return fn()
}

// upgrade is the migration of one database. A finished one is kept only if it
// failed.
type upgrade struct {
	done    chan struct{} // closed after err and retryAt were set
	err     error
	retryAt time.Time
	blocked atomic.Bool // the quick attempt gave up; that of the next upgrade would too
	waiting atomic.Int32
}

func newUpgrades() upgrades {
	return upgrades{
		quick: make(turns, quickUpgrades), patient: make(turns, patientUpgrades),
		byRef: map[tenants.Ref]*upgrade{},
	}
}

// EnsureSchema migrates a tenant's database if it is behind this binary;
// usually that is a comparison of two numbers. All requests of a project share
// one attempt, which does not depend on them: ErrMigrating when it takes longer
// than two seconds, and for ten seconds after it failed. Callers hold nothing
// that projects share while they wait.
func (s *Service) EnsureSchema(ctx context.Context, t *tenants.Tenant) error {
	if err := s.init(); err != nil {
		return err
	}
	known, err := s.schema()
	if err != nil || t.SchemaVersion >= known.version {
		return err
	}
	u := s.upgrade(ctx, t.Ref)
	if u.waiting.Add(1) > maxUpgradeWaiting {
		u.waiting.Add(-1)
		return u.unavailable()
	}
	defer u.waiting.Add(-1)
	timer := time.NewTimer(upgradeWait)
	defer timer.Stop()
	select {
	case <-u.done:
		if u.err == nil {
			return nil
		}
		return u.unavailable().Because(u.err).After(max(upgradeWait, u.retryAt.Sub(s.Now())))
	case <-timer.C:
		return u.unavailable()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (u *upgrade) unavailable() *fault.Error {
	if u.blocked.Load() {
		return ErrMigrating.Saying(messageBlocked)
	}
	return ErrMigrating
}

// upgrade returns the attempt in progress or that failed recently, or begins
// one.
func (s *Service) upgrade(ctx context.Context, ref tenants.Ref) *upgrade {
	s.upgrades.mu.Lock()
	defer s.upgrades.mu.Unlock()
	last := s.upgrades.byRef[ref]
	if last != nil && (last.retryAt.IsZero() || s.Now().Before(last.retryAt)) {
		return last
	}
	u := &upgrade{done: make(chan struct{})}
	u.blocked.Store(last != nil && last.blocked.Load())
	s.upgrades.byRef[ref] = u
	s.background.Go(func() {
		err := s.upgradeInTurn(ctx, ref, u)
		s.upgrades.mu.Lock()
		defer s.upgrades.mu.Unlock()
		if u.err = err; err == nil {
			delete(s.upgrades.byRef, ref)
		} else {
			u.retryAt = s.Now().Add(upgradeBackoff)
			s.Logger.ErrorContext(ctx, "project cannot be brought up", "project", ref, "error", err)
			s.Log.Add(ctx, upgradeEntry(ref, err))
		}
		close(u.done)
	})
	return u
}

// upgradeEntry tells the project's developers why requests are refused until the
// migration succeeds. Often their own sessions or objects are in its way.
func upgradeEntry(ref tenants.Ref, err error) projectlog.Entry {
	e := projectlog.Entry{
		Project: string(ref), Code: "upgrade_failed",
		Message: "The schema of the project's database could not be migrated to the server's release. Requests are refused until it is; it is tried again.",
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		e.Detail = map[string]any{"sqlstate": pg.Code, "error": pg.Message, "hint": pg.Hint, "constraint": pg.ConstraintName}
	}
	return e
}

func (s *Service) upgradeInTurn(ctx context.Context, ref tenants.Ref, u *upgrade) error {
	if done, err := s.upgraded(ctx, ref); err != nil || done {
		return err
	}
	if !u.blocked.Load() {
		err := s.upgrades.quick.run(s.ctx, func() error {
			ctx, cancel := s.detach(ctx, upgradeTimeout)
			defer cancel()
			_, err := s.migrateQuickly(ctx, ref)
			return err
		})
		if !errors.Is(err, errBlocked) {
			return err
		}
		s.Logger.WarnContext(ctx, "project is brought up later", "project", ref, "error", err)
		u.blocked.Store(true)
	}
	return s.upgrades.patient.run(s.ctx, func() error {
		ctx, cancel := s.detach(ctx, upgradeTimeout)
		defer cancel()
		_, err := s.migrateDatabase(ctx, ref)
		return err
	})
}

// upgraded reports whether the database was migrated since the snapshot that the
// request has.
func (s *Service) upgraded(ctx context.Context, ref tenants.Ref) (bool, error) {
	known, err := s.schema()
	if err != nil {
		return false, err
	}
	ctx, cancel := s.detach(ctx, connectTimeout)
	defer cancel()
	d, err := s.Control.DatabaseByRef(ctx, ref)
	return d.SchemaVersion >= known.version, err
}
