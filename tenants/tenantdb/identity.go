package tenantdb

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/reevehq/reeve/internal/auth"
)

// identityColumns is what identityRow scans, of a table aliased i that may be
// outer joined.
const identityColumns = `i.id, i.provider_id, i.identity_data, i.provider, i.last_sign_in_at, i.created_at, i.updated_at, i.email`

type identityRow struct {
	id                                 pgtype.UUID
	providerID, provider, email        *string
	data                               []byte
	lastSignInAt, createdAt, updatedAt *time.Time
}

func (r *identityRow) targets() []any {
	return []any{&r.id, &r.providerID, &r.data, &r.provider, moment{&r.lastSignInAt}, moment{&r.createdAt}, moment{&r.updatedAt}, &r.email}
}

func (r *identityRow) identity(user uuid.UUID) auth.Identity {
	return auth.Identity{
		ID: r.id.Bytes, ProviderID: orBlank(r.providerID), UserID: user, Data: object(r.data), Provider: orBlank(r.provider),
		LastSignInAt: r.lastSignInAt, CreatedAt: r.createdAt, UpdatedAt: r.updatedAt, Email: orBlank(r.email),
	}
}

func orBlank(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func sortIdentities(list []auth.Identity) {
	slices.SortStableFunc(list, func(a, b auth.Identity) int {
		if a.CreatedAt == nil || b.CreatedAt == nil {
			return 0
		}
		return a.CreatedAt.Compare(*b.CreatedAt)
	})
}

// Identities returns a user's identities, oldest first; never nil.
func (tx *Tx) Identities(ctx context.Context, user uuid.UUID) ([]auth.Identity, error) {
	return tx.identities(ctx, `$1`, user)
}

// identities returns those of the user whose id an SQL expression gives.
func (tx *Tx) identities(ctx context.Context, user string, args ...any) ([]auth.Identity, error) {
	rows, err := tx.q.Query(ctx, `SELECT `+identityColumns+`, i.user_id FROM auth.identities i WHERE i.user_id = `+user, args...)
	if err != nil {
		return nil, fmt.Errorf("read identities: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.Identity, error) {
		var r identityRow
		var user uuid.UUID
		if err := row.Scan(append(r.targets(), &user)...); err != nil {
			return auth.Identity{}, err
		}
		return r.identity(user), nil
	})
	if err != nil {
		return nil, fmt.Errorf("read identities: %w", err)
	}
	sortIdentities(list)
	return list, nil
}
