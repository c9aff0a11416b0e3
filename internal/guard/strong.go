package guard

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// blockAge is how long a session of a project may block another database's
// sessions.
const blockAge = time.Second

// endStrong ends the sessions of projects that hold or wait for a strong lock on
// what all databases share: a shared catalog, a database, a role. No project
// needs one, but Postgres takes the locks of many commands before it refuses
// them, and whoever comes later waits behind them.
func (s *shared) endStrong(ctx context.Context) error {
	rows, _ := s.conn.Query(ctx, strongSQL)
	type strong struct {
		session
		mode    string
		catalog uint32
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l strong, err error) {
		return l, row.Scan(&l.pid, &l.roleID, &l.mode, &l.catalog)
	})
	if err != nil {
		return fmt.Errorf("look at the locks on what all databases share: %w", err)
	}
	offended := map[string]string{}
	for _, l := range all {
		l.role = s.roleName(ctx, l.roleID)
		if _, ok := projectOfRole(l.role); !ok {
			continue
		}
		why := l.mode + " on " + cmp.Or(sharedCatalogs[l.catalog], fmt.Sprintf("relation %d", l.catalog)) + ", which all databases share"
		first, err := s.terminate(ctx, l.session, why)
		if err != nil {
			return err
		}
		if first {
			offended[l.role] = why
		}
	}
	for role, why := range offended { // once for all sessions of a look
		s.offend(role, why)
	}
	return nil
}

// sharedCatalogs names the shared catalogs without a lookup; the others that a
// lock can be on are their indexes.
var sharedCatalogs = map[uint32]string{
	1213: "pg_tablespace", 1214: "pg_shdepend", 1260: "pg_authid", 1261: "pg_auth_members", 1262: "pg_database",
	2396: "pg_shdescription", 2964: "pg_db_role_setting", 3592: "pg_shseclabel", 6000: "pg_replication_origin",
	6100: "pg_subscription", 6243: "pg_parameter_acl",
}

// endBlockers ends the sessions of projects that another database's session has
// waited for longer than blockAge, at something that all databases share. The
// waiting session may be one of Reeve, of the operator or of another project.
// endStrong ends the waiting session instead if it is a project's and waits for a
// strong lock.
func (s *shared) endBlockers(ctx context.Context) error {
	rows, _ := s.conn.Query(ctx, blockedSQL, blockAge)
	type pair struct {
		blocker session
		waiting uint32 // role
		strong  bool
		foreign bool
	}
	pairs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p pair, err error) {
		return p, row.Scan(&p.blocker.pid, &p.blocker.roleID, &p.waiting, &p.strong, &p.foreign)
	})
	if err != nil {
		return fmt.Errorf("look for sessions that block others: %w", err)
	}
	ended := map[int32]bool{}
	for _, p := range pairs {
		p.blocker.role = s.roleName(ctx, p.blocker.roleID)
		blocker, ok := projectOfRole(p.blocker.role)
		if !ok || ended[p.blocker.pid] {
			continue
		}
		if waiting, ok := projectOfRole(s.roleName(ctx, p.waiting)); ok && (waiting == blocker || p.strong) {
			continue
		}
		ended[p.blocker.pid] = true
		why := "blocks another database's session"
		first, err := s.terminate(ctx, p.blocker, why)
		if err != nil {
			return err
		}
		if first && p.foreign {
			s.offend(p.blocker.role, why)
		}
	}
	return nil
}
