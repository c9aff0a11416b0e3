package tenantdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// ExplainEnd adds the cause to the sessions of a user that this transaction deleted.
// forget removes what is personal from all of the user's ended sessions.
func (tx *Tx) ExplainEnd(ctx context.Context, user uuid.UUID, cause auth.EndCause, at time.Time, forget bool) error {
	return tx.q.Later(ctx, "explain the end of sessions", `SELECT reeve.session_explain($1, $2, $3, $4, $5)`,
		unnamed, tx.capability, user, string(cause), at, forget)
}

// SessionEnd returns the end of a session; auth.ErrSessionNotFound for one that did
// not end, or long ago.
func (tx *Tx) SessionEnd(ctx context.Context, id uuid.UUID) (auth.EndedSession, error) {
	s := auth.EndedSession{ID: id}
	err := tx.q.QueryRow(ctx, `SELECT e.user_id, e.cause, e.ended_at FROM reeve.session_end($1, $2) e`, unnamed, tx.capability, id).
		Scan(&s.UserID, &s.Cause, &s.EndedAt)
	if err != nil {
		return s, notFound(fmt.Errorf("read the end of a session: %w", err), auth.ErrSessionNotFound)
	}
	return s, nil
}

// SessionEndsOf returns ended sessions of a user, the one that ended last first, at
// most max.
func (tx *Tx) SessionEndsOf(ctx context.Context, user uuid.UUID, max int) ([]auth.EndedSession, error) {
	rows, err := tx.q.Query(ctx, `SELECT e.session_id, e.cause, e.ended_at, e.created_at, e.refreshed_at, e.ip, e.user_agent
		FROM reeve.session_ends($1, $2, $3) e`, unnamed, tx.capability, user, max)
	if err != nil {
		return nil, fmt.Errorf("list ended sessions: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.EndedSession, error) {
		s := auth.EndedSession{UserID: user}
		err := row.Scan(&s.ID, &s.Cause, &s.EndedAt, &s.CreatedAt, &s.RefreshedAt, &s.IP, &s.UserAgent)
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("list ended sessions: %w", err)
	}
	return list, nil
}

// EndedSince returns the sessions of all users that ended after a time, the one that
// ended last first, at most max. Only ID and EndedAt are set.
func (tx *Tx) EndedSince(ctx context.Context, since time.Time, max int) ([]auth.EndedSession, error) {
	rows, err := tx.q.Query(ctx, `SELECT e.session_id, e.ended_at FROM reeve.session_ended_since($1, $2, $3) e`, unnamed, tx.capability, since, max)
	if err != nil {
		return nil, fmt.Errorf("list ended sessions: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s auth.EndedSession, err error) {
		err = row.Scan(&s.ID, &s.EndedAt)
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("list ended sessions: %w", err)
	}
	return list, nil
}

// TidySessionEnds forgets up to max sessions that ended before a time, and returns how
// many.
func (tx *Tx) TidySessionEnds(ctx context.Context, before time.Time, max int) (removed int64, err error) {
	err = tx.q.QueryRow(ctx, `SELECT reeve.session_tidy($1, $2, $3)`, unnamed, tx.capability, before, max).Scan(&removed)
	if err != nil {
		return 0, fmt.Errorf("tidy ended sessions: %w", err)
	}
	return removed, nil
}

// SessionLimits are the project's limits on sessions; 0 means none.
type SessionLimits struct {
	Timebox    time.Duration
	Inactivity time.Duration
	LowAAL     time.Duration // of a session without the second factor that its user has
}

// expired are sessions that are over: those that a cause has a condition for.
type expired struct {
	cause auth.EndCause
	where string
	at    time.Time // $1
}

// EndExpired deletes sessions that are over, up to TidyBatch for each limit, and
// returns how many. It passes over rows that are locked. The limits are written
// first, for auth.session_active.
func (db *DB) EndExpired(ctx context.Context, now time.Time, limits SessionLimits) (ended int64, err error) {
	err = db.Tx(ctx, func(tx *Tx) error {
		return tx.q.Later(ctx, "write the limits of sessions", `SELECT reeve.session_limit($1, $2, $3)`,
			unnamed, tx.capability, interval(limits.Timebox), interval(limits.Inactivity))
	})
	if err != nil {
		return 0, err
	}
	list := []expired{{auth.EndExpired, `not_after <= $1`, now}}
	if limits.Timebox > 0 {
		list = append(list, expired{auth.EndTimebox, `created_at <= $1`, now.Add(-limits.Timebox)})
	}
	if limits.Inactivity > 0 {
		// refreshed_at has no index, because it would make every refresh more
		// expensive. A session is created before its last refresh, so the condition on
		// created_at, which has one, is safe.
		list = append(list, expired{
			auth.EndInactivity, `created_at <= $1 AND (refreshed_at IS NULL OR refreshed_at <= $1::pg_catalog.timestamptz AT TIME ZONE 'utc')`,
			now.Add(-limits.Inactivity),
		})
	}
	if limits.LowAAL > 0 {
		list = append(list, expired{
			auth.EndLowAAL, `created_at <= $1 AND aal IS DISTINCT FROM 'aal2'
				AND EXISTS (SELECT FROM auth.mfa_factors f WHERE f.user_id = sessions.user_id AND f.status = 'verified')`,
			now.Add(-limits.LowAAL),
		})
	}
	var failed []error
	for _, e := range list {
		var n int64
		err := db.Tx(ctx, func(tx *Tx) (err error) {
			n, err = tx.endExpired(ctx, e, now)
			return err
		})
		ended += n
		failed = append(failed, err)
	}
	return ended, errors.Join(failed...)
}

func (tx *Tx) endExpired(ctx context.Context, e expired, now time.Time) (int64, error) {
	rows, err := tx.q.Query(ctx, `DELETE FROM auth.sessions WHERE id = ANY (ARRAY(
		SELECT id FROM auth.sessions WHERE `+e.where+` LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING id`, e.at, TidyBatch)
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	return int64(len(ids)), tx.q.Later(ctx, "explain the end of sessions", `SELECT reeve.session_explain_all($1, $2, $3, $4)`,
		unnamed, tx.capability, ids, string(e.cause), now)
}

// PutOddRefresh records a refresh that was no ordinary rotation.
func (tx *Tx) PutOddRefresh(ctx context.Context, r *auth.OddRefresh) error {
	return tx.q.Later(ctx, "record refresh", `SELECT reeve.session_refresh_add($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		unnamed, tx.capability, r.SessionID, r.UserID, r.At, string(r.Decision), r.Behind, r.IP, r.UserAgent,
		r.RotatedAt, r.RotatedIP, r.RotatedUserAgent)
}

// OddRefreshesOf returns such refreshes of a user's sessions, the newest first, at most
// max.
func (tx *Tx) OddRefreshesOf(ctx context.Context, user uuid.UUID, max int) ([]auth.OddRefresh, error) {
	rows, err := tx.q.Query(ctx, `SELECT r.session_id, r.at, r.decision, r.behind, r.ip, r.user_agent, r.rotated_at, r.rotated_ip, r.rotated_user_agent
		FROM reeve.session_refreshes($1, $2, $3) r`, unnamed, tx.capability, user, max)
	if err != nil {
		return nil, fmt.Errorf("list refreshes: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.OddRefresh, error) {
		r := auth.OddRefresh{UserID: user}
		err := row.Scan(&r.SessionID, &r.At, &r.Decision, &r.Behind, &r.IP, &r.UserAgent, &r.RotatedAt, &r.RotatedIP, &r.RotatedUserAgent)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("list refreshes: %w", err)
	}
	return list, nil
}
