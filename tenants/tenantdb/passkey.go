package tenantdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/reevehq/reeve/internal/auth"
)

// passkeyColumns is what scanPasskey scans, of a table aliased c. The time of the
// warning is read by name, because a database of an older release lacks the column.
const passkeyColumns = `c.id, c.user_id, c.credential_id, c.public_key, c.attestation_type, c.aaguid, c.sign_count, c.transports,
	c.backup_eligible, c.backed_up, c.friendly_name, c.created_at, c.updated_at, c.last_used_at,
	(pg_catalog.to_jsonb(c) ->> 'clone_warning_at')::pg_catalog.timestamptz`

func scanPasskey(row pgx.CollectableRow) (k auth.Passkey, err error) {
	var aaguid pgtype.UUID
	var count int64
	var transports []byte
	err = row.Scan(&k.ID, &k.UserID, &k.CredentialID, &k.PublicKey, &k.AttestationType, &aaguid, &count, &transports,
		&k.BackupEligible, &k.BackedUp, &k.FriendlyName, momentOrEpoch{&k.CreatedAt}, momentOrEpoch{&k.UpdatedAt}, moment{&k.LastUsedAt},
		moment{&k.CloneWarningAt})
	k.AAGUID = aaguid.Bytes
	k.SignCount = uint32(min(max(count, 0), math.MaxUint32)) // SQL may write any number
	_ = json.Unmarshal(transports, &k.Transports)            // hints only, and SQL may write any JSON
	return k, err
}

// Passkeys returns a user's passkeys, oldest first; never nil.
func (tx *Tx) Passkeys(ctx context.Context, user uuid.UUID) ([]auth.Passkey, error) {
	return tx.passkeys(ctx, `c.user_id = $1 ORDER BY c.created_at, c.id`, user)
}

// PasskeyByCredential returns the passkey with a credential id, locked if lock is
// set; auth.ErrPasskeyNotFound.
func (tx *Tx) PasskeyByCredential(ctx context.Context, credential []byte, lock bool) (auth.Passkey, error) {
	where := `c.credential_id = $1`
	if lock {
		where += ` FOR UPDATE`
	}
	return tx.passkey(ctx, where, credential)
}

// PasskeyOf returns a passkey of a user; auth.ErrPasskeyNotFound.
func (tx *Tx) PasskeyOf(ctx context.Context, user, id uuid.UUID) (auth.Passkey, error) {
	return tx.passkey(ctx, `c.user_id = $1 AND c.id = $2`, user, id)
}

func (tx *Tx) passkey(ctx context.Context, where string, args ...any) (auth.Passkey, error) {
	list, err := tx.passkeys(ctx, where, args...)
	if err == nil && len(list) == 0 {
		err = auth.ErrPasskeyNotFound
	}
	if err != nil {
		return auth.Passkey{}, err
	}
	return list[0], nil
}

func (tx *Tx) passkeys(ctx context.Context, where string, args ...any) ([]auth.Passkey, error) {
	rows, err := tx.q.Query(ctx, `SELECT `+passkeyColumns+` FROM auth.webauthn_credentials c WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read passkeys: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanPasskey)
	if err != nil {
		return nil, fmt.Errorf("read passkeys: %w", err)
	}
	return list, nil
}

// CreatePasskey writes a passkey. auth.ErrPasskeyExists when any user of the
// project has the credential.
func (tx *Tx) CreatePasskey(ctx context.Context, k *auth.Passkey) error {
	transports, err := json.Marshal(append([]string{}, k.Transports...))
	if err != nil {
		return fmt.Errorf("create passkey: %w", err)
	}
	tag, err := tx.q.Exec(ctx, `INSERT INTO auth.webauthn_credentials (id, user_id, credential_id, public_key, attestation_type, aaguid,
			sign_count, transports, backup_eligible, backed_up, friendly_name, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8::pg_catalog.text::pg_catalog.jsonb, $9, $10, $11, $12, $12)`,
		k.ID, k.UserID, k.CredentialID, k.PublicKey, k.AttestationType, k.AAGUID, int64(k.SignCount), string(transports),
		k.BackupEligible, k.BackedUp, k.FriendlyName, k.CreatedAt)
	if err == nil && tag.RowsAffected() != 1 {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return asFault(suppressed(fmt.Errorf("create passkey: %w", err)))
	}
	return nil
}

// UsePasskey records the use of a passkey that the transaction holds locked: its
// counter and whether it is backed up.
func (tx *Tx) UsePasskey(ctx context.Context, k *auth.Passkey, now time.Time) error {
	return tx.changePasskey(ctx, `UPDATE auth.webauthn_credentials SET sign_count = $2, backed_up = $3, last_used_at = $4, updated_at = $4
		WHERE id = $1`, k.ID, int64(k.SignCount), k.BackedUp, now)
}

// WarnOfClone records that the counter of a passkey went back. A database of an
// older release cannot record it.
func (tx *Tx) WarnOfClone(ctx context.Context, id uuid.UUID, now time.Time) error {
	var can bool
	err := tx.q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute a
		WHERE a.attrelid = 'auth.webauthn_credentials'::pg_catalog.regclass AND a.attname = 'clone_warning_at' AND NOT a.attisdropped)`).Scan(&can)
	if err != nil {
		return fmt.Errorf("look for a column: %w", err)
	}
	if !can {
		return nil
	}
	return tx.changePasskey(ctx, `UPDATE auth.webauthn_credentials SET clone_warning_at = $2, updated_at = $2 WHERE id = $1`, id, now)
}

// RenamePasskey names a passkey of a user; auth.ErrPasskeyNotFound.
func (tx *Tx) RenamePasskey(ctx context.Context, user, id uuid.UUID, name string, now time.Time) error {
	return tx.changePasskey(ctx, `UPDATE auth.webauthn_credentials SET friendly_name = $3, updated_at = $4 WHERE user_id = $1 AND id = $2`,
		user, id, name, now)
}

// DeletePasskey removes a passkey of a user; auth.ErrPasskeyNotFound.
func (tx *Tx) DeletePasskey(ctx context.Context, user, id uuid.UUID) error {
	return tx.changePasskey(ctx, `DELETE FROM auth.webauthn_credentials WHERE user_id = $1 AND id = $2`, user, id)
}

func (tx *Tx) changePasskey(ctx context.Context, sql string, args ...any) error {
	tag, err := tx.q.Exec(ctx, sql, args...)
	if err != nil {
		return asFault(fmt.Errorf("change passkey: %w", err))
	}
	if tag.RowsAffected() != 1 {
		return auth.ErrPasskeyNotFound
	}
	return nil
}

// DeletePasskeys removes all passkeys of a user, and ceremonies that would add
// one.
func (tx *Tx) DeletePasskeys(ctx context.Context, user uuid.UUID) error {
	err := tx.q.Later(ctx, "delete passkeys", `DELETE FROM auth.webauthn_credentials WHERE user_id = $1`, user)
	if err != nil {
		return err
	}
	return tx.q.Later(ctx, "delete ceremonies", `DELETE FROM auth.webauthn_challenges WHERE user_id = $1`, user)
}

// BeginCeremony writes a ceremony.
func (tx *Tx) BeginCeremony(ctx context.Context, c *auth.Ceremony) error {
	tag, err := tx.q.Exec(ctx, `INSERT INTO auth.webauthn_challenges (id, user_id, challenge_type, session_data, created_at, expires_at)
		VALUES ($1, $2, $3, $4::pg_catalog.text::pg_catalog.jsonb, $5, $6)`,
		c.ID, c.UserID, string(c.Type), string(c.Data), c.CreatedAt, c.ExpiresAt)
	if err == nil && tag.RowsAffected() != 1 {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return asFault(suppressed(fmt.Errorf("begin ceremony: %w", err)))
	}
	return nil
}

// TakeCeremony deletes a ceremony and returns it, so that it ends once. It must
// be of this type and user. auth.ErrCeremonyNotFound; auth.ErrCeremonyExpired, and
// it is deleted as well.
func (tx *Tx) TakeCeremony(ctx context.Context, id uuid.UUID, kind auth.CeremonyType, user *uuid.UUID, now time.Time) (auth.Ceremony, error) {
	c := auth.Ceremony{ID: id, Type: kind, UserID: user}
	var data []byte
	err := tx.q.QueryRow(ctx, `DELETE FROM auth.webauthn_challenges
		WHERE id = $1 AND challenge_type = $2 AND user_id IS NOT DISTINCT FROM $3
		RETURNING session_data, created_at, expires_at`, id, string(kind), user).
		Scan(&data, momentOrEpoch{&c.CreatedAt}, momentOrEpoch{&c.ExpiresAt})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return c, auth.ErrCeremonyNotFound
	case err != nil:
		return c, fmt.Errorf("take ceremony: %w", err)
	case !now.Before(c.ExpiresAt):
		return c, auth.ErrCeremonyExpired
	}
	c.Data = data
	return c, nil
}
