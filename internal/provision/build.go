package provision

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
)

// The steps of creating a database, in order. A recorded step is not repeated
// if that would destroy something; all others are repeatable.
const (
	stepRoles    = 1
	stepDatabase = 2
	stepAdopt    = 3
	stepVerify   = 4
)

// work is one run of the steps.
type work struct {
	s    *Service
	conn *pgx.Conn // holds the database's lock, and does its DDL
	d    controldb.Database
	p    controldb.Passwords
	dk   *secret.DataKey
	from tenants.Ref // whose database is copied; "" for the template
}

// newDatabase generates ref, data key and passwords of a database. A given
// ownerPassword is kept.
func (s *Service) newDatabase(ownerPassword string) (controldb.Database, *secret.DataKey, error) {
	d := controldb.Database{Ref: tenants.NewRef(), ClusterID: s.Cluster.ID, State: controldb.DatabaseCreating}
	dk, wrapped, err := s.Keyring.NewDataKey(string(d.Ref))
	if err != nil {
		return d, nil, err
	}
	p := controldb.Passwords{Auth: secret.Password(), API: secret.Password(), Owner: ownerPassword}
	if p.Owner == "" {
		p.Owner = secret.Password()
	}
	d.Wrapped = wrapped
	d.Sealed, err = p.Seal(dk)
	return d, dk, err
}

// open decrypts a database's passwords and data key.
func (s *Service) open(d controldb.Database) (controldb.Passwords, *secret.DataKey, error) {
	if d.Wrapped == nil {
		return controldb.Passwords{}, nil, controldb.ErrNoDatabase
	}
	dk, err := s.Keyring.OpenDataKey(string(d.Ref), d.Wrapped)
	if err != nil {
		return controldb.Passwords{}, nil, err
	}
	p, err := controldb.OpenPasswords(dk, d.Sealed)
	return p, dk, err
}

// build does the remaining work for a database in state creating and assigns it
// to its project, or makes it a warm one. It returns false when another process
// works on it and wait is false. It records a failed attempt.
func (s *Service) build(ctx context.Context, ref tenants.Ref, wait bool) (bool, error) {
	mine, err := s.lockedDatabase(ctx, ref, wait, func(conn *pgx.Conn) error {
		// Read under the lock: its previous holder may have finished.
		d, err := s.Control.DatabaseByRef(ctx, ref)
		if err != nil || d.State != controldb.DatabaseCreating {
			return err
		}
		w := &work{s: s, conn: conn, d: d}
		if w.p, w.dk, err = s.open(d); err != nil {
			return err
		}
		if w.from, err = w.source(ctx); err != nil {
			return err
		}
		return w.run(ctx)
	})
	if err != nil {
		err = fmt.Errorf("make database of %s: %w", ref, err)
		s.failed(ctx, ref, err)
	}
	return mine, err
}

func (w *work) run(ctx context.Context) error {
	for _, step := range []struct {
		number int
		name   string
		do     func(context.Context) error
	}{
		{stepRoles, "roles", w.roles},
		{stepDatabase, "database", w.database},
		{stepAdopt, "adopt", w.adopt},
		{stepVerify, "verify", w.verify},
	} {
		// Roles are cheap to repeat, and this sets a changed password.
		if step.number <= w.d.Step && step.number != stepRoles {
			continue
		}
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		w.s.after(step.name)
		if err := w.record(ctx, step.number); err != nil {
			return err
		}
		w.s.after(step.name + " recorded")
	}
	return w.finish(ctx)
}

func (w *work) record(ctx context.Context, step int) error {
	if step <= w.d.Step {
		return nil
	}
	w.d.Step = step
	return w.s.Control.Tx(ctx, func(tx *controldb.Tx) error {
		if step == stepAdopt {
			if err := tx.DatabaseMigrated(ctx, w.d.Ref, w.d.SchemaVersion); err != nil {
				return err
			}
		}
		return tx.StepDone(ctx, w.d.Ref, step)
	})
}

func (w *work) roles(ctx context.Context) error { return w.s.makeRoles(ctx, w.conn, w.d.Ref, w.p) }

// database copies the template, or the source of a branch. The leftover of a
// killed attempt, or what a reset replaces, is dropped first.
func (w *work) database(ctx context.Context) error {
	name := quote(w.d.Ref.Database())
	copied := w.copyTemplate
	if w.from != "" {
		copied = w.copySource
	}
	if err := copied(ctx); err != nil {
		return err
	}
	w.s.after("copied")
	_, err := w.conn.Exec(ctx, "BEGIN; REVOKE ALL ON DATABASE "+name+" FROM PUBLIC;"+
		"ALTER DATABASE "+name+" ALLOW_CONNECTIONS true;"+
		"COMMENT ON DATABASE "+name+" IS "+literal(w.s.Mark())+"; COMMIT")
	if err != nil {
		_, _ = w.conn.Exec(ctx, "ROLLBACK")
		return fmt.Errorf("close to others: %w", err)
	}
	return nil
}

func (w *work) dropLeftover(ctx context.Context) error {
	if err := w.s.execDDL(ctx, w.conn, "DROP DATABASE IF EXISTS "+quote(w.d.Ref.Database())+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("drop leftover: %w", err)
	}
	return nil
}

func (w *work) copyTemplate(ctx context.Context) error {
	name := quote(w.d.Ref.Database())
	if err := w.dropLeftover(ctx); err != nil {
		return err
	}
	// Nobody may connect before CONNECT is revoked from PUBLIC: a session from
	// before would stay.
	create := "CREATE DATABASE " + name + " TEMPLATE " + quote(w.s.Cluster.Template) + " ALLOW_CONNECTIONS false" + w.strategy()
	err := w.s.lockedTemplate(ctx, w.conn, true, func() error {
		_, err := w.conn.Exec(ctx, create)
		return err
	})
	if err != nil {
		return fmt.Errorf("copy template: %w", err)
	}
	return nil
}

func (w *work) strategy() string {
	major, _, _ := strings.Cut(w.conn.PgConn().ParameterStatus("server_version"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < 15 || w.s.CreateStrategy != StrategyFileCopy {
		return ""
	}
	return " STRATEGY file_copy"
}

// adopt transfers the copy to the project's roles, in one transaction inside
// it. That of a branch then forgets what its source's keys have sealed.
func (w *work) adopt(ctx context.Context) error {
	ref := w.d.Ref
	err := w.s.asAdmin(ctx, ref.Database(), func(conn *pgx.Conn) error {
		capability := sha256.Sum256([]byte(controldb.Capability(w.dk)))
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if w.from != "" {
				if err := w.remap(ctx, tx); err != nil {
					return refusedByBranch(err)
				}
			}
			batch := &pgx.Batch{}
			batch.Queue(adoptSQL, ref.AuthRole(), ref.APIRole(), ref.OwnerRole())
			batch.Queue("SELECT reeve.set_capability($1)", capability[:])
			batch.Queue("GRANT CONNECT ON DATABASE " + quote(ref.Database()) + " TO " + quote(ref.QueryRole()))
			if w.from != "" { // whoever has the branch only may not read its source's secrets
				batch.Queue("REVOKE CONNECT ON DATABASE " + w.developers("FROM"))
			}
			batch.Queue(versionSQL).QueryRow(func(row pgx.Row) error { return row.Scan(&w.d.SchemaVersion) })
			return tx.SendBatch(ctx, batch).Close()
		})
	})
	if err != nil || w.from == "" {
		return err
	}
	w.s.after("remapped")
	if err := w.clear(ctx); err != nil {
		return err
	}
	return w.s.asAdmin(ctx, "", func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "GRANT CONNECT ON DATABASE "+w.developers("TO"))
		return err
	})
}

// developers is the end of a GRANT or REVOKE on the database for the roles that
// run SQL of the developer's.
func (w *work) developers(to string) string {
	ref := w.d.Ref
	return quote(ref.Database()) + " " + to + " " + quoteAll([]string{ref.OwnerRole(), ref.APIRole(), ref.QueryRole()})
}

const adoptSQL = "SELECT reeve.adopt($1::name, $2::name, $3::name)"

// verify checks that the auth role can connect and read its tables, and cannot
// connect to other important databases.
func (w *work) verify(ctx context.Context) error {
	ref := w.d.Ref
	conn, err := w.s.dial(ctx, ref, ref.AuthRole(), w.p.Auth)
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	defer closeConn(conn)
	if _, err := conn.Exec(ctx, "SELECT id FROM auth.users LIMIT 0"); err != nil {
		return fmt.Errorf("read users: %w", err)
	}
	var open bool
	err = conn.QueryRow(ctx, "SELECT coalesce(bool_or(has_database_privilege(oid, 'CONNECT')), false) FROM pg_database WHERE datname = $1",
		w.s.Cluster.Template).Scan(&open)
	if err == nil && open {
		err = errors.New("the role may connect to the template")
	}
	return err
}

// finish assigns the database to its project, which is served from now on, or
// makes it a warm one.
func (w *work) finish(ctx context.Context) error {
	ref := w.d.Ref
	err := w.s.Control.Tx(ctx, func(tx *controldb.Tx) error {
		_, err := tx.ProjectByRef(ctx, ref)
		if errors.Is(err, controldb.ErrNoProject) {
			return tx.WarmDatabase(ctx, ref)
		}
		if err != nil {
			return err
		}
		if err := tx.AssignDatabase(ctx, ref); err != nil {
			return err
		}
		return tx.SetProjectStatus(ctx, ref, tenants.StatusActive)
	})
	if err == nil {
		w.s.after("finish")
	}
	return err
}
