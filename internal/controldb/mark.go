package controldb

import (
	"context"
	"time"

	"github.com/reevehq/reeve/tenants"
)

// OutboxMark says since when a project's outbox may hold messages.
type OutboxMark struct {
	Ref      tenants.Ref
	MarkedAt time.Time
}

// MarkOutbox notes that a project's outbox may hold undelivered messages. It is
// one statement outside any transaction; a second mark moves the first one's
// time.
func (db *DB) MarkOutbox(ctx context.Context, ref tenants.Ref) error {
	_, err := db.pool.Exec(ctx, `INSERT INTO outbox_marks (ref, marked_at) VALUES ($1, clock_timestamp())
		ON CONFLICT (ref) DO UPDATE SET marked_at = EXCLUDED.marked_at`, string(ref))
	return Fault(err)
}

// MarkedOutboxes lists up to limit marked projects, the longest marked first.
func (db *DB) MarkedOutboxes(ctx context.Context, limit int) ([]OutboxMark, error) {
	var rows []OutboxMark
	err := db.with(ctx).Table("outbox_marks").Order("marked_at").Limit(limit).Find(&rows).Error
	return rows, Fault(err)
}

// UnmarkOutbox removes a mark that is at least olderThan old, by the clock of the
// database alone: give the time since before the outbox was found empty, and a
// message written meanwhile keeps its mark.
func (db *DB) UnmarkOutbox(ctx context.Context, ref tenants.Ref, olderThan time.Duration) error {
	_, err := db.pool.Exec(ctx, `DELETE FROM outbox_marks WHERE ref = $1 AND marked_at <= clock_timestamp() - $2::interval`,
		string(ref), olderThan)
	return Fault(err)
}
