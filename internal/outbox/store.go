package outbox

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/tenants"
)

// Store holds the rows of the projects' outboxes. A row is pending until Done or
// Dead.
type Store interface {
	// Claim returns up to limit pending rows of a kind that are due, the longest
	// due first. Other calls of Claim do not return them until lease has passed.
	Claim(ctx context.Context, ref tenants.Ref, kind Kind, limit int, lease time.Duration) ([]Row, error)
	// Done removes a delivered row. It is no error if the row does not exist.
	Done(ctx context.Context, ref tenants.Ref, id uuid.UUID) error
	// Retry ends the claim after a failure, stores the reason, and makes the row
	// due after delay. It is no error if the row does not exist or is dead.
	Retry(ctx context.Context, ref tenants.Ref, id uuid.UUID, reason string, delay time.Duration) error
	// Release ends the claim of a row that was not tried, without counting an
	// attempt, and makes the row due after delay.
	Release(ctx context.Context, ref tenants.Ref, id uuid.UUID, delay time.Duration) error
	// Dead gives the row up. The row is kept for diagnosis without its payload and
	// is not pending any more.
	Dead(ctx context.Context, ref tenants.Ref, id uuid.UUID, reason string) error
	// Pending returns the number of pending rows of a kind, including claimed
	// ones, and the time at which the next one is due.
	Pending(ctx context.Context, ref tenants.Ref, kind Kind) (n int, next time.Time, err error)
}

// Marks records in the control database which projects may have pending rows of a
// kind, so that a sweep checks only those.
type Marks interface {
	// Mark creates the project's mark or renews its time.
	Mark(ctx context.Context, ref tenants.Ref, kind Kind) error
	// Marked lists the projects that are marked.
	Marked(ctx context.Context, kind Kind) ([]tenants.Ref, error)
	// Unmark deletes the project's mark if its last renewal is at least olderThan
	// ago.
	Unmark(ctx context.Context, ref tenants.Ref, kind Kind, olderThan time.Duration) error
}
