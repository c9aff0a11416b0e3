package outbox

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/tenants"
)

// Kind selects the consumer of a row. A row whose kind has no consumer in this
// process, for example one that a newer release wrote, is not touched.
type Kind string

// Row is one claimed row of a project's outbox.
type Row struct {
	ID      uuid.UUID
	Payload []byte // decrypted; may contain secrets
	// Attempts is the number of delivery attempts before this claim.
	Attempts  int
	CreatedAt time.Time
}

// Consumer delivers the rows of one kind.
type Consumer interface {
	// Open prepares the deliveries of one project, for example by reading its
	// settings. It is called once per turn. If it fails, the rows stay pending and
	// their attempts are not counted.
	Open(ctx context.Context, ref tenants.Ref) (Deliver, error)
}

// Deliver delivers one row. A nil error means that the next hop has accepted
// responsibility for it. If the process dies after the delivery and before the row
// is removed, the row is delivered again with the same ID.
//
// An error made with Refused gives the row up. An error made with Deferred retries
// this row later and continues with the next one. Any other error ends the turn
// and pauses the project.
type Deliver func(ctx context.Context, row Row) error
