package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/sqlrun"
	"github.com/reevehq/reeve/tenants"
)

// Each query has a connection of its own, which is closed with all that the query
// left in it: another project's SQL, or the next query, never meets it.
const (
	// queryStatementTimeout is Postgres' own limit, which the query can change;
	// queryTimeout ends its backend.
	queryStatementTimeout = "18s"
	queryTimeout          = 20 * time.Second
)

// The faults of Query, besides those of sqlrun.
var (
	ErrQueryBusy = fault.New(fault.TooMany, "too_many_queries",
		"Too many queries of the project or its organization run at the moment").After(time.Second)
	ErrQueriesBusy = fault.New(fault.Unavailable, "too_many_queries",
		"Too many queries run on the server at the moment").After(time.Second)
	ErrLoginSuspended = fault.New(fault.Unavailable, "database_login_suspended",
		"The roles of the project's database cannot log in for a while: the project's log says why").After(time.Minute)
	ErrQueryUnavailable = fault.New(fault.Unavailable, "database_unavailable",
		"The project's database cannot be reached at the moment").After(time.Second)
)

// queryTurn waits for the turn of a query of a project.
func (s *Service) queryTurn(ctx context.Context, ref tenants.Ref) (release func(), err error) {
	p, err := s.Control.ProjectByRef(ctx, ref)
	if err != nil {
		return nil, err
	}
	return s.queries.take(ctx, p.OrganizationID, ref)
}

// Query runs SQL of the developer in a project's database; faults: those of
// sqlrun.Session, and of Session.
func (s *Service) Query(ctx context.Context, ref tenants.Ref, q sqlrun.Query) (out sqlrun.Result, err error) {
	err = s.Session(ctx, ref, q.ReadOnly, func(session *sqlrun.Session) (err error) {
		out, err = session.Query(q)
		return err
	})
	return out, err
}

// Session runs fn with a session in a project's database that has the rights of the
// owner role. One that only reads is ended when it locks a table. The project must be
// active. Faults: too_many_queries, database_login_suspended, database_unavailable,
// ErrNotReady.
func (s *Service) Session(ctx context.Context, ref tenants.Ref, reads bool, fn func(*sqlrun.Session) error) error {
	if err := s.init(); err != nil {
		return err
	}
	release, err := s.queryTurn(ctx, ref)
	if err != nil {
		return err
	}
	defer release()
	conn, err := s.dialQuery(ctx, ref, map[string]string{
		"role":        ref.OwnerRole(), // what RESET ROLE leads to
		"search_path": "public, extensions", "statement_timeout": queryStatementTimeout, "lock_timeout": "10s",
	})
	if err != nil {
		return queryFault(err)
	}
	pid := conn.PgConn().PID()
	hijacked, err := conn.PgConn().Hijack()
	if err != nil {
		closeConn(conn)
		return fmt.Errorf("take the connection over: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.queryTimeout)
	defer cancel()
	session, stop := sqlrun.New(ctx, hijacked)
	defer stop()
	if reads {
		defer s.endLockers(ctx, ref, pid)()
	}
	err = fn(session)
	_ = hijacked.Conn.Close()
	if !session.Idle() {
		s.endQuery(ctx, ref, pid)
	}
	return err
}

// lockLook is the pause between two looks at the locks of a read-only query.
const lockLook = 250 * time.Millisecond

// endLockers ends a read-only query that locks a table: Postgres lets the owner do
// that in a read-only transaction too, and whoever may only read would stop the
// sign-ins of the project's users. Those wait for less than their own limit.
func (s *Service) endLockers(ctx context.Context, ref tenants.Ref, pid uint32) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(lockLook)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			var locks bool
			err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_locks
				WHERE pid = $1 AND locktype = 'relation' AND mode NOT IN ('AccessShareLock', 'SIReadLock'))`, int32(pid)).Scan(&locks)
			if err == nil && locks {
				s.Logger.InfoContext(ctx, "read-only query ended: it locks a table", "project", ref)
				s.endQuery(ctx, ref, pid)
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// Catalogs runs fn in a read-only transaction in a project's database, as a role that
// may read nothing but the catalogs. The search path is pg_catalog. Faults:
// too_many_queries, database_login_suspended, database_unavailable, ErrNotReady.
func (s *Service) Catalogs(ctx context.Context, ref tenants.Ref, fn func(ctx context.Context, tx pgx.Tx) error) error {
	if err := s.init(); err != nil {
		return err
	}
	release, err := s.queryTurn(ctx, ref)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, s.queryTimeout)
	defer cancel()
	conn, err := s.dialQuery(ctx, ref, map[string]string{"role": "none", "search_path": "pg_catalog", "default_transaction_read_only": "on"})
	if err != nil {
		return queryFault(err)
	}
	pid := conn.PgConn().PID()
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error { return fn(ctx, tx) })
	closeConn(conn)
	if err != nil {
		s.endQuery(ctx, ref, pid)
		return queryFault(err)
	}
	return nil
}

// endQuery ends a backend that may not notice that its client has gone: it computes,
// or catches what is to end it.
func (s *Service) endQuery(ctx context.Context, ref tenants.Ref, pid uint32) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if s.Terminate != nil {
		s.Terminate(ctx, ref.QueryRole(), pid)
		return
	}
	_, err := s.pool.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND usename = $2`, int32(pid), ref.QueryRole())
	if err != nil {
		s.Logger.WarnContext(ctx, "the session of a query cannot be ended", "project", ref, "pid", pid, "error", err)
	}
}

// dialQuery connects as the query role with parameters of the session. If the role cannot log in, it is created or restored
// first: projects of earlier releases have none, and the developer can change its
// password and settings.
func (s *Service) dialQuery(ctx context.Context, ref tenants.Ref, parameters map[string]string) (*pgx.Conn, error) {
	d, err := s.Control.DatabaseByRef(ctx, ref)
	if err != nil {
		return nil, err
	}
	if d.State != controldb.DatabaseAssigned {
		return nil, ErrNotReady
	}
	p, _, err := s.open(d)
	if err != nil {
		return nil, err
	}
	cfg, err := s.ConnConfig(ref, ref.QueryRole(), p.Query)
	if err != nil {
		return nil, err
	}
	cfg.RuntimeParams["application_name"] = "reeve query"
	maps.Copy(cfg.RuntimeParams, parameters)
	conn, err := pgx.ConnectConfig(ctx, cfg)
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || passing(pg) {
		return conn, err
	}
	if err := s.restoreQueryRole(ctx, ref); err != nil {
		return nil, err
	}
	return pgx.ConnectConfig(ctx, cfg)
}

// passing reports whether the server refuses a connection for a reason that is not
// the role's.
func passing(pg *pgconn.PgError) bool {
	return slices.Contains([]string{"53", "57", "08", "3D"}, pg.Code[:min(2, len(pg.Code))])
}

// queryFault makes an error of dialQuery, or of reading catalogs, a fault.
func queryFault(err error) error {
	var pg *pgconn.PgError
	switch {
	case fault.From(err).Kind != fault.Internal:
		return err
	case errors.As(err, &pg) && pg.Code == "53300" && strings.Contains(pg.Message, "role"):
		return ErrQueryBusy.Because(err)
	default:
		return ErrQueryUnavailable.Because(err)
	}
}

// restoreQueryRole creates the query role of a complete database, or resets it.
// ErrLoginSuspended while the guard has shut the project out.
func (s *Service) restoreQueryRole(ctx context.Context, ref tenants.Ref) error {
	for began := time.Now(); ; pause(ctx, slotPause) {
		// Not waiting for the lock with one of the admin's few connections.
		mine, err := s.restoreQueryRoleOnce(ctx, ref)
		if err != nil || mine {
			return err
		}
		if time.Since(began) > queryWait || ctx.Err() != nil {
			return ErrQueryUnavailable
		}
	}
}

// restoreQueryRoleOnce returns false when other work on the database is under way.
func (s *Service) restoreQueryRoleOnce(ctx context.Context, ref tenants.Ref) (bool, error) {
	return s.lockedDatabase(ctx, ref, false, func(conn *pgx.Conn) error {
		d, err := s.Control.DatabaseByRef(ctx, ref)
		if err != nil {
			return err
		}
		project, err := s.Control.ProjectByRef(ctx, ref)
		if err != nil {
			return err
		}
		if project.Status.Paused() { // whose database must stay closed
			return ErrPaused
		}
		if d.State != controldb.DatabaseAssigned || project.Status != tenants.StatusActive {
			return ErrNotReady
		}
		p, _, err := s.open(d)
		if err != nil {
			return err
		}
		var exists, login, superuser bool
		err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1),
			coalesce((SELECT bool_and(rolcanlogin) FROM pg_roles WHERE rolname IN ($1, $2)), false),
			(SELECT rolsuper FROM pg_roles WHERE rolname = current_user)`, ref.QueryRole(), ref.OwnerRole()).Scan(&exists, &login, &superuser)
		if err != nil {
			return fmt.Errorf("look for the query role: %w", err)
		}
		if !login {
			return ErrLoginSuspended
		}
		r, name := s.queryRole(ref, p), quote(ref.QueryRole())
		var sql strings.Builder
		if exists {
			fmt.Fprintf(&sql, "ALTER ROLE %s RESET ALL; ALTER ROLE %s IN DATABASE %s RESET ALL;", name, name, quote(ref.Database()))
		}
		if err := r.write(&sql, exists, superuser, s.Mark()); err != nil {
			return err
		}
		fmt.Fprintf(&sql, "GRANT CONNECT ON DATABASE %s TO %s", quote(ref.Database()), name)
		if err := s.execDDL(ctx, conn, sql.String()); err != nil {
			return controldb.Fault(fmt.Errorf("restore the query role: %w", err))
		}
		s.Logger.InfoContext(ctx, "query role restored", "project", ref, "existed", exists)
		return join(ctx, conn, []string{ref.QueryRole()})
	})
}
