package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// Roles belong to the server and not to a database. Everybody sees their names,
// and the owner of any table may grant something on it to any role. Postgres
// does not drop a role that any object in any database refers to. So dropping
// the roles is a separate step, after the project is gone, that nothing waits
// for: it removes the references, database by database, and tries again later
// if it is blocked.

const (
	// rolesTries is how often one attempt drops the roles: new references may
	// be made in between.
	rolesTries = 3
	// releaseTimeout bounds one attempt.
	releaseTimeout = time.Minute
	// revokesAtOnce bounds one transaction.
	revokesAtOnce = 500
)

var errSlow = errors.New("not done in time")

// sharedRoles are the roles that every project's database uses.
var sharedRoles = []string{"anon", "authenticated", "service_role"}

func namesOfRoles(ref tenants.Ref) []string {
	return []string{ref.AuthRole(), ref.APIRole(), ref.OwnerRole(), ref.QueryRole()}
}

// dropLeftRoles drops the roles that outlived their database, one project after
// the other. Any number of replicas may call it at the same time. It returns
// the errors of those that are left.
func (s *Service) dropLeftRoles(ctx context.Context) error {
	left, err := s.Control.RolesLeft(ctx, s.Cluster.ID, s.Now())
	if err != nil {
		return err
	}
	var all []error
	for _, d := range left {
		if ctx.Err() != nil {
			return errors.Join(append(all, ctx.Err())...)
		}
		if err := s.finishRoles(ctx, d.Ref); err != nil {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

func (s *Service) finishRoles(outer context.Context, ref tenants.Ref) error {
	ctx, cancel := context.WithTimeout(outer, releaseTimeout)
	defer cancel()
	_, err := s.lockedDatabase(ctx, ref, false, func(conn *pgx.Conn) error {
		d, err := s.Control.DatabaseByRef(ctx, ref)
		if errors.Is(err, controldb.ErrNoDatabase) || err == nil && d.State != controldb.DatabaseDroppingRoles {
			return nil // the previous holder of the lock has done it
		}
		if err != nil {
			return err
		}
		if err := s.disableLogin(ctx, conn, ref); err != nil {
			return err
		}
		for try := 1; ; try++ {
			err := s.dropRoles(ctx, conn, ref)
			if !referred(err) || try == rolesTries {
				return err
			}
			if err := s.release(ctx, conn, ref); err != nil {
				return err
			}
		}
	})
	if err != nil && ctx.Err() != nil && outer.Err() == nil {
		err = errSlow // which counts as an attempt
	}
	if err != nil {
		err = fmt.Errorf("drop roles of %s: %w", ref, err)
		s.failed(outer, ref, err)
	}
	return err
}

// dropRoles drops the existing ones of the roles and records it. It fails at
// once, with 2BP01, when an object refers to one.
func (s *Service) dropRoles(ctx context.Context, conn *pgx.Conn, ref tenants.Ref) error {
	if err := s.execDDL(ctx, conn, "DROP ROLE IF EXISTS "+quoteAll(namesOfRoles(ref))); err != nil {
		return fmt.Errorf("drop roles: %w", err)
	}
	s.after("drop roles")
	err := s.Control.Tx(ctx, func(tx *controldb.Tx) error { return tx.RolesDropped(ctx, ref) })
	if err == nil {
		s.after("drop roles recorded")
	}
	return err
}

func referred(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "2BP01"
}

// disableLogin disables logins of the project's roles, and ends their sessions.
func (s *Service) disableLogin(ctx context.Context, conn *pgx.Conn, ref tenants.Ref) error {
	roles, err := existing(ctx, conn, namesOfRoles(ref))
	if err != nil || len(roles) == 0 {
		return err
	}
	// To end their sessions, also for DROP DATABASE, and to act for them later.
	if err := join(ctx, conn, roles); err != nil {
		return err
	}
	var sql strings.Builder
	for _, role := range roles {
		fmt.Fprintf(&sql, "ALTER ROLE %s NOLOGIN PASSWORD NULL;", quote(role))
	}
	if err := s.execDDL(ctx, conn, sql.String()); err != nil {
		return fmt.Errorf("shut roles out: %w", err)
	}
	_, err = conn.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY($1)", roles)
	return err
}

// release removes the references to the project's roles in every database that
// has some.
func (s *Service) release(ctx context.Context, conn *pgx.Conn, ref tenants.Ref) error {
	roles, err := existing(ctx, conn, namesOfRoles(ref))
	if err != nil || len(roles) == 0 {
		return err
	}
	// References outside of a database can be removed from any.
	rows, _ := conn.Query(ctx, `SELECT coalesce(d.datname, current_database())::text, bool_or(s.dbid = 0 AND s.deptype = 'o')
		FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid LEFT JOIN pg_database d ON d.oid = s.dbid
		WHERE s.refclassid = 'pg_authid'::regclass AND r.rolname = ANY($1)
		GROUP BY 1 ORDER BY random()`, roles)
	type place struct {
		database string
		owner    bool
	}
	places, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p place, err error) {
		return p, row.Scan(&p.database, &p.owner)
	})
	if err != nil {
		return fmt.Errorf("look for what refers to the roles: %w", err)
	}
	var all []error
	for _, p := range places {
		if p.owner {
			return errors.New("a role owns a database or a tablespace, which only its giver can take back")
		}
		err := s.asAdmin(ctx, p.database, func(conn *pgx.Conn) error { return releaseHere(ctx, conn, p.database, roles) })
		if err != nil {
			all = append(all, fmt.Errorf("release roles in %s: %w", p.database, err))
		}
	}
	return errors.Join(all...)
}

// releaseHere removes all references to roles in the database that conn is
// connected to. It waits for no lock longer than two seconds, because others
// queue behind it.
//
// It runs with the admin's rights in a database that others own, and runs none
// of their code: removing grants, owners and objects calls no function, and
// only a superuser can create event triggers. Roles lose their grants. Objects
// that they own in another project's database can only have been given to them,
// for example by a dump that was restored in the wrong place; those are
// reassigned to that database's developer, so they are not lost and do not
// become the admin's. Elsewhere a role owns what it created in a database open
// to PUBLIC, and that is dropped; RESTRICT, the default, keeps others' objects
// that depend on it.
func releaseHere(ctx context.Context, conn *pgx.Conn, database string, roles []string) error {
	_, err := conn.Exec(ctx, "SET search_path = pg_catalog, pg_temp; SET lock_timeout = '2s'; SET statement_timeout = '30s'")
	if err != nil {
		return err
	}
	involved, owner := append(slices.Clone(roles), sharedRoles...), ""
	ref, err := tenants.ParseRef(strings.TrimPrefix(database, "reeve_"))
	if err == nil && ref.Database() == database {
		involved, owner = append(involved, namesOfRoles(ref)...), ref.OwnerRole()
	}
	if involved, err = existing(ctx, conn, involved); err != nil {
		return err
	}
	// A grant must be revoked as its grantor, so an admin that is no superuser
	// must be a member of the grantor.
	if err := join(ctx, conn, involved); err != nil {
		return err
	}
	for some := true; some; {
		if some, err = revokeSome(ctx, conn, roles); err != nil {
			return fmt.Errorf("revoke: %w", err)
		}
	}
	// One role at a time: Postgres fails on privileges of objects to come that one
	// of the roles has given to another.
	sql := ""
	for _, role := range roles {
		sql += "; DROP OWNED BY " + quote(role)
	}
	if slices.Contains(involved, owner) {
		sql = "REASSIGN OWNED BY " + quoteAll(roles) + " TO " + quote(owner) + sql
	}
	_, err = conn.Exec(ctx, sql)
	return err
}

// revokeSome revokes the roles' grants on some objects of the database, in one
// transaction; it returns false when there were none.
func revokeSome(ctx context.Context, conn *pgx.Conn, roles []string) (bool, error) {
	rows, _ := conn.Query(ctx, revokesSQL, roles, revokesAtOnce)
	sql, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(sql) == 0 {
		return false, err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, strings.Join(sql, " "))
		return err
	})
	return true, err
}

// revokesSQL generates the statements that revoke the roles' grants on objects
// of this database, each as its grantor. DROP OWNED would revoke only the
// owner's grants, not those of others with a grant option. It would also do all
// at once, and a developer can make that too much.
const revokesSQL = `SELECT DISTINCT format('SET LOCAL ROLE %s; REVOKE ALL ON %s FROM %s CASCADE;',
		a.grantor::regrole, o.target, a.grantee::regrole)
	FROM (
		SELECT s.classid, s.objid, s.objsubid, r.oid AS role
		FROM pg_roles r
		JOIN pg_shdepend s ON s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid AND s.deptype = 'a'
		JOIN pg_database d ON d.oid = s.dbid AND d.datname = current_database()
		WHERE r.rolname = ANY($1) AND s.classid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass,
			'pg_namespace'::regclass, 'pg_largeobject'::regclass)
		LIMIT $2
	) s,
	LATERAL (
		SELECT 'TABLE ' || c.oid::regclass, c.relacl FROM pg_class c
		WHERE s.classid = 'pg_class'::regclass AND c.oid = s.objid
		UNION ALL
		SELECT 'TABLE ' || c.attrelid::regclass, c.attacl FROM pg_attribute c
		WHERE s.classid = 'pg_class'::regclass AND c.attrelid = s.objid AND c.attnum = s.objsubid
		UNION ALL
		SELECT 'ROUTINE ' || p.oid::regprocedure, p.proacl FROM pg_proc p
		WHERE s.classid = 'pg_proc'::regclass AND p.oid = s.objid
		UNION ALL
		SELECT 'TYPE ' || t.oid::regtype, t.typacl FROM pg_type t
		WHERE s.classid = 'pg_type'::regclass AND t.oid = s.objid
		UNION ALL
		SELECT 'SCHEMA ' || n.oid::regnamespace, n.nspacl FROM pg_namespace n
		WHERE s.classid = 'pg_namespace'::regclass AND n.oid = s.objid
		UNION ALL
		SELECT 'LARGE OBJECT ' || l.oid, l.lomacl FROM pg_largeobject_metadata l
		WHERE s.classid = 'pg_largeobject'::regclass AND l.oid = s.objid
	) o(target, acl),
	aclexplode(o.acl) a
	WHERE a.grantee = s.role`

// existing returns those of the names that are roles.
func existing(ctx context.Context, conn *pgx.Conn, names []string) ([]string, error) {
	rows, _ := conn.Query(ctx, "SELECT rolname::text FROM pg_roles WHERE rolname = ANY($1)", names)
	roles, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for roles: %w", err)
	}
	return roles, nil
}

// join makes an admin that is no superuser a member of those of the roles that
// exist, so that it may end their sessions and revoke their grants.
func join(ctx context.Context, conn *pgx.Conn, roles []string) error {
	var superuser bool
	err := conn.QueryRow(ctx, `SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
		ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname = ANY($1))`, roles).Scan(&superuser, &roles)
	if err != nil || superuser || len(roles) == 0 {
		return err
	}
	if _, err := conn.Exec(ctx, "GRANT "+quoteAll(roles)+" TO CURRENT_USER"); err != nil {
		return fmt.Errorf("join roles: %w", err)
	}
	return nil
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	return strings.Join(quoted, ", ")
}
