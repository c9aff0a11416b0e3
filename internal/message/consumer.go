package message

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/outbox"
	"github.com/reevehq/reeve/tenants"
)

// Mails is the kind of outbox rows that hold a Message for an e-mail address.
const Mails = outbox.Kind(Email)

// Texts is the kind of outbox rows that hold a Message for a phone number.
const Texts = outbox.Kind(SMS)

// Consumer delivers rows whose payload is a Message in JSON.
type Consumer struct {
	// Sender returns a project's sender; it is called once a turn.
	Sender func(ctx context.Context, ref tenants.Ref) (Sender, error)
}

// Open implements outbox.Consumer. It refuses a payload that is not a Message.
func (c Consumer) Open(ctx context.Context, ref tenants.Ref) (outbox.Deliver, error) {
	sender, err := c.Sender(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("find sender: %w", err)
	}
	return func(ctx context.Context, row outbox.Row) error {
		var m Message
		if err := json.Unmarshal(row.Payload, &m); err != nil {
			return outbox.Refused(fmt.Errorf("decode message: %w", err))
		}
		if m.ID == uuid.Nil {
			m.ID = row.ID
		}
		if m.CreatedAt.IsZero() {
			m.CreatedAt = row.CreatedAt
		}
		if err := sender.Send(ctx, ref, m); err != nil {
			return fmt.Errorf("%s: %w", m.Kind, err)
		}
		return nil
	}, nil
}
