package provision

import (
	"context"
	_ "embed" // the SQL below
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// CREATE DATABASE copies a database only while no session is connected to it. It
// holds a lock that new sessions of the source wait for, so no setting closes the
// source: if this process or the server dies, the lock is gone and nothing has to be
// undone. Sessions that are connected get a moment to finish what they do; then
// they are terminated.
const (
	// branchGrace is how long sessions of the source may finish a statement or a
	// transaction. CREATE DATABASE waits five seconds for them.
	branchGrace = time.Second
	branchTick  = 50 * time.Millisecond
	// branchLockTimeout bounds the wait for other work on the source, such as its
	// migration or another branch.
	branchLockTimeout = 15 * time.Second
	// branchCopyTimeout bounds the copy, and so how long new sessions of the source
	// wait.
	branchCopyTimeout = 30 * time.Second
	// branchClearTimeout bounds clear: triggers of the developer run in it.
	branchClearTimeout = 30 * time.Second
	// branchLimit bounds the source's size in bytes, unless the Service sets it.
	branchLimit = 2 << 30
)

// The faults of branches.
var (
	ErrBranchSourceGone = fault.New(fault.Conflict, "branch_source_gone",
		"The project that the branch was copied from does not exist anymore, or is not active")
	ErrBranchSourceBusy = fault.New(fault.Conflict, "branch_source_busy",
		"The project cannot be copied at the moment: a session in its database cannot be ended, or other work on it takes long; try again")
	ErrBranchTooLarge = fault.New(fault.Invalid, "branch_source_too_large",
		"The project's database is too large for a branch")
	ErrBranchRefused = fault.New(fault.Conflict, "branch_refused",
		"The copy could not be handed over: something in the project's database prevents it")
	ErrNoBranch = fault.New(fault.Invalid, "project_not_branch", "The project is not a branch")
)

// Branch creates a project as Create does, as a copy of the project
// n.BranchOf: its database and its settings without secrets. The keys, roles,
// passwords and the issuer are new; messages are captured. If the source cannot be
// copied, no project is left. Faults, besides Create's: branch_source_gone,
// branch_source_busy, branch_source_too_large, branch_refused.
func (s *Service) Branch(ctx context.Context, n NewProject) (Created, error) {
	if err := s.init(); err != nil {
		return Created{}, err
	}
	if err := s.checkSource(ctx, n.BranchOf); err != nil {
		return Created{}, err
	}
	created, err := s.create(ctx, n)
	if err == nil || !branchFault(err) || created.Project.Ref == "" {
		return created, err
	}
	if gone := s.Delete(context.WithoutCancel(ctx), created.Project.Ref); gone != nil {
		s.Logger.WarnContext(ctx, "an unfinished branch is not deleted yet", "project", created.Project.Ref, "error", gone)
	}
	return Created{}, err
}

// ResetBranch replaces the database of a branch by a new copy of its source. Its
// ref, keys, settings and passwords stay. Once the source was found fit for it, the
// branch is not served until it is done; a failed copy is tried again in the
// background. Faults: project_not_branch, ErrPaused, and those of Branch.
func (s *Service) ResetBranch(ctx context.Context, ref tenants.Ref) (controldb.Project, error) {
	p, err := s.Control.ProjectByRef(ctx, ref)
	if err != nil {
		return p, err
	}
	if p.BranchOf == "" {
		return p, ErrNoBranch
	}
	if err := s.checkSource(ctx, p.BranchOf); err != nil {
		return p, err
	}
	err = s.Control.Tx(ctx, func(tx *controldb.Tx) error {
		p, err := tx.LockProject(ctx, ref)
		if err != nil {
			return err
		}
		switch {
		case p.Status == tenants.StatusDeleting:
			return controldb.ErrNoProject
		case p.Status.Paused(): // it would be served afterwards
			return ErrPaused
		}
		if err := tx.RenewDatabase(ctx, ref, stepRoles); err != nil {
			return err
		}
		return tx.SetProjectStatus(ctx, ref, tenants.StatusCreating)
	})
	if err != nil {
		return p, err
	}
	s.after("reset")
	err = s.await(ctx, answerTimeout, ref, s.build)
	if err != nil && branchFault(err) {
		return p, err
	}
	if err != nil {
		s.Logger.ErrorContext(ctx, "branch is not reset yet", "project", ref, "error", err)
	}
	return s.Control.ProjectByRef(ctx, ref)
}

func branchFault(err error) bool {
	for _, f := range []error{ErrBranchSourceGone, ErrBranchSourceBusy, ErrBranchTooLarge, ErrBranchRefused} {
		if errors.Is(err, f) {
			return true
		}
	}
	return false
}

// checkSource checks that a project can be copied, as far as that is known without
// its lock.
func (s *Service) checkSource(ctx context.Context, ref tenants.Ref) error {
	if err := s.init(); err != nil {
		return err
	}
	p, err := s.Control.ProjectByRef(ctx, ref)
	if errors.Is(err, controldb.ErrNoProject) || err == nil && p.Status != tenants.StatusActive {
		return ErrBranchSourceGone
	}
	if err != nil {
		return err
	}
	d, err := s.Control.DatabaseByRef(ctx, ref)
	if err != nil {
		return err
	}
	if d.State != controldb.DatabaseAssigned || d.ClusterID != s.Cluster.ID {
		return ErrBranchSourceGone
	}
	var size int64
	if err := s.pool.QueryRow(ctx, "SELECT pg_database_size($1::text)", ref.Database()).Scan(&size); err != nil {
		return controldb.Fault(fmt.Errorf("size of %s: %w", ref, err))
	}
	if size > s.BranchLimit {
		return ErrBranchTooLarge.Saying(fmt.Sprintf("The project's database has %d MB; a branch may have %d MB",
			size>>20, s.BranchLimit>>20))
	}
	return nil
}

// source returns the project that the database is copied from; "" for the
// template.
func (w *work) source(ctx context.Context) (tenants.Ref, error) {
	p, err := w.s.Control.ProjectByRef(ctx, w.d.Ref)
	if errors.Is(err, controldb.ErrNoProject) {
		return "", nil
	}
	return p.BranchOf, err
}

// copySource replaces the database by a copy of the source.
func (w *work) copySource(ctx context.Context) error {
	from := w.from
	err := w.s.lockedApart(ctx, from, branchLockTimeout, func(*pgx.Conn) error {
		if err := w.s.checkSource(ctx, from); err != nil {
			return err
		}
		if err := w.dropLeftover(ctx); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, branchCopyTimeout)
		defer cancel()
		ending, stop := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.s.endSessions(ending, from)
		}()
		w.s.after("copying")
		err := w.s.execDDL(ctx, w.conn, "CREATE DATABASE "+quote(w.d.Ref.Database())+" TEMPLATE "+quote(from.Database())+
			" ALLOW_CONNECTIONS false"+w.strategy())
		stop()
		<-ended
		return err
	})
	var pg *pgconn.PgError
	switch {
	case lockTimedOut(err), errors.As(err, &pg) && pg.Code == "55006": // object_in_use
		return ErrBranchSourceBusy.Because(err)
	case errors.As(err, &pg) && pg.Code == "3D000": // invalid_catalog_name
		return ErrBranchSourceGone.Because(err)
	}
	return err
}

// endSessions terminates the sessions in a database until ctx ends: idle ones at
// once, others after a moment.
func (s *Service) endSessions(ctx context.Context, ref tenants.Ref) {
	began := time.Now()
	// Not of the pool: its connections may all be waiting.
	err := s.asAdmin(ctx, "", func(conn *pgx.Conn) error {
		if err := join(ctx, conn, namesOfRoles(ref)); err != nil {
			return err
		}
		for ; ctx.Err() == nil; pause(ctx, branchTick) {
			_, err := conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname = $1 AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND (state = 'idle' OR $2)`,
				ref.Database(), time.Since(began) > branchGrace)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		s.Logger.WarnContext(ctx, "cannot end the sessions of a project that is to be copied", "project", ref, "error", err)
	}
}

// remapSQL hands what roles of the source own, and what is granted to them, over to
// the project's own roles.
//
//go:embed remap.sql
var remapSQL string

// remap runs in the transaction that adopts the copy. It runs with the admin's
// rights in a database that others own, and runs none of their code: changing
// owners, grants and policies calls no function of theirs, and only a superuser can
// create event triggers.
func (w *work) remap(ctx context.Context, tx pgx.Tx) error {
	if err := join(ctx, tx.Conn(), append(append(namesOfRoles(w.from), namesOfRoles(w.d.Ref)...), sharedRoles...)); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "SET LOCAL search_path = pg_catalog, pg_temp"); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "SELECT set_config('reeve.from', $1, true), set_config('reeve.to', $2, true)",
		string(w.from), string(w.d.Ref))
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, remapSQL); err != nil {
		return err
	}
	// The former roles lose their grants, each as its grantor, before the own ones
	// get them: a grant must not depend on one of theirs.
	for {
		rows, _ := tx.Query(ctx, revokesSQL, namesOfRoles(w.from), revokesAtOnce)
		sql, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		if len(sql) == 0 {
			break
		}
		if _, err := tx.Exec(ctx, strings.Join(sql, " ")+" RESET ROLE"); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, grantSQL)
	return err
}

// grantSQL makes the grants that remapSQL has collected.
const grantSQL = `DO $grant$
DECLARE
	statement text;
BEGIN
	FOREACH statement IN ARRAY current_setting('reeve.grants')::text[] LOOP
		EXECUTE statement;
	END LOOP;
END
$grant$`

// clearSQL removes what was sealed with a key of the source, or grants somebody
// access: it is worth nothing here, or must not be. It runs as the auth role,
// because the developer's triggers run with it.
const clearSQL = `
	DELETE FROM auth.saml_relay_states; DELETE FROM auth.flow_state;
	DELETE FROM auth.one_time_tokens; DELETE FROM auth.mfa_challenges; DELETE FROM auth.webauthn_challenges;
	DELETE FROM auth.refresh_tokens; DELETE FROM auth.sessions;
	DELETE FROM auth.oauth_client_states; DELETE FROM auth.oauth_authorizations;
	DELETE FROM auth.scim_tokens;
	DELETE FROM auth.custom_oauth_providers; DELETE FROM auth.oauth_clients`

// clear makes the copy forget its source's sessions and secrets.
func (w *work) clear(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, branchClearTimeout)
	defer cancel()
	conn, err := w.s.dial(ctx, w.d.Ref, w.d.Ref.AuthRole(), w.p.Auth)
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	defer closeConn(conn)
	_, err = conn.Exec(ctx, "BEGIN; SET LOCAL statement_timeout = '20s';"+clearSQL+"; COMMIT")
	return refusedByBranch(err)
}

// refusedByBranch makes an error of the copy's own objects a fault.
func refusedByBranch(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || errors.Is(controldb.Fault(err), controldb.ErrUnavailable) {
		return err
	}
	return ErrBranchRefused.Because(err).Saying(ErrBranchRefused.Message + " (SQLSTATE " + pg.Code + ")")
}
