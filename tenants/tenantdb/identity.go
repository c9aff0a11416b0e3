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
	return []any{&r.id, &r.providerID, &r.data, &r.provider, &r.lastSignInAt, &r.createdAt, &r.updatedAt, &r.email}
}

func (r *identityRow) identity(user uuid.UUID) auth.Identity {
	i := auth.Identity{
		ID: r.id.Bytes, ProviderID: *r.providerID, UserID: user, Data: r.data, Provider: *r.provider,
		LastSignInAt: r.lastSignInAt, CreatedAt: r.createdAt, UpdatedAt: r.updatedAt,
	}
	if r.email != nil {
		i.Email = *r.email
	}
	return i
}

func sortIdentities(list []auth.Identity) {
	slices.SortStableFunc(list, func(a, b auth.Identity) int {
		if a.CreatedAt == nil || b.CreatedAt == nil {
			return 0
		}
		return a.CreatedAt.Compare(*b.CreatedAt)
	})
}

// Identities gives a user's identities, oldest first; never nil.
func (tx *Tx) Identities(ctx context.Context, user uuid.UUID) ([]auth.Identity, error) {
	rows, err := tx.q.Query(ctx, `SELECT `+identityColumns+` FROM auth.identities i WHERE i.user_id = $1`, user)
	if err != nil {
		return nil, fmt.Errorf("read identities: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.Identity, error) {
		var r identityRow
		if err := row.Scan(r.targets()...); err != nil {
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

// CreateIdentity writes a new identity.
func (tx *Tx) CreateIdentity(ctx context.Context, i *auth.Identity) error {
	_, err := tx.q.Exec(ctx, `INSERT INTO auth.identities
			(id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		i.ID, i.ProviderID, i.UserID, orEmpty(i.Data), i.Provider, i.LastSignInAt, i.CreatedAt, i.UpdatedAt)
	if err != nil {
		return asFault(fmt.Errorf("create identity: %w", err))
	}
	return nil
}

// PutIdentity writes an identity of a user who is locked, be it new or not.
func (tx *Tx) PutIdentity(ctx context.Context, i *auth.Identity) error {
	tag, err := tx.q.Exec(ctx, `UPDATE auth.identities SET identity_data = $3, last_sign_in_at = $4, updated_at = $5,
			provider_id = $6
		WHERE id = $1 AND user_id = $2`, i.ID, i.UserID, orEmpty(i.Data), i.LastSignInAt, i.UpdatedAt, i.ProviderID)
	if err != nil {
		return asFault(fmt.Errorf("save identity: %w", err))
	}
	if tag.RowsAffected() == 0 {
		return tx.CreateIdentity(ctx, i)
	}
	return nil
}

// DeleteIdentities removes all identities of a user.
func (tx *Tx) DeleteIdentities(ctx context.Context, user uuid.UUID) error {
	if _, err := tx.q.Exec(ctx, `DELETE FROM auth.identities WHERE user_id = $1`, user); err != nil {
		return fmt.Errorf("delete identities: %w", err)
	}
	return nil
}
