package tenantdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// idleAnonymous is true of an anonymous user u without any address who was not
// active since $1.
const idleAnonymous = `u.is_anonymous AND u.created_at < $1 AND u.deleted_at IS NULL
	AND coalesce(u.email, '') = '' AND coalesce(u.phone, '') = ''
	AND NOT EXISTS (SELECT FROM auth.sessions s WHERE s.user_id = u.id
		AND (s.created_at >= $1 OR s.refreshed_at >= $1::pg_catalog.timestamptz AT TIME ZONE 'utc'))`

// IdleAnonymousUsers returns up to max anonymous users who were not active since a
// time, the oldest first. skip leaves out as many of them.
func (tx *Tx) IdleAnonymousUsers(ctx context.Context, since time.Time, skip, max int) ([]uuid.UUID, error) {
	rows, err := tx.q.Query(ctx, `SELECT u.id FROM auth.users u WHERE `+idleAnonymous+`
		ORDER BY u.created_at, u.id OFFSET $2 LIMIT $3`, since, skip, max)
	if err != nil {
		return nil, fmt.Errorf("list anonymous users: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("list anonymous users: %w", err)
	}
	return list, nil
}

// LockIdleAnonymous locks a user with their sessions, and reports whether
// IdleAnonymousUsers would still return them. A user whom another transaction has
// locked counts as active; one that uses a session only is waited for.
func (tx *Tx) LockIdleAnonymous(ctx context.Context, id uuid.UUID, since time.Time) (idle bool, err error) {
	tag, err := tx.q.Exec(ctx, `SELECT FROM auth.users u WHERE u.id = $1 FOR UPDATE SKIP LOCKED`, id)
	if err == nil && tag.RowsAffected() == 1 {
		err = tx.q.Later(ctx, "lock sessions", `SELECT FROM auth.sessions s WHERE s.user_id = $1 FOR UPDATE`, id)
		if err == nil { // with a snapshot of its own, after the locks
			err = tx.q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM auth.users u WHERE u.id = $2 AND `+idleAnonymous+`)`, since, id).Scan(&idle)
		}
	}
	if err != nil {
		return false, fmt.Errorf("lock anonymous user: %w", err)
	}
	return idle, nil
}
