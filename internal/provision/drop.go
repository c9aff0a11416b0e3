package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// DROP DATABASE waits until every session of the server has closed its files of
// that database. A session of any project that executes a function which Postgres
// does not interrupt makes it wait for hours. So callers do not wait long for a
// deletion, and deletions never take all of the admin's connections.
const (
	deleteWait  = 3 * time.Second
	dropsAtOnce = adminConns / 2
)

// Delete deletes a project. From the commit of its status on it is not served.
// Then its database is dropped, even if clients are connected, and its data key
// is deleted, which makes everything sealed with it unreadable and ends the
// project. Its roles are dropped last. Delete waits up to 3 seconds for that.
// Once committed the deletion is finished in any case, if necessary by Recover,
// and by Run if other objects still refer to the roles. It may be repeated;
// controldb.ErrNoProject when the project is gone.
func (s *Service) Delete(ctx context.Context, ref tenants.Ref) error {
	if err := s.init(); err != nil {
		return err
	}
	err := s.Control.Tx(ctx, func(tx *controldb.Tx) error {
		if err := tx.SetProjectStatus(ctx, ref, tenants.StatusDeleting); err != nil {
			return err
		}
		return tx.DropDatabase(ctx, ref)
	})
	if err != nil {
		return err
	}
	s.after("delete")
	err = s.await(ctx, s.deleteWait, ref, s.drop)
	if errors.Is(err, errGoesOn) {
		return nil
	}
	return err
}

// drop does the remaining work for a database in state dropping. It returns
// false when another process works on it and wait is false.
func (s *Service) drop(ctx context.Context, ref tenants.Ref, wait bool) (mine bool, err error) {
	var roles error
	err = s.drops.run(ctx, func() (err error) {
		mine, roles, err = s.dropLocked(ctx, ref, wait)
		return err
	})
	switch {
	case err != nil:
		err = fmt.Errorf("drop database of %s: %w", ref, err)
		s.failed(ctx, ref, err)
	case referred(roles):
		nudge(s.rolesLeft)
	case roles != nil:
		s.failed(ctx, ref, roles)
	}
	return mine, err
}

// dropLocked does the work of drop. It returns the error of dropping the roles
// apart.
func (s *Service) dropLocked(ctx context.Context, ref tenants.Ref, wait bool) (mine bool, roles, err error) {
	mine, err = s.lockedDatabase(ctx, ref, wait, func(conn *pgx.Conn) error {
		d, err := s.Control.DatabaseByRef(ctx, ref)
		if errors.Is(err, controldb.ErrNoDatabase) || err == nil && d.State != controldb.DatabaseDropping {
			return nil // the previous holder of the lock has done it
		}
		if err != nil {
			return err
		}
		if err := s.dropDatabase(ctx, conn, ref); err != nil {
			return err
		}
		if err := s.forget(ctx, ref); err != nil {
			return err
		}
		// No data is left. Other projects' developers can make roles stay for a
		// while, so that is no failure; dropLeftRoles continues.
		roles = s.dropRoles(ctx, conn, ref)
		return nil
	})
	return mine, roles, err
}

func (s *Service) dropDatabase(ctx context.Context, conn *pgx.Conn, ref tenants.Ref) error {
	if err := s.disableLogin(ctx, conn, ref); err != nil {
		// They can only reach the database. Dropping it is retried with the
		// roles.
		s.Logger.WarnContext(ctx, "the roles of a deleted project may still log in", "project", ref, "error", err)
	}
	s.after("shut out")
	name := ref.Database()
	var exists, whole, open bool
	err := conn.QueryRow(ctx, `SELECT count(*) > 0, coalesce(bool_or(datconnlimit <> -2), false), coalesce(bool_or(datallowconn), false)
		FROM pg_database WHERE datname = $1`, name).Scan(&exists, &whole, &open)
	if err != nil {
		return err
	}
	if whole && open {
		s.closing(ctx, conn, ref)
	}
	if exists {
		// FORCE ends existing connections, and no new ones may be opened. An
		// interrupted drop leaves a database that nobody can connect to (limit
		// -2): ALTER on it is FATAL and would end this connection, DROP works.
		if whole {
			_ = s.execDDL(ctx, conn, "ALTER DATABASE "+quote(name)+" ALLOW_CONNECTIONS false")
		}
		if err := s.execDDL(ctx, conn, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)"); err != nil {
			return err
		}
	}
	s.after("drop database")
	return nil
}

// closingTimeout bounds Service.Closing, with the end of the sessions before it.
const closingTimeout = 20 * time.Second

// closing ends the sessions in a database that is about to be dropped, and calls
// Service.Closing.
func (s *Service) closing(ctx context.Context, conn *pgx.Conn, ref tenants.Ref) {
	defer s.after("closing")
	if s.Closing == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, closingTimeout)
	defer cancel()
	_, err := conn.Exec(ctx, `SELECT pg_terminate_backend(pid, 500) FROM pg_stat_activity WHERE datname = $1`, ref.Database())
	if err == nil {
		err = s.Closing(ctx, ref, func(fn func(*pgx.Conn) error) error { return s.asAdmin(ctx, ref.Database(), fn) })
	}
	if err != nil {
		s.Logger.ErrorContext(ctx, "a database is dropped before what it still had to give was read", "project", ref, "error", err)
	}
}

// forget deletes the data key, and buries the database's project, if any.
func (s *Service) forget(ctx context.Context, ref tenants.Ref) error {
	err := s.Control.Tx(ctx, func(tx *controldb.Tx) error {
		if err := tx.ShredDatabase(ctx, ref); err != nil {
			return err
		}
		err := tx.BuryProject(ctx, ref, s.Now())
		if errors.Is(err, controldb.ErrNoProject) {
			return nil
		}
		return err
	})
	if err == nil {
		s.after("forget")
	}
	return err
}
