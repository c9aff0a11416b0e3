package guard

import (
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
		backend
		mode            string
		catalog, object uint32
		granted         bool
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l strong, err error) {
		var started time.Time
		err = row.Scan(&l.session.pid, &l.roleID, &started, &l.mode, &l.catalog, &l.object, &l.granted)
		l.backend = backend{pid: l.session.pid, started: started.UnixMicro()}
		return l, err
	})
	if err != nil {
		return fmt.Errorf("look at the locks on what all databases share: %w", err)
	}
	ended := map[backend]struct{}{}
	for _, l := range all {
		l.role = s.roleName(ctx, l.roleID)
		if _, ok := projectOfRole(l.role); !ok {
			continue
		}
		ended[l.backend] = struct{}{}
		if _, again := s.ended[l.backend]; again {
			continue // it has not ended yet
		}
		why := fmt.Sprintf("%s on what all databases share: catalog %d, object %d", l.mode, l.catalog, l.object)
		if err := s.terminate(ctx, l.session, why); err != nil {
			return err
		}
	}
	s.ended = ended
	return nil
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
		if err := s.terminate(ctx, p.blocker, "blocks another database's session"); err != nil {
			return err
		}
	}
	return nil
}
