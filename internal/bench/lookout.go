//go:build linux || darwin

package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/tenants"
)

// A lookout watches whether an attack reaches its state, on a connection that it
// had before. Its query only calls functions, because the attack may lock the
// catalogs.
type lookout struct {
	conn  *pgx.Conn
	roles []uint32 // of the hostile projects
	sql   string
	seen  atomic.Bool
}

// What a report says of an attack's state.
const (
	reached      = "reached"
	neverReached = "never reached"
)

// lookInterval is short: the guard ends some attacks within 250 ms.
const lookInterval = 20 * time.Millisecond

// lookout prepares to look for the state; "" looks for nothing.
func (s *siege) lookout(ctx context.Context, state string) (*lookout, error) {
	l := &lookout{}
	if state == "" {
		return l, nil
	}
	var names []string
	for _, p := range s.hostile {
		ref := tenants.Ref(p.Ref)
		names = append(names, ref.OwnerRole(), ref.QueryRole(), ref.AuthRole(), ref.APIRole())
	}
	var err error
	if l.conn, err = pgx.Connect(ctx, s.bench.pg.url(maintenance)); err != nil {
		return nil, err
	}
	if err := l.conn.QueryRow(ctx, `SELECT array_agg(oid) FROM pg_roles WHERE rolname = ANY ($1)`, names).Scan(&l.roles); err != nil {
		return nil, fmt.Errorf("read the hostile roles: %w", err)
	}
	l.sql = `WITH s AS MATERIALIZED (SELECT * FROM pg_stat_get_activity(NULL)),
		a AS (SELECT * FROM s WHERE usesysid = ANY ($1)),
		l AS MATERIALIZED (SELECT k.*, a.datid FROM pg_lock_status() k JOIN a USING (pid))
		SELECT coalesce((` + state + `), false)`
	var now bool
	return l, l.conn.QueryRow(ctx, l.sql, l.roles).Scan(&now) // which also prepares it
}

// watch looks until the state was reached or ctx ends.
func (l *lookout) watch(ctx context.Context) {
	if l.conn == nil {
		return
	}
	defer func() { _ = l.conn.Close(context.WithoutCancel(ctx)) }()
	for ctx.Err() == nil {
		var now bool
		if err := l.conn.QueryRow(ctx, l.sql, l.roles).Scan(&now); err != nil && ctx.Err() == nil {
			progress("looking for the attack's state: %v", err)
			if l.conn.IsClosed() {
				return
			}
		}
		if now {
			l.seen.Store(true)
			return
		}
		rest(ctx, lookInterval)
	}
}

func (l *lookout) result() string {
	switch {
	case l.sql == "":
		return "-"
	case l.seen.Load():
		return reached
	default:
		return neverReached
	}
}
