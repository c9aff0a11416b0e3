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
// then its database is dropped, whoever is connected, and its data key forgotten,
// which shreds what was sealed with it and ends the project; at last its roles are
// dropped. Delete waits up to 20 seconds for that; once committed it is finished in
// any case, by Recover if not here, and by Run where the roles are still referred
// to. It may be repeated; controldb.ErrNoProject when the project is gone.
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
	var roles error
	mine, err := s.lockedDatabase(ctx, ref, wait, func(conn *pgx.Conn) error {
		d, err := s.Control.DatabaseByRef(ctx, ref)
		if errors.Is(err, controldb.ErrNoDatabase) || err == nil && d.State != controldb.DatabaseDropping {
			return nil // done by who had the lock before
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
		// Nothing that is worth anything is left. Other projects' developers can make
		// roles stay for a while, so that fails nothing; dropLeftRoles goes on.
		roles = s.dropRoles(ctx, conn, ref)
		return nil
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

func (s *Service) dropDatabase(ctx context.Context, conn *pgx.Conn, ref tenants.Ref) error {
	if err := s.shutOut(ctx, conn, ref); err != nil {
		// The database alone is what they can reach. It is tried again with the roles.
		s.Logger.WarnContext(ctx, "the roles of a deleted project may still log in", "project", ref, "error", err)
	}
	s.after("shut out")
	name := ref.Database()
	var exists, whole bool
	err := conn.QueryRow(ctx, "SELECT count(*) > 0, coalesce(bool_or(datconnlimit <> -2), false) FROM pg_database WHERE datname = $1",
		name).Scan(&exists, &whole)
	if err != nil {
		return err
	}
	if exists {
		// FORCE ends the connections there are; nobody may come back meanwhile. An
		// interrupted drop leaves a database that nobody can enter (limit -2): ALTER
		// of it is FATAL and would end this connection, DROP works.
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

// forget shreds the data key and buries the project, if one had the database.
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
