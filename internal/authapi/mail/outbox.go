package mail

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/outbox"
	"github.com/reevehq/reeve/tenants"
)

// Seal encrypts a message as the payload of an outbox row.
func Seal(t *tenants.Tenant, m message.Message) ([]byte, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	return outbox.Seal(t, m.ID, raw)
}

// Open is the inverse of Seal for the row id.
func Open(t *tenants.Tenant, id uuid.UUID, sealed []byte) (message.Message, error) {
	var m message.Message
	raw, err := outbox.Unseal(t, id, sealed)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fmt.Errorf("decode message: %w", err)
	}
	return m, nil
}
