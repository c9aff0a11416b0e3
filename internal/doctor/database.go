package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/internal/secret"
)

// oldest is the oldest supported release of Postgres.
const oldest = 140000

// plainAdmin is the release from which the admin need not be a superuser: from
// it on the owner of the database owns schema public.
const plainAdmin = 150000

// engine is the server and role of a connection.
type engine struct {
	number                      int
	version                     string
	super, createDB, createRole bool
}

// look reads it, and refuses a release that is too old.
func look(ctx context.Context, conn *pgx.Conn) (s engine, err error) {
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_version'),
		rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user`).
		Scan(&s.number, &s.version, &s.super, &s.createDB, &s.createRole)
	if err == nil && s.number < oldest {
		err = fmt.Errorf("PostgreSQL %s is too old: 14 or newer", s.version)
	}
	return s, err
}

// controlDatabase checks the control database. keyed means that a server has
// started on it and that the master key belongs to it.
func controlDatabase(ctx context.Context, cfg config.Config) (f Finding, keyed bool) {
	f = Finding{About: "control database"}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, cfg.Database.ControlURL)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "3D000" { // invalid_catalog_name
		f.Text, f.Err = absent(ctx, cfg)
		return f, false
	}
	if err != nil {
		f.Err = err // pgx leaves the password out
		return f, false
	}
	defer func() { _ = conn.Close(ctx) }()
	s, err := look(ctx, conn)
	if err != nil {
		f.Err = err
		return f, false
	}
	f.Text = "PostgreSQL " + s.version
	keyed, f.Err = keyFits(ctx, conn, cfg)
	if f.Err == nil && keyed {
		f.Warning, f.Text, f.Err = closed(ctx, conn, f.Text)
	}
	return f, keyed
}

// absent checks whether a missing control database can be created.
func absent(ctx context.Context, cfg config.Config) (string, error) {
	conn, err := pgx.Connect(ctx, cfg.Database.Maintenance())
	if err != nil {
		return "", fmt.Errorf("is not there, and cannot be made: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	s, err := look(ctx, conn)
	switch {
	case err != nil:
		return "", err
	case !s.super && !s.createDB:
		return "", errors.New("is not there, and the role may not make it (CREATEDB)")
	case !cfg.Migrate:
		return "not there yet: `reeve migrate` makes it", nil
	}
	return "not there yet: the first start makes it", nil
}

// keyFits opens a control database that a server has started on. It is only
// read, not migrated; one without a pepper is not opened, because opening would
// generate it.
func keyFits(ctx context.Context, conn *pgx.Conn, cfg config.Config) (keyed bool, err error) {
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM settings WHERE name = 'pepper')").Scan(&keyed)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42P01" { // undefined_table
		return false, nil
	}
	if err != nil || !keyed {
		return false, err
	}
	keyring, err := secret.NewKeyring(cfg.Secrets.MasterKeys...)
	if err != nil {
		return false, nil // the configuration's finding says so
	}
	db, err := controldb.Open(ctx, cfg.Database.ControlURL, keyring, controldb.Options{MaxConns: 1})
	if err != nil {
		return false, err
	}
	db.Close()
	return true, nil
}

// cluster checks the server of the projects' databases: it can be reached, it
// is new enough, and the role has the rights that provisioning needs. If a
// server has started on it, cluster also checks the state that provisioning
// requires.
func cluster(ctx context.Context, about, url string, started bool) []Finding {
	f := Finding{About: about}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		f.Err = err
		return []Finding{f}
	}
	defer func() { _ = conn.Close(ctx) }()
	s, err := look(ctx, conn)
	f.Text = "PostgreSQL " + s.version
	switch {
	case err != nil:
		f.Err = err
	case !s.super && (!s.createDB || !s.createRole):
		f.Err = errors.New("the role may not create databases and roles (CREATEDB, CREATEROLE)")
	case !s.super && s.number < plainAdmin:
		f.Err = fmt.Errorf("PostgreSQL %s needs a superuser: a role with CREATEDB and CREATEROLE does from 15 on", s.version)
	case started:
		f.Warning, f.Text, f.Err = closed(ctx, conn, f.Text)
		return []Finding{f, serviceRole(ctx, conn), template(ctx, conn)}
	}
	return []Finding{f}
}

// closed warns of a database that every role may connect to; a start revokes
// that if it may.
func closed(ctx context.Context, conn *pgx.Conn, text string) (warning bool, detail string, err error) {
	var name string
	var open bool
	err = conn.QueryRow(ctx, "SELECT datname, "+openSQL+" FROM pg_database d WHERE datname = current_database()").Scan(&name, &open)
	if err != nil || !open {
		return false, text, err
	}
	return true, fmt.Sprintf("%s, but every role may connect to database %s: let its owner run REVOKE CONNECT ON DATABASE %[2]s FROM PUBLIC",
		text, pgx.Identifier{name}.Sanitize()), nil
}

// openSQL reports whether PUBLIC may connect to database d.
const openSQL = `EXISTS (SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
	WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT')`

// serviceRole checks whether service_role has BYPASSRLS.
func serviceRole(ctx context.Context, conn *pgx.Conn) Finding {
	f := Finding{About: "service_role", Text: "bypasses row level security"}
	var bypasses bool
	err := conn.QueryRow(ctx, "SELECT rolbypassrls FROM pg_roles WHERE rolname = 'service_role'").Scan(&bypasses)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		f.Text = "not there yet: the next start makes it"
	case err != nil:
		f.Err = err
	case !bypasses:
		f.Warning = true
		f.Text = "is subject to row level security: let a superuser run ALTER ROLE service_role BYPASSRLS, or write policies for it"
	}
	return f
}

// template checks the template database. If every role may connect to it,
// projects cannot be created.
func template(ctx context.Context, conn *pgx.Conn) Finding {
	f := Finding{About: "template database", Text: "in order"}
	var open bool
	err := conn.QueryRow(ctx, "SELECT "+openSQL+" FROM pg_database d WHERE datname = $1", provision.DefaultTemplate).Scan(&open)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		f.Text = "not there yet: the next start or `reeve migrate` makes it"
	case err != nil:
		f.Err = err
	case open:
		f.Err = fmt.Errorf("every role may connect to it: run REVOKE CONNECT ON DATABASE %s FROM PUBLIC", provision.DefaultTemplate)
	}
	return f
}
