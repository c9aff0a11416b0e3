package message

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/tenants"
)

// Row is one message in a project's outbox.
type Row struct {
	ID      uuid.UUID
	Message Message
	// Attempts is how often delivery was tried before this claim.
	Attempts  int
	CreatedAt time.Time
}

// Outbox is the projects' outbox rows. A row is pending until Done or Dead.
type Outbox interface {
	// Claim takes up to limit pending rows that are due, the longest due first,
	// and hides them from every other Claim for lease.
	Claim(ctx context.Context, ref tenants.Ref, limit int, lease time.Duration) ([]Row, error)
	// Done removes a row that was delivered. A row that is gone is no error.
	Done(ctx context.Context, ref tenants.Ref, id uuid.UUID) error
	// Retry ends the claim after a failure, whose reason it keeps, and makes the
	// row due after delay. A row that is gone or dead is no error.
	Retry(ctx context.Context, ref tenants.Ref, id uuid.UUID, reason string, delay time.Duration) error
	// Release ends the claim as if it had not been, and makes the row due after
	// delay: for a row that was not tried.
	Release(ctx context.Context, ref tenants.Ref, id uuid.UUID, delay time.Duration) error
	// Dead gives the row up; it stays for the developer to see, not pending.
	Dead(ctx context.Context, ref tenants.Ref, id uuid.UUID, reason string) error
	// Pending counts the rows that are pending, claimed ones included, and
	// tells when the next one is due.
	Pending(ctx context.Context, ref tenants.Ref) (n int, next time.Time, err error)
}

// Marks remember, in the control database, which projects may have pending
// rows, so that a restart looks only there.
type Marks interface {
	// Mark inserts the project's mark or renews its time.
	Mark(ctx context.Context, ref tenants.Ref) error
	// Marked lists the marked projects.
	Marked(ctx context.Context) ([]tenants.Ref, error)
	// Unmark deletes the project's mark if it was not renewed for olderThan.
	Unmark(ctx context.Context, ref tenants.Ref, olderThan time.Duration) error
}
