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
	// maxAttempts is after how many failures a creation is given up.
	maxAttempts = 5
	maxBackoff  = 5 * time.Minute
	// maxRolesBackoff is longer: nothing waits for roles to go.
	maxRolesBackoff = time.Hour
	recoverTick     = time.Minute
)

// Recover finishes what killed or failed creations and deletions left. Any
// number of replicas may do it at once; what another process works on is passed
// over. It returns the errors of those that failed again. Roles that outlived their
// database are left to Run.
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
			_, err = s.prepare(ctx, d.Ref, false)
		}
		if err != nil {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// lockTimedOut tells whether a statement gave up waiting for a lock (SQLSTATE
// lock_not_available).
func lockTimedOut(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == "55P03"
}

// failed records a failed attempt. After maxAttempts a creation is given up: the
// project is failed and waits for its deletion, a database for nobody is dropped.
// What says nothing about the database, an interruption or a server that cannot
// be reached, is tried again for ever. A lock that somebody holds there does say
// something: the attempts count, so that they become rarer.
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
