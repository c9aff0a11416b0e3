package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Any role may queue for ACCESS EXCLUSIVE on a shared catalog: Postgres takes the
// lock of CREATE RULE before it checks permissions. If another session only reads
// that catalog in an open transaction, everything that looks up a role or a
// database waits, new connections and pg_terminate_backend included. A session
// that already has a lock gets the same lock again without queueing. So the
// guard's connection keeps a transaction open that holds ACCESS SHARE on all
// system catalogs and their indexes: its lookups never wait, and need no place in
// the lock table.
//
// The transaction is READ COMMITTED and idle between checks, so it holds no
// snapshot, and vacuum does not wait for it. It gives way to sessions that are
// not a project's, for example an operator's VACUUM FULL.

const (
	// holdTimeout limits the wait for each of the locks.
	holdTimeout = 100 * time.Millisecond
	// holdAge is the age at which the transaction is committed and begun again.
	holdAge = time.Minute
	// statementLockTimeout limits the wait of every other statement. None waits
	// while the locks are held.
	statementLockTimeout = 500 * time.Millisecond
	// abandonedTimeout ends the transaction of a process that has stopped.
	abandonedTimeout = 15 * time.Second
)

// catalogsSQL generates a statement that locks the catalogs. A role that may not
// read pg_authid locks it through the view pg_roles.
const catalogsSQL = `SELECT string_agg(format('(SELECT 1 FROM %s LIMIT 0)', name), ' UNION ALL ') FROM (
		SELECT oid::regclass::text FROM pg_class
		WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND has_any_column_privilege(oid, 'SELECT')
		UNION ALL SELECT 'pg_roles') c(name)`

// settingsSQL sets the guard's connection up, as far as the server has these
// settings.
const settingsSQL = `SELECT set_config(name, value, false) FROM pg_settings JOIN (VALUES
		('search_path', 'pg_catalog'), ('lock_timeout', $1), ('idle_in_transaction_session_timeout', $2),
		('idle_session_timeout', '0'), ('transaction_timeout', '0'), ('statement_timeout', '5s'),
		('default_transaction_isolation', 'read committed'), ('jit', 'off')) wanted(name, value) USING (name)`

// prepare sets the connection up. It must be called before everything else.
func (s *shared) prepare(ctx context.Context) error {
	_, err := s.conn.Exec(ctx, settingsSQL, statementLockTimeout.String(), abandonedTimeout.String())
	if err != nil {
		return fmt.Errorf("set up the connection: %w", err)
	}
	if err := s.conn.QueryRow(ctx, catalogsSQL).Scan(&s.lockCatalogs); err != nil {
		return fmt.Errorf("list the catalogs: %w", err)
	}
	return s.readLockTableSize(ctx)
}

// inTransaction reports whether the locks on the catalogs are held.
func (s *shared) inTransaction() bool { return s.conn.PgConn().TxStatus() == 'T' }

// resume makes the connection usable after a failed statement.
func (s *shared) resume(ctx context.Context) error {
	if s.conn.PgConn().TxStatus() == 'E' {
		if err := s.release(ctx); err != nil {
			return err
		}
	}
	return s.clear(ctx)
}

// clear drops what the transaction keeps of the last statement: its view of the
// other sessions, and its snapshot, which stays as long as the unnamed portal.
func (s *shared) clear(ctx context.Context) error {
	_, err := s.conn.Exec(ctx, clearSQL) // without arguments, so by the simple protocol
	return err
}

func (s *shared) release(ctx context.Context) error {
	_, err := s.conn.Exec(ctx, "ROLLBACK")
	return err
}

// hold locks the catalogs, if they are not locked, and reads the names of all
// roles.
func (s *shared) hold(ctx context.Context) error {
	if s.inTransaction() && time.Since(s.heldSince) < holdAge {
		return nil
	}
	if s.inTransaction() {
		if err := s.release(ctx); err != nil {
			return err
		}
	}
	_, err := s.conn.Exec(ctx, fmt.Sprintf("BEGIN; SET LOCAL lock_timeout = %d; %s; SET LOCAL lock_timeout = %d",
		holdTimeout.Milliseconds(), s.lockCatalogs, statementLockTimeout.Milliseconds()))
	if err != nil {
		return errors.Join(fmt.Errorf("lock the catalogs: %w", err), s.release(ctx))
	}
	s.heldSince = time.Now()
	return s.readRoles(ctx)
}

// readRoles reads the names of the projects' roles. It also brings every role
// into the backend's cache, because ending a session looks up its role.
func (s *shared) readRoles(ctx context.Context) error {
	rows, _ := s.conn.Query(ctx, rolesSQL)
	roles := map[uint32]string{}
	var id uint32
	var name string
	_, err := pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		roles[id] = name
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the roles: %w", err)
	}
	s.roles = roles
	return nil
}

// roleName returns the name of a role, "" if it is unknown.
func (s *shared) roleName(ctx context.Context, id uint32) string {
	name, ok := s.roles[id]
	if ok || id == 0 {
		return name
	}
	err := s.conn.QueryRow(ctx, roleSQL, id).Scan(&name)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		s.logger.WarnContext(ctx, "the name of a role cannot be read", "role", id, "error", err)
		return ""
	}
	if s.roles == nil {
		s.roles = map[uint32]string{}
	}
	s.roles[id] = name
	return name
}

// readSessionRoles reads the names of the roles of all sessions, while that does
// not wait.
func (s *shared) readSessionRoles(ctx context.Context) error {
	if !s.inTransaction() {
		return nil
	}
	rows, _ := s.conn.Query(ctx, sessionRolesSQL)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uint32])
	if err != nil {
		return fmt.Errorf("list the sessions' roles: %w", err)
	}
	for _, id := range ids {
		s.roleName(ctx, id)
	}
	return nil
}

// yield ends the transaction when a session that is not a project's waits for its
// locks. Sessions of projects that it waits for are ended first: without the
// locks, the guard cannot look their roles up.
func (s *shared) yield(ctx context.Context) error {
	if !s.inTransaction() {
		return nil
	}
	rows, _ := s.conn.Query(ctx, waitingSQL)
	type waiting struct {
		role     uint32
		blockers []uint32
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (w waiting, err error) {
		return w, row.Scan(&w.role, &w.blockers)
	})
	if err != nil {
		return fmt.Errorf("look for sessions that wait for the guard: %w", err)
	}
	isProject := func(role uint32) bool {
		_, ok := projectOfRole(s.roleName(ctx, role))
		return ok
	}
	for _, w := range all {
		if !isProject(w.role) && !slices.ContainsFunc(w.blockers, isProject) {
			return s.release(ctx)
		}
	}
	return nil
}
