package tenantdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Every call that carries the capability is a statement of its own, sent
// without a name. A trigger of the project's developer runs in the same
// session: it could replace a named statement, and it can read the parameters
// of a statement that it runs within.
const unnamed = pgx.QueryExecModeCacheDescribe

// OutboxRow is a message that waits for delivery. Payload is sealed.
type OutboxRow struct {
	ID        uuid.UUID
	Payload   []byte
	Attempts  int
	CreatedAt time.Time
}

// Enqueue adds a message. It is delivered if and only if the transaction
// commits.
func (tx *Tx) Enqueue(ctx context.Context, id uuid.UUID, kind string, sealed []byte) error {
	return tx.outbox(ctx, `SELECT reeve.outbox_add($1, $2, $3, $4)`, tx.capability, id, kind, sealed)
}

// ClaimOutbox leases up to max due messages of a kind.
func (tx *Tx) ClaimOutbox(ctx context.Context, kind string, max int, lease time.Duration) ([]OutboxRow, error) {
	rows, err := tx.q.Query(ctx, `SELECT c.id, c.payload, c.attempts, c.created_at FROM reeve.outbox_claim_kind($1, $2, $3, $4) c`,
		unnamed, tx.capability, kind, max, lease)
	if err != nil {
		return nil, fmt.Errorf("claim outbox: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[OutboxRow])
	if err != nil {
		return nil, fmt.Errorf("claim outbox: %w", err)
	}
	return list, nil
}

// OutboxDone removes a delivered message.
func (tx *Tx) OutboxDone(ctx context.Context, id uuid.UUID) error {
	return tx.outbox(ctx, `SELECT reeve.outbox_done($1, $2)`, tx.capability, id)
}

// OutboxRetry puts a message back for later.
func (tx *Tx) OutboxRetry(ctx context.Context, id uuid.UUID, reason string, delay time.Duration) error {
	return tx.outbox(ctx, `SELECT reeve.outbox_retry($1, $2, $3, $4)`, tx.capability, id, reason, delay)
}

// OutboxRelease returns a claimed message that was not tried; the claim does
// not count as an attempt.
func (tx *Tx) OutboxRelease(ctx context.Context, id uuid.UUID, delay time.Duration) error {
	return tx.outbox(ctx, `SELECT reeve.outbox_release($1, $2, $3)`, tx.capability, id, delay)
}

// OutboxDead marks a message as undeliverable; its row stays without payload.
func (tx *Tx) OutboxDead(ctx context.Context, id uuid.UUID, reason string) error {
	return tx.outbox(ctx, `SELECT reeve.outbox_dead($1, $2, $3)`, tx.capability, id, reason)
}

// OutboxTidy removes up to max messages that became undeliverable longer ago
// than older, and returns how many.
func (tx *Tx) OutboxTidy(ctx context.Context, older time.Duration, max int) (removed int64, err error) {
	err = tx.q.QueryRow(ctx, `SELECT reeve.outbox_tidy($1, $2, $3)`, unnamed, tx.capability, older, max).Scan(&removed)
	if err != nil {
		return 0, fmt.Errorf("tidy outbox: %w", err)
	}
	return removed, nil
}

// OutboxPending counts the waiting messages of a kind, and returns when the
// next is due (zero when none is).
func (tx *Tx) OutboxPending(ctx context.Context, kind string) (n int, next time.Time, err error) {
	var at *time.Time
	if err := tx.q.QueryRow(ctx, `SELECT p.pending, p.next_at FROM reeve.outbox_pending_kind($1, $2) p`, unnamed, tx.capability, kind).Scan(&n, &at); err != nil {
		return 0, time.Time{}, fmt.Errorf("count outbox: %w", err)
	}
	if at != nil {
		next = *at
	}
	return n, next, nil
}

func (tx *Tx) outbox(ctx context.Context, sql string, args ...any) error {
	return tx.q.Later(ctx, "outbox", sql, append([]any{unnamed}, args...)...)
}
