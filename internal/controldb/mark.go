package controldb

import (
	"context"
	"time"

	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
)

// mailKind is the kind of the marks in the older table, which has no column for it.
const mailKind = string(message.Mails)

// MarkOutbox notes that a project's outbox may hold undelivered rows of a kind. It
// is one statement outside any transaction; a second mark moves the first one's
// time.
func (db *DB) MarkOutbox(ctx context.Context, ref tenants.Ref, kind string) error {
	if kind == mailKind {
		_, err := db.pool.Exec(ctx, `INSERT INTO outbox_marks (ref, marked_at) VALUES ($1, clock_timestamp())
			ON CONFLICT (ref) DO UPDATE SET marked_at = EXCLUDED.marked_at`, string(ref))
		return Fault(err)
	}
	_, err := db.pool.Exec(ctx, `INSERT INTO outbox_kind_marks (ref, kind, marked_at) VALUES ($1, $2, clock_timestamp())
		ON CONFLICT (kind, ref) DO UPDATE SET marked_at = EXCLUDED.marked_at`, string(ref), kind)
	return Fault(err)
}

// MarkedOutboxes lists up to limit projects that are marked for a kind, the
// longest marked first. Paused projects are left out, and keep their marks.
func (db *DB) MarkedOutboxes(ctx context.Context, kind string, limit int) ([]tenants.Ref, error) {
	q := db.with(ctx).Table("outbox_kind_marks").Where("kind = ?", kind)
	if kind == mailKind {
		q = db.with(ctx).Table("outbox_marks")
	}
	q = q.Where("ref NOT IN (SELECT ref FROM projects WHERE status IN ('pausing', 'paused', 'restoring') AND deleted_at IS NULL)")
	var refs []tenants.Ref
	err := q.Order("marked_at").Limit(limit).Pluck("ref", &refs).Error
	return refs, Fault(err)
}

// UnmarkOutbox removes a mark that is at least olderThan old, by the database's
// clock. Pass the time since before the outbox was found empty; then a mark for
// a row written in the meantime is kept.
func (db *DB) UnmarkOutbox(ctx context.Context, ref tenants.Ref, kind string, olderThan time.Duration) error {
	if kind == mailKind {
		_, err := db.pool.Exec(ctx, `DELETE FROM outbox_marks
			WHERE ref = $1 AND marked_at <= clock_timestamp() - $2::interval`, string(ref), olderThan)
		return Fault(err)
	}
	_, err := db.pool.Exec(ctx, `DELETE FROM outbox_kind_marks
		WHERE ref = $1 AND kind = $2 AND marked_at <= clock_timestamp() - $3::interval`, string(ref), kind, olderThan)
	return Fault(err)
}
