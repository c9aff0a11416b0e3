package tenantdb

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// Factors returns a user's second factors, oldest first, without their secrets.
func (tx *Tx) Factors(ctx context.Context, user uuid.UUID) ([]auth.Factor, error) {
	rows, err := tx.q.Query(ctx, `SELECT f.id, f.created_at, f.updated_at, f.status::pg_catalog.text, coalesce(f.friendly_name, ''),
			f.factor_type::pg_catalog.text, coalesce(f.phone, ''), f.last_challenged_at
		FROM auth.mfa_factors f WHERE f.user_id = $1 ORDER BY f.created_at, f.id`, user)
	if err != nil {
		return nil, fmt.Errorf("read factors: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f auth.Factor, err error) {
		err = row.Scan(&f.ID, momentOrEpoch{&f.CreatedAt}, momentOrEpoch{&f.UpdatedAt}, &f.Status, &f.FriendlyName, &f.Type, &f.Phone,
			moment{&f.LastChallengedAt})
		return f, err
	})
	if err != nil {
		return nil, fmt.Errorf("read factors: %w", err)
	}
	return list, nil
}
