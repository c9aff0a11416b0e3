package tenantdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// maxRecoveryCodes bounds how many codes of a set are read: SQL may add any number.
const maxRecoveryCodes = 30

// RecoverySet is a row of auth.mfa_recovery_code_sets: a user's recovery codes, and
// the wrong ones that were tried.
type RecoverySet struct {
	ID       uuid.UUID
	FactorID uuid.UUID
	Failed   int // in a row
	// LockedUntil is when codes are compared again; nil for now.
	LockedUntil *time.Time
}

// RecoveryCode is a row of auth.mfa_recovery_codes that was not used.
type RecoveryCode struct {
	ID   uuid.UUID
	Hash string
}

// RecoverySet finds a user's set, and locks it on demand; auth.ErrCodesNotFound.
func (tx *Tx) RecoverySet(ctx context.Context, user uuid.UUID, lock bool) (s RecoverySet, err error) {
	query := `SELECT s.id, s.mfa_factor_id, s.failed_verification_count, s.verification_locked_until
		FROM auth.mfa_recovery_code_sets s JOIN auth.mfa_factors f ON f.id = s.mfa_factor_id AND f.user_id = s.user_id
		WHERE s.user_id = $1`
	if lock {
		query += ` FOR UPDATE OF s`
	}
	err = tx.q.QueryRow(ctx, query, user).Scan(&s.ID, &s.FactorID, &s.Failed, moment{&s.LockedUntil})
	if err != nil {
		return s, notFound(fmt.Errorf("read recovery codes: %w", err), auth.ErrCodesNotFound)
	}
	return s, nil
}

// CountRecoveryCodes returns how many codes a set has, and how many were not used.
func (tx *Tx) CountRecoveryCodes(ctx context.Context, set uuid.UUID) (total, remaining int, err error) {
	err = tx.q.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE c.consumed_at IS NULL)
		FROM auth.mfa_recovery_codes c WHERE c.mfa_recovery_code_set_id = $1`, set).Scan(&total, &remaining)
	if err != nil {
		return 0, 0, fmt.Errorf("count recovery codes: %w", err)
	}
	return total, remaining, nil
}

// RecoveryCodes returns the codes of a set that were not used.
func (tx *Tx) RecoveryCodes(ctx context.Context, set uuid.UUID) ([]RecoveryCode, error) {
	rows, err := tx.q.Query(ctx, `SELECT c.id, c.code_hash FROM auth.mfa_recovery_codes c
		WHERE c.mfa_recovery_code_set_id = $1 AND c.consumed_at IS NULL ORDER BY c.id LIMIT $2`, set, maxRecoveryCodes)
	if err != nil {
		return nil, fmt.Errorf("read recovery codes: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c RecoveryCode, err error) {
		return c, row.Scan(&c.ID, &c.Hash)
	})
	if err != nil {
		return nil, fmt.Errorf("read recovery codes: %w", err)
	}
	return list, nil
}

// CreateRecoverySet inserts a user's set, without codes. A user has one at most:
// auth.ErrFactorExists.
func (tx *Tx) CreateRecoverySet(ctx context.Context, user uuid.UUID, s RecoverySet, now time.Time) error {
	_, err := tx.q.Exec(ctx, `INSERT INTO auth.mfa_recovery_code_sets (id, user_id, mfa_factor_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)`,
		s.ID, user, s.FactorID, now)
	if err != nil {
		return asFault(fmt.Errorf("create recovery codes: %w", err))
	}
	return nil
}

// ReplaceRecoveryCodes gives a set other codes, none of them used.
func (tx *Tx) ReplaceRecoveryCodes(ctx context.Context, set uuid.UUID, hashes []string, now time.Time) error {
	if _, err := tx.q.Exec(ctx, `DELETE FROM auth.mfa_recovery_codes WHERE mfa_recovery_code_set_id = $1`, set); err != nil {
		return asFault(fmt.Errorf("replace recovery codes: %w", err))
	}
	_, err := tx.q.Exec(ctx, `INSERT INTO auth.mfa_recovery_codes (id, mfa_recovery_code_set_id, code_hash, created_at)
		SELECT pg_catalog.gen_random_uuid(), $1, h, $3 FROM pg_catalog.unnest($2::pg_catalog.text[]) h`, set, hashes, now)
	if err != nil {
		return asFault(fmt.Errorf("replace recovery codes: %w", err))
	}
	return nil
}

// UseRecoveryCode marks a code of a set as used, and reports whether it was not
// before.
func (tx *Tx) UseRecoveryCode(ctx context.Context, set, code uuid.UUID, now time.Time) (bool, error) {
	tag, err := tx.q.Exec(ctx, `UPDATE auth.mfa_recovery_codes SET consumed_at = $3
		WHERE mfa_recovery_code_set_id = $1 AND id = $2 AND consumed_at IS NULL`, set, code, now)
	if err != nil {
		return false, asFault(fmt.Errorf("use recovery code: %w", err))
	}
	return tag.RowsAffected() == 1, nil
}

// PutRecoveryTries stores how many wrong codes of a set were tried, and until when
// it is locked.
func (tx *Tx) PutRecoveryTries(ctx context.Context, s RecoverySet, now time.Time) error {
	return tx.q.Later(ctx, "count tries of recovery codes", `UPDATE auth.mfa_recovery_code_sets
		SET failed_verification_count = $2, verification_locked_until = $3, updated_at = $4 WHERE id = $1`, s.ID, s.Failed, s.LockedUntil, now)
}
