package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// A paused project's database is closed: its roles may not connect to it, and their
// sessions are ended. Only the right to connect is taken, so that the guard's
// shut-outs, which take the right to log in, are not touched, and the admin can
// still migrate the database and drop roles. What is to be done is the project's
// status, which is committed first; the steps can be repeated, so Recover finishes
// them for a killed process.
const (
	// pauseGrace is how long sessions of the project may finish what they do. Other
	// processes look for changes of projects twice a second, so by then none of them
	// uses the database.
	pauseGrace = time.Second
	pauseTick  = 50 * time.Millisecond
	// pauseQuiet is for how long no session must be seen: one that was opened before
	// the right was taken becomes visible a moment later.
	pauseQuiet = 250 * time.Millisecond
	// settleTimeout bounds an attempt: a session may execute a function that Postgres
	// does not interrupt.
	settleTimeout = 15 * time.Second
	settlesAtOnce = 4
	// settleLockTimeout is how long Recover waits for other work on the database.
	settleLockTimeout = 100 * time.Millisecond
)

// ErrPaused is returned for a change that a paused project does not allow.
var ErrPaused = fault.New(fault.Conflict, "project_paused", "The project is paused: restore it first")

// errRecalled ends an attempt to pause a project that is no longer to be paused.
var errRecalled = errors.New("provision: the project was restored or deleted meanwhile")

// Pause closes the database of a project until it is restored. From the commit of
// its status on it is not served; running statements get a second. Pause waits up
// to 20 seconds; the returned project is still pausing if that was not enough, and
// is paused in the background. A project that is paused stays so. Faults:
// project_not_found, ErrNotReady.
func (s *Service) Pause(ctx context.Context, ref tenants.Ref) (controldb.Project, error) {
	return s.move(ctx, ref, tenants.StatusPausing, func(p controldb.Project) bool {
		return p.Status == tenants.StatusPausing || p.Status == tenants.StatusPaused
	})
}

// Restore opens the database of a paused project, or of one that is being paused. A
// project that is active stays so. Otherwise as Pause.
func (s *Service) Restore(ctx context.Context, ref tenants.Ref) (controldb.Project, error) {
	return s.move(ctx, ref, tenants.StatusRestoring, func(p controldb.Project) bool {
		return p.Status == tenants.StatusRestoring || p.Status == tenants.StatusActive
	})
}

// move commits the status, unless the project is there already, and does what it
// says.
func (s *Service) move(ctx context.Context, ref tenants.Ref, to tenants.Status, already func(controldb.Project) bool) (controldb.Project, error) {
	if err := s.init(); err != nil {
		return controldb.Project{}, err
	}
	err := s.Control.Tx(ctx, func(tx *controldb.Tx) error {
		p, err := tx.LockProject(ctx, ref)
		if err != nil || already(p) {
			return err
		}
		if p.Status != tenants.StatusActive && !p.Status.Paused() {
			return ErrNotReady
		}
		if err := tx.DatabaseWorks(ctx, ref); err != nil { // due at once, whatever failed before
			return err
		}
		return tx.MoveProject(ctx, ref, p.Status, to)
	})
	if err != nil {
		return controldb.Project{}, err
	}
	s.after(string(to))
	if err := s.await(ctx, answerTimeout, ref, s.settle); err != nil {
		s.Logger.WarnContext(ctx, "project is not paused or restored yet", "project", ref, "error", err)
	}
	return s.Control.ProjectByRef(ctx, ref)
}

// settleAll finishes what other processes began.
func (s *Service) settleAll(ctx context.Context) error {
	refs, err := s.Control.UnsettledProjects(ctx, s.Cluster.ID, s.Now())
	if err != nil {
		return err
	}
	var all []error
	for _, ref := range refs {
		if ctx.Err() != nil {
			return errors.Join(append(all, ctx.Err())...)
		}
		if _, err := s.settle(ctx, ref, false); err != nil {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// settle does what the project's status says. It returns false when another process
// works on the database and wait is false. It records a failed attempt.
func (s *Service) settle(outer context.Context, ref tenants.Ref, wait bool) (bool, error) {
	err := s.settles.run(outer, func() error {
		ctx, cancel := context.WithTimeout(outer, finishTimeout)
		defer cancel()
		timeout := time.Duration(0)
		if !wait {
			timeout = settleLockTimeout
		}
		return s.lockedApart(ctx, ref, timeout, func(conn *pgx.Conn) error { return s.settleLocked(ctx, conn, ref) })
	})
	if !wait && lockTimedOut(err) {
		return false, nil
	}
	if err != nil {
		err = fmt.Errorf("pause or restore %s: %w", ref, err)
		s.failed(outer, ref, err)
	}
	return true, err
}

// settleLocked follows the status until it asks for nothing: it may change
// meanwhile.
func (s *Service) settleLocked(ctx context.Context, conn *pgx.Conn, ref tenants.Ref) error {
	for {
		p, err := s.Control.ProjectByRef(ctx, ref)
		if errors.Is(err, controldb.ErrNoProject) {
			return nil
		}
		if err != nil {
			return err
		}
		var done tenants.Status
		switch p.Status {
		case tenants.StatusPausing:
			done, err = tenants.StatusPaused, s.close(ctx, conn, ref)
		case tenants.StatusRestoring:
			done, err = tenants.StatusActive, s.reopen(ctx, conn, ref)
		default:
			return nil
		}
		if errors.Is(err, errRecalled) {
			continue
		}
		if err != nil {
			return err
		}
		s.after(string(p.Status) + " done")
		err = s.Control.Tx(ctx, func(tx *controldb.Tx) error {
			if err := tx.MoveProject(ctx, ref, p.Status, done); err != nil {
				return err
			}
			return tx.DatabaseWorks(ctx, ref)
		})
		if err != nil && !errors.Is(err, controldb.ErrStale) {
			return err
		}
		if err == nil && done == tenants.StatusActive && s.Restored != nil {
			s.Restored(ref)
		}
		s.after(string(done))
	}
}

// closeSQL and openSQL take and give the right to connect to a project's database.
func closeSQL(ctx context.Context, conn *pgx.Conn, ref tenants.Ref) (string, error) {
	roles, err := existing(ctx, conn, namesOfRoles(ref))
	return "REVOKE CONNECT ON DATABASE " + quote(ref.Database()) + " FROM " + quoteAll(roles), err
}

func openSQL(ctx context.Context, conn *pgx.Conn, ref tenants.Ref) (string, error) {
	roles, err := existing(ctx, conn, namesOfRoles(ref))
	return "GRANT CONNECT ON DATABASE " + quote(ref.Database()) + " TO " + quoteAll(roles), err
}

func (s *Service) reopen(ctx context.Context, conn *pgx.Conn, ref tenants.Ref) error {
	sql, err := openSQL(ctx, conn, ref)
	if err != nil {
		return err
	}
	return s.execDDL(ctx, conn, sql)
}

// close closes a project's database and ends the sessions of its roles; errRecalled
// when the project is no longer to be paused.
func (s *Service) close(ctx context.Context, conn *pgx.Conn, ref tenants.Ref) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	pause(ctx, pauseGrace)
	sql, err := closeSQL(ctx, conn, ref)
	if err != nil {
		return err
	}
	if err := s.execDDL(ctx, conn, sql); err != nil {
		return err
	}
	s.after("closed")
	names := namesOfRoles(ref)
	if err := join(ctx, conn, names); err != nil {
		return err
	}
	for quiet := time.Now(); time.Since(quiet) < pauseQuiet; pause(ctx, pauseTick) {
		p, err := s.Control.ProjectByRef(ctx, ref)
		if err == nil && p.Status != tenants.StatusPausing || errors.Is(err, controldb.ErrNoProject) {
			return errRecalled
		}
		if err != nil {
			return err
		}
		var left int
		err = conn.QueryRow(ctx, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = ANY($1)`, names).Scan(&left)
		if err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
		if left > 0 {
			quiet = time.Now()
		}
	}
	return ctx.Err()
}
