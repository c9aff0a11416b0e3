package provision

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

const (
	// maxAttempts is the number of failures after which a creation is given up.
	maxAttempts = 5
	maxBackoff  = 5 * time.Minute
	// maxRolesBackoff is longer, because nothing waits for roles to be dropped.
	maxRolesBackoff = time.Hour
	recoverTick     = time.Minute
)

// Recover finishes creations, deletions, pauses and restores that failed or whose process was
// killed. Any number of replicas may call it at the same time; it skips
// databases that another process works on. It returns the errors of those that
// failed again. Run drops roles that outlived their database.
func (s *Service) Recover(ctx context.Context) error {
	if err := s.init(); err != nil {
		return err
	}
	unfinished, err := s.Control.UnfinishedDatabases(ctx, s.Cluster.ID, maxAttempts, s.Now())
	if err != nil {
		return err
	}
	var all []error
	for _, d := range unfinished {
		if ctx.Err() != nil {
			return errors.Join(append(all, ctx.Err())...)
		}
		if d.State == controldb.DatabaseDropping {
			_, err = s.drop(ctx, d.Ref, false)
		} else {
			_, err = s.build(ctx, d.Ref, false)
		}
		if err != nil {
			all = append(all, err)
		}
	}
	return errors.Join(append(all, s.settleAll(ctx))...)
}

// lockTimedOut reports whether a statement gave up waiting for a lock (SQLSTATE
// lock_not_available).
func lockTimedOut(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == "55P03"
}

// failed records a failed attempt. After maxAttempts a creation is given up:
// the project is failed until it is deleted, and a database without a project
// is dropped. An interruption or an unreachable server says nothing about the
// database and does not count. A lock timeout does count, so that attempts
// become rarer.
func (s *Service) failed(ctx context.Context, ref tenants.Ref, cause error) {
	counts := ctx.Err() == nil && (lockTimedOut(cause) || !errors.Is(controldb.Fault(cause), controldb.ErrUnavailable))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	err := s.Control.Tx(ctx, func(tx *controldb.Tx) error {
		d, err := tx.DatabaseByRef(ctx, ref)
		if err != nil {
			return err
		}
		longest := maxBackoff
		if d.State == controldb.DatabaseDroppingRoles {
			longest = maxRolesBackoff
		}
		backoff := min(time.Second<<min(d.Attempts, 20), longest)
		retryAt := s.Now().Add(backoff)
		if !counts {
			return tx.DatabaseDeferred(ctx, ref, cause.Error(), retryAt)
		}
		if err := tx.DatabaseFailed(ctx, ref, cause.Error(), retryAt); err != nil {
			return err
		}
		if d.State != controldb.DatabaseCreating || d.Attempts+1 < maxAttempts {
			return nil
		}
		err = tx.SetProjectStatus(ctx, ref, tenants.StatusFailed)
		if errors.Is(err, controldb.ErrNoProject) {
			return tx.DropDatabase(ctx, ref)
		}
		return err
	})
	if err != nil {
		s.Logger.WarnContext(ctx, "cannot record a failed attempt", "project", ref, "cause", cause, "error", err)
	}
}
