package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/reevehq/reeve/migrations"
)

// ErrTemplateBehind is returned by Bootstrap with NoMigrate set, when the template
// database is missing or not at the schema of this binary.
var ErrTemplateBehind = errors.New("the template database is behind this version: run reeve migrate")

// Bootstrap sets up the cluster: the shared roles, the template database at
// this binary's schema, and no access of projects' roles to the maintenance,
// template and control databases. It is idempotent; replicas that start at the
// same time take turns. With NoMigrate it only checks the template:
// ErrTemplateBehind.
func (s *Service) Bootstrap(ctx context.Context) error {
	if err := s.init(); err != nil {
		return err
	}
	err := s.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		const name = "reeve/bootstrap"
		if err := lock(ctx, c.Conn(), name); err != nil {
			return err
		}
		defer unlock(c.Conn(), "pg_advisory_unlock", name)
		if _, err := c.Exec(ctx, migrations.Cluster()); err != nil {
			return fmt.Errorf("cluster roles: %w", err)
		}
		if err := s.checkServiceRole(ctx, c.Conn()); err != nil {
			return err
		}
		if err := s.closeToPublic(ctx, c.Conn()); err != nil {
			return err
		}
		err := s.Control.Pool().AcquireFunc(ctx, func(c *pgxpool.Conn) error { return s.closeToPublic(ctx, c.Conn()) })
		if err != nil {
			return fmt.Errorf("close control database: %w", err)
		}
		if s.NoMigrate {
			return s.checkTemplate(ctx, c.Conn())
		}
		return s.ensureTemplate(ctx, c.Conn())
	})
	if err != nil {
		return fmt.Errorf("prepare cluster %s: %w", s.Cluster.ID, err)
	}
	return nil
}

// checkServiceRole warns if service_role could not get BYPASSRLS: only a
// superuser may grant it, and from Postgres 16 on a role that has it.
func (s *Service) checkServiceRole(ctx context.Context, conn *pgx.Conn) error {
	var bypasses bool
	if err := conn.QueryRow(ctx, "SELECT rolbypassrls FROM pg_roles WHERE rolname = 'service_role'").Scan(&bypasses); err != nil {
		return fmt.Errorf("look at service_role: %w", err)
	}
	if !bypasses {
		s.Logger.WarnContext(ctx, "service_role is subject to row level security, and Reeve may not change that: "+
			"let a superuser run ALTER ROLE service_role BYPASSRLS, or write policies for it", "cluster", s.Cluster.ID)
	}
	return nil
}

// closeToPublic revokes CONNECT on conn's database from PUBLIC. Without the
// right to do so it warns: isolation then depends on that database being empty.
func (s *Service) closeToPublic(ctx context.Context, conn *pgx.Conn) error {
	const openSQL = `SELECT current_database(), EXISTS (
		SELECT FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
		WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type = 'CONNECT')`
	var name string
	var open bool
	if err := conn.QueryRow(ctx, openSQL).Scan(&name, &open); err != nil || !open {
		return err
	}
	if _, err := conn.Exec(ctx, "REVOKE CONNECT ON DATABASE "+quote(name)+" FROM PUBLIC"); err != nil {
		return err
	}
	if err := conn.QueryRow(ctx, openSQL).Scan(&name, &open); err != nil {
		return err
	}
	if open {
		s.Logger.WarnContext(ctx, "every role may connect to this database, and Reeve may not change that", "database", name)
	}
	return nil
}

// checkTemplate refuses a template that ensureTemplate would rebuild.
func (s *Service) checkTemplate(ctx context.Context, conn *pgx.Conn) error {
	known, err := s.schema()
	if err != nil {
		return err
	}
	mark, err := s.templateMark(ctx, conn)
	if err == nil && !known.servedBy(mark) {
		err = ErrTemplateBehind
	}
	return err
}

// ensureTemplate rebuilds the template when it is missing, incomplete, older
// than this binary, or made from other migrations of the same version. It keeps
// a newer one, which a newer replica made.
func (s *Service) ensureTemplate(ctx context.Context, conn *pgx.Conn) error {
	known, err := s.schema()
	if err != nil {
		return err
	}
	return s.lockedTemplate(ctx, conn, false, func() error {
		mark, err := s.templateMark(ctx, conn)
		if err != nil || known.servedBy(mark) {
			return err
		}
		if err := s.buildTemplate(ctx, conn); err != nil {
			return fmt.Errorf("build template: %w", err)
		}
		// The mark comes last: without it, the next start builds the template
		// again.
		_, err = conn.Exec(ctx, "COMMENT ON DATABASE "+quote(s.Cluster.Template)+" IS "+literal(known.mark()))
		return err
	})
}

// templateMark is the template's comment, "" when there is no template.
func (s *Service) templateMark(ctx context.Context, conn *pgx.Conn) (mark string, err error) {
	err = conn.QueryRow(ctx, `SELECT coalesce(shobj_description(oid, 'pg_database'), '')
		FROM pg_database WHERE datname = $1`, s.Cluster.Template).Scan(&mark)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return mark, err
}

func (s *Service) buildTemplate(ctx context.Context, conn *pgx.Conn) error {
	name := quote(s.Cluster.Template)
	if err := s.execDDL(ctx, conn, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
		return err
	}
	// Separate statements, because databases cannot be created in transactions.
	for _, sql := range []string{
		"CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'UTF8'",
		"REVOKE ALL ON DATABASE " + name + " FROM PUBLIC",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	cfg, err := s.adminConfig(s.Cluster.Template)
	if err != nil {
		return err
	}
	if _, err := s.migrate(ctx, cfg); err != nil {
		return err
	}
	// Nobody may connect any more, because a connection would prevent copies.
	_, err = conn.Exec(ctx, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS false")
	return err
}
