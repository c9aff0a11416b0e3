package tenantdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// CountActive records that a user was active in the billing period that begins
// on this day (UTC). Repeating it changes nothing.
func (tx *Tx) CountActive(ctx context.Context, period time.Time, user uuid.UUID) error {
	if _, err := tx.q.Exec(ctx, `SELECT reeve.activity_add($1, $2, $3)`, unnamed, tx.capability, period, user); err != nil {
		return fmt.Errorf("count activity: %w", err)
	}
	return nil
}
