package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// Delete deletes a project: from the commit of its status on it is not served,
// then its database and roles are dropped, whoever is connected, and at last its
// data key is forgotten, which shreds what was sealed with it. Delete waits up to
// 20 seconds for that; once committed it is finished in any case, by Recover if
// not here. It may be repeated;
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
	err = s.await(ctx, answerTimeout, ref, s.drop)
	if errors.Is(err, errGoesOn) {
		return nil
	}
	return err
}

// drop does what is left to do for a database in state dropping. It returns
// false when another process is at it and wait is false.
func (s *Service) drop(ctx context.Context, ref tenants.Ref, wait bool) (bool, error) {
	mine, err := s.lockedDatabase(ctx, ref, wait, func(conn *pgx.Conn) error {
		d, err := s.Control.DatabaseByRef(ctx, ref)
		if errors.Is(err, controldb.ErrNoDatabase) || err == nil && d.State != controldb.DatabaseDropping {
			return nil // done by who had the lock before
		}
		if err != nil {
			return err
		}
		if err := s.dropFromCluster(ctx, conn, ref); err != nil {
			return err
		}
		return s.forget(ctx, ref)
	})
	if err != nil {
		err = fmt.Errorf("drop database of %s: %w", ref, err)
		s.failed(ctx, ref, err)
	}
	return mine, err
}

func (s *Service) dropFromCluster(ctx context.Context, conn *pgx.Conn, ref tenants.Ref) error {
	name := ref.Database()
	var exists bool
	err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists)
	if err != nil {
		return err
	}
	if exists {
		// FORCE ends the connections there are; nobody may come back meanwhile. An
		// interrupted drop leaves a database that refuses ALTER, and only wants DROP.
		_, _ = conn.Exec(ctx, "ALTER DATABASE "+quote(name)+" ALLOW_CONNECTIONS false")
		if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)"); err != nil {
			return err
		}
	}
	s.after("drop database")
	roles := quote(ref.AuthRole()) + ", " + quote(ref.APIRole()) + ", " + quote(ref.OwnerRole())
	if _, err := conn.Exec(ctx, "DROP ROLE IF EXISTS "+roles); err != nil {
		return fmt.Errorf("drop roles: %w", err)
	}
	s.after("drop roles")
	return nil
}

// forget shreds the data key and buries the project; a database that no project
// had leaves no row.
func (s *Service) forget(ctx context.Context, ref tenants.Ref) error {
	err := s.Control.Tx(ctx, func(tx *controldb.Tx) error {
		if err := tx.ShredDatabase(ctx, ref); err != nil {
			return err
		}
		_, err := tx.ProjectByRef(ctx, ref)
		if errors.Is(err, controldb.ErrNoProject) {
			return tx.RemoveDatabase(ctx, ref)
		}
		if err != nil {
			return err
		}
		return tx.BuryProject(ctx, ref, s.Now())
	})
	if err == nil {
		s.after("forget")
	}
	return err
}
