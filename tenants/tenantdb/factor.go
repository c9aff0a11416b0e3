package tenantdb

import (
	"context"
	"fmt"
	"time"

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

// FactorKey is what a factor is verified with.
type FactorKey struct {
	auth.Factor
	UserID uuid.UUID
	// Secret is the column secret: sealed, or in clear in rows that a dump of a hosted
	// project brought.
	Secret string
}

// CreateFactor inserts a factor of a user; it is unverified unless k.Status says
// otherwise. auth.ErrFactorName, auth.ErrFactorExists.
func (tx *Tx) CreateFactor(ctx context.Context, k FactorKey) error {
	_, err := tx.q.Exec(ctx, `INSERT INTO auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret, phone)
		VALUES ($1, $2, nullif($3, ''), $4::auth.factor_type, coalesce(nullif($8, ''), 'unverified')::auth.factor_status, $5, $5, nullif($6, ''), nullif($7, ''))`,
		k.ID, k.UserID, k.FriendlyName, k.Type, k.CreatedAt, k.Secret, k.Phone, k.Status)
	if err != nil {
		return asFault(fmt.Errorf("create factor: %w", err))
	}
	return nil
}

// FactorKey finds a factor of a user and locks it; auth.ErrFactorNotFound.
func (tx *Tx) FactorKey(ctx context.Context, user, id uuid.UUID) (k FactorKey, err error) {
	err = tx.q.QueryRow(ctx, `SELECT f.id, f.user_id, f.created_at, f.updated_at, f.status::pg_catalog.text, coalesce(f.friendly_name, ''),
			f.factor_type::pg_catalog.text, coalesce(f.phone, ''), f.last_challenged_at, coalesce(f.secret, '')
		FROM auth.mfa_factors f WHERE f.id = $2 AND f.user_id = $1 FOR UPDATE`, user, id).
		Scan(&k.ID, &k.UserID, momentOrEpoch{&k.CreatedAt}, momentOrEpoch{&k.UpdatedAt}, &k.Status, &k.FriendlyName, &k.Type, &k.Phone,
			moment{&k.LastChallengedAt}, &k.Secret)
	if err != nil {
		return k, notFound(fmt.Errorf("read factor: %w", err), auth.ErrFactorNotFound)
	}
	return k, nil
}

// FactorVerified records that a factor was verified, with the secret to keep from
// now on.
func (tx *Tx) FactorVerified(ctx context.Context, id uuid.UUID, secret string, now time.Time) error {
	return tx.q.Later(ctx, "verify factor", `UPDATE auth.mfa_factors SET status = 'verified', secret = nullif($2, ''), updated_at = $3 WHERE id = $1`, id, secret, now)
}

// RenameFactor changes the friendly name of a factor of a user.
// auth.ErrFactorNotFound, auth.ErrFactorName.
func (tx *Tx) RenameFactor(ctx context.Context, user, id uuid.UUID, name string, now time.Time) error {
	tag, err := tx.q.Exec(ctx, `UPDATE auth.mfa_factors SET friendly_name = $3, updated_at = $4 WHERE user_id = $1 AND id = $2`, user, id, name, now)
	if err != nil {
		return asFault(fmt.Errorf("rename factor: %w", err))
	}
	if tag.RowsAffected() != 1 {
		return auth.ErrFactorNotFound
	}
	return nil
}

// DeleteUnverifiedFactors removes the factors of a user that were never verified: of
// a type, but not one; of any type where it is empty, and created before a time.
func (tx *Tx) DeleteUnverifiedFactors(ctx context.Context, user uuid.UUID, kind string, but uuid.UUID, before time.Time) error {
	return tx.q.Later(ctx, "delete unverified factors", `DELETE FROM auth.mfa_factors
		WHERE user_id = $1 AND status = 'unverified' AND id <> $3 AND ($2 = '' OR factor_type::pg_catalog.text = $2) AND created_at < $4`, user, kind, but, before)
}

// Challenge is a row of auth.mfa_challenges.
type Challenge struct {
	ID         uuid.UUID
	FactorID   uuid.UUID
	CreatedAt  time.Time
	VerifiedAt *time.Time
	IP         string
	// Code is the digest of a code that was sent; "" for none.
	Code string
}

// CreateChallenge inserts a challenge of a factor, and marks the factor. The mark is
// unique over all factors, so it is up to a millisecond late.
func (tx *Tx) CreateChallenge(ctx context.Context, c Challenge) error {
	if _, err := tx.q.Exec(ctx, `UPDATE auth.mfa_factors SET last_challenged_at = $2::pg_catalog.timestamptz + pg_catalog.random() * interval '1 millisecond'
		WHERE id = $1`, c.FactorID, c.CreatedAt); err != nil {
		return asFault(fmt.Errorf("challenge factor: %w", err))
	}
	_, err := tx.q.Exec(ctx, `INSERT INTO auth.mfa_challenges (id, factor_id, created_at, ip_address, otp_code)
		VALUES ($1, $2, $3, coalesce(nullif($4, ''), '0.0.0.0')::pg_catalog.inet, nullif($5, ''))`, c.ID, c.FactorID, c.CreatedAt, c.IP, c.Code)
	if err != nil {
		return asFault(fmt.Errorf("create challenge: %w", err))
	}
	return nil
}

// Challenge finds a challenge of a factor; auth.ErrFactorNotFound.
func (tx *Tx) Challenge(ctx context.Context, factor, id uuid.UUID) (c Challenge, err error) {
	err = tx.q.QueryRow(ctx, `SELECT c.id, c.factor_id, c.created_at, c.verified_at, pg_catalog.host(c.ip_address), coalesce(c.otp_code, '')
		FROM auth.mfa_challenges c WHERE c.id = $2 AND c.factor_id = $1`, factor, id).
		Scan(&c.ID, &c.FactorID, momentOrEpoch{&c.CreatedAt}, moment{&c.VerifiedAt}, &c.IP, &c.Code)
	if err != nil {
		return c, notFound(fmt.Errorf("read challenge: %w", err), auth.ErrFactorNotFound)
	}
	return c, nil
}

// ChallengeVerified records that a challenge was answered.
func (tx *Tx) ChallengeVerified(ctx context.Context, id uuid.UUID, now time.Time) error {
	return tx.q.Later(ctx, "verify challenge", `UPDATE auth.mfa_challenges SET verified_at = $2 WHERE id = $1`, id, now)
}

// DeleteLowSessions ends the sessions of a user that no factor has raised to aal2, but
// one.
func (tx *Tx) DeleteLowSessions(ctx context.Context, user, keep uuid.UUID) error {
	return tx.deleteSessions(ctx, `user_id = $1 AND id <> $2 AND (aal IS NULL OR aal = 'aal1' OR factor_id IS NULL)`, user, keep)
}

// LowerPasskeySessions takes the assurance that passkeys gave from the sessions of a
// user. A session does not say which passkey began it.
func (tx *Tx) LowerPasskeySessions(ctx context.Context, user uuid.UUID, now time.Time) error {
	return tx.q.Later(ctx, "lower sessions of passkeys", `UPDATE auth.sessions s SET aal = 'aal1', updated_at = $2 WHERE s.user_id = $1 AND s.aal = 'aal2' AND s.factor_id IS NULL
		AND EXISTS (SELECT FROM auth.mfa_amr_claims c WHERE c.session_id = s.id AND c.authentication_method = 'passkey')`, user, now)
}

// LowerSessions takes the assurance that a factor gave from the sessions that it was
// used in.
func (tx *Tx) LowerSessions(ctx context.Context, user, factor uuid.UUID, now time.Time) error {
	return tx.q.Later(ctx, "lower sessions", `UPDATE auth.sessions SET aal = 'aal1', factor_id = NULL, updated_at = $3 WHERE user_id = $1 AND factor_id = $2`, user, factor, now)
}

// SecondFactors reports which users have a verified second factor or, if passkeys
// count, a passkey.
func (tx *Tx) SecondFactors(ctx context.Context, users []uuid.UUID, passkeys bool) (map[uuid.UUID]bool, error) {
	rows, err := tx.q.Query(ctx, `SELECT f.user_id FROM auth.mfa_factors f
		 WHERE f.user_id OPERATOR(pg_catalog.=) ANY ($1) AND f.status = 'verified'
		UNION SELECT c.user_id FROM auth.webauthn_credentials c
		 WHERE $2 AND c.user_id OPERATOR(pg_catalog.=) ANY ($1)`, users, passkeys)
	if err != nil {
		return nil, fmt.Errorf("read second factors: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	out := make(map[uuid.UUID]bool, len(found))
	for _, id := range found {
		out[id] = true
	}
	return out, err
}
