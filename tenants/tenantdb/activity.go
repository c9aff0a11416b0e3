package tenantdb

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// CountActive records that a user was active in the billing period that begins
// on this day (UTC). Repeating it changes nothing.
func (tx *Tx) CountActive(ctx context.Context, period time.Time, user uuid.UUID) error {
	return tx.q.Later(ctx, "count activity", `SELECT reeve.activity_add($1, $2, $3)`, unnamed, tx.capability, period, user)
}
