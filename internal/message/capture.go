package message

import (
	"context"
	"fmt"

	"github.com/reevehq/reeve/tenants"
)

// CaptureStore keeps the captured messages of a project.
type CaptureStore interface {
	// SaveMessage keeps m. Saving the same Message.ID again changes nothing.
	SaveMessage(ctx context.Context, ref tenants.Ref, m Message) error
}

// Capture is the Sender of development: messages only go into an inbox that the
// developer reads.
type Capture struct{ Store CaptureStore }

// Send stores the message.
func (c Capture) Send(ctx context.Context, ref tenants.Ref, m Message) error {
	if err := c.Store.SaveMessage(ctx, ref, m); err != nil {
		return fmt.Errorf("capture message: %w", err)
	}
	return nil
}
