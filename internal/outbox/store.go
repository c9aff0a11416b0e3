package outbox

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/tenants"
)

// Store is the rows of the projects' outboxes. A row is pending until Done or Dead.
type Store interface {
	// Claim takes up to limit pending rows of a kind that are due, the longest due
	// first, and hides them from every other Claim for lease.
	Claim(ctx context.Context, ref tenants.Ref, kind Kind, limit int, lease time.Duration) ([]Row, error)
	// Done removes a row that was delivered. A row that is gone is no error.
	Done(ctx context.Context, ref tenants.Ref, id uuid.UUID) error
	// Retry ends the claim after a failure, whose reason it keeps, and makes the
	// row due after delay. A row that is gone or dead is no error.
	Retry(ctx context.Context, ref tenants.Ref, id uuid.UUID, reason string, delay time.Duration) error
	// Release ends the claim as if it had not been, and makes the row due after
	// delay: for a row that was not tried.
	Release(ctx context.Context, ref tenants.Ref, id uuid.UUID, delay time.Duration) error
	// Dead gives the row up; it stays as evidence, not pending and without its
	// payload.
	Dead(ctx context.Context, ref tenants.Ref, id uuid.UUID, reason string) error
	// Pending counts the rows of a kind that are pending, claimed ones included,
	// and tells when the next one is due.
	Pending(ctx context.Context, ref tenants.Ref, kind Kind) (n int, next time.Time, err error)
}

// Marks remember, in the control database, which projects may have pending rows
// of a kind, so that a restart looks only there.
type Marks interface {
	// Mark inserts the project's mark or renews its time.
	Mark(ctx context.Context, ref tenants.Ref, kind Kind) error
	// Marked lists the projects that are marked.
	Marked(ctx context.Context, kind Kind) ([]tenants.Ref, error)
	// Unmark deletes the project's mark if it was not renewed for olderThan.
	Unmark(ctx context.Context, ref tenants.Ref, kind Kind, olderThan time.Duration) error
}
