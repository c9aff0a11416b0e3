package tenantdb

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// PutToken writes a one-time token and replaces an older one of the same user
// and type.
func (tx *Tx) PutToken(ctx context.Context, t *auth.OneTimeToken) error {
	return tx.q.Later(ctx, "put "+string(t.Type), `INSERT INTO auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to, created_at, updated_at)
		VALUES ($1, $2, $3::auth.one_time_token_type, $4, $5, $6::pg_catalog.timestamptz AT TIME ZONE 'utc', $6::pg_catalog.timestamptz AT TIME ZONE 'utc')
		ON CONFLICT (user_id, token_type) DO UPDATE
		SET id = excluded.id, token_hash = excluded.token_hash, relates_to = excluded.relates_to,
		    created_at = excluded.created_at, updated_at = excluded.updated_at`,
		t.ID, t.UserID, string(t.Type), t.Hash, t.RelatesTo, t.CreatedAt)
}

// TokenByHash returns the token with this hash, of one of the types, that was
// issued after since; auth.ErrOTPExpired when there is none.
func (tx *Tx) TokenByHash(ctx context.Context, hash string, since time.Time, types ...auth.TokenType) (auth.OneTimeToken, error) {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	var t auth.OneTimeToken
	var kind string
	err := tx.q.QueryRow(ctx, `SELECT t.id, t.user_id, t.token_type::text, t.token_hash, t.relates_to, t.created_at
		FROM auth.one_time_tokens t WHERE t.token_hash = $1 AND t.token_type::text = ANY ($2)
		ORDER BY t.created_at DESC LIMIT 1`, hash, names).
		Scan(&t.ID, &t.UserID, &kind, &t.Hash, &t.RelatesTo, momentOrEpoch{&t.CreatedAt})
	if err != nil {
		return t, notFound(fmt.Errorf("read one-time token: %w", err), auth.ErrOTPExpired)
	}
	if !t.CreatedAt.After(since) {
		return t, auth.ErrOTPExpired
	}
	t.Type = auth.TokenType(kind)
	return t, nil
}

// CodesOf returns the newest tokens of the types that were sent to an address
// after since, at most max, with ID, Hash and CreatedAt only. With signups it
// includes those of sign-ups.
func (tx *Tx) CodesOf(ctx context.Context, address string, since time.Time, max int, signups bool, types ...auth.TokenType) ([]auth.OneTimeToken, error) {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	list, err := tx.codes(ctx, `SELECT t.id, t.token_hash, t.created_at FROM auth.one_time_tokens t
		WHERE t.relates_to = $1 AND t.created_at > $2::pg_catalog.timestamptz AT TIME ZONE 'utc' AND t.token_type::text = ANY ($4)
		ORDER BY t.created_at DESC, t.id LIMIT $3`, address, since, max, names)
	if err != nil || !signups {
		return list, err
	}
	more, err := tx.codes(ctx, `SELECT c.id, c.token_hash, c.created_at FROM reeve.signup_codes($1, $2, $3, $4) c`,
		unnamed, tx.capability, address, since, max)
	list = append(list, more...)
	slices.SortStableFunc(list, func(a, b auth.OneTimeToken) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return list[:min(len(list), max)], err
}

func (tx *Tx) codes(ctx context.Context, sql string, args ...any) ([]auth.OneTimeToken, error) {
	rows, err := tx.q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read codes: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t auth.OneTimeToken, err error) {
		err = row.Scan(&t.ID, &t.Hash, momentOrEpoch{&t.CreatedAt})
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("read codes: %w", err)
	}
	return list, nil
}

// ConsumeToken deletes the token; auth.ErrOTPExpired when another request was
// first.
func (tx *Tx) ConsumeToken(ctx context.Context, id uuid.UUID) error {
	tag, err := tx.q.Exec(ctx, `DELETE FROM auth.one_time_tokens WHERE id = $1`, id)
	if err != nil {
		return fmt.Errorf("consume one-time token: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return auth.ErrOTPExpired
	}
	return nil
}

// DeleteTokens removes a user's tokens of the types; all of them when no type
// is given.
func (tx *Tx) DeleteTokens(ctx context.Context, user uuid.UUID, types ...auth.TokenType) error {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return tx.q.Later(ctx, "delete one-time tokens", `DELETE FROM auth.one_time_tokens
		WHERE user_id = $1 AND (pg_catalog.cardinality($2::pg_catalog.text[]) = 0 OR token_type::text = ANY ($2))`, user, names)
}
