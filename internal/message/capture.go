package message

import (
	"context"
	"fmt"
	"html"

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
	if m.Channel != Email && m.HTML == "" { // an inbox shows messages by subject and HTML
		m.Subject, m.HTML = m.Text, `<p style="font: 16px sans-serif; white-space: pre-wrap">`+html.EscapeString(m.Text)+`</p>`
	}
	if err := c.Store.SaveMessage(ctx, ref, m); err != nil {
		return fmt.Errorf("capture message: %w", err)
	}
	return nil
}
