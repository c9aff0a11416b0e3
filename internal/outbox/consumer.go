package outbox

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/tenants"
)

// Kind says who consumes a row. A row of a kind that no consumer of this process
// is registered for, because a newer release wrote it, stays as it is.
type Kind string

// Row is one claimed row of a project's outbox.
type Row struct {
	ID      uuid.UUID
	Payload []byte // opened; it may hold secrets
	// Attempts is how often delivery was tried before this claim.
	Attempts  int
	CreatedAt time.Time
}

// Consumer delivers the rows of one kind.
type Consumer interface {
	// Open readies the delivery to wherever a project's rows go. It is called once
	// a turn. On an error the rows wait, and lose no attempt.
	Open(ctx context.Context, ref tenants.Ref) (Deliver, error)
}

// Deliver delivers one row. A nil error means that the next hop took over
// responsibility for it. A row that was delivered by a process that died before it
// could remove the row is delivered again, with the same ID. An error for which
// Permanent is true gives the row up; one made with Deferred is about this row
// alone; after any other the project is left alone for a while.
type Deliver func(ctx context.Context, row Row) error
