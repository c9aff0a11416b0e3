package tenantdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/reevehq/reeve/internal/auth"
)

// userColumns is every column that userRow scans, of a table aliased u. Seeds
// often leave out aud and role.
const userColumns = `u.id, coalesce(nullif(u.aud, ''), '` + auth.Audience + `'), coalesce(nullif(u.role, ''), '` + auth.RoleAuthenticated + `'), coalesce(u.email, ''),
	coalesce(u.encrypted_password, ''), u.email_confirmed_at, u.invited_at, coalesce(u.phone, ''),
	u.phone_confirmed_at, u.confirmation_sent_at, u.confirmed_at, u.recovery_sent_at,
	coalesce(u.email_change, ''), u.email_change_sent_at, coalesce(u.email_change_confirm_status, 0),
	coalesce(u.phone_change, ''), u.phone_change_sent_at, u.reauthentication_sent_at, u.last_sign_in_at,
	u.raw_app_meta_data, u.raw_user_meta_data, u.created_at, u.updated_at, u.banned_until, u.deleted_at,
	u.is_anonymous, u.is_sso_user`

// hasFactorsColumn says whether a query for factors is needed: most users have
// none. (EXISTS may be planned as a scan of the whole table.)
const hasFactorsColumn = `coalesce((SELECT true FROM auth.mfa_factors f WHERE f.user_id = u.id LIMIT 1), false)`

type userRow struct {
	u                 auth.User
	appMeta, userMeta []byte
	hasFactors        bool
}

func (r *userRow) targets() []any {
	u := &r.u
	return []any{
		(*[16]byte)(&u.ID), &u.Aud, &u.Role, &u.Email, &u.EncryptedPassword,
		moment{&u.EmailConfirmedAt},
		moment{&u.InvitedAt},
		&u.Phone,
		moment{&u.PhoneConfirmedAt},
		moment{&u.ConfirmationSentAt},
		moment{&u.ConfirmedAt},
		moment{&u.RecoverySentAt},
		&u.NewEmail,
		moment{&u.EmailChangeSentAt},
		&u.EmailChangeConfirmStatus,
		&u.NewPhone,
		moment{&u.PhoneChangeSentAt},
		moment{&u.ReauthenticationSentAt},
		moment{&u.LastSignInAt},
		&r.appMeta, &r.userMeta,
		momentOrEpoch{&u.CreatedAt},
		momentOrEpoch{&u.UpdatedAt},
		moment{&u.BannedUntil},
		moment{&u.DeletedAt},
		&u.IsAnonymous, &u.IsSSOUser, &r.hasFactors,
	}
}

// user is the row as it was scanned, without identities and factors.
func (r *userRow) user() auth.User {
	u := r.u
	u.AppMetadata, u.UserMetadata = object(r.appMeta), object(r.userMeta)
	return u
}

// binaryID passes an id in the driver's own form: encoding a uuid.UUID goes
// through its text, which takes a tenth of a hot request.
func binaryID(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

// UserByID returns the user with identities and factors; auth.ErrUserNotFound.
// The row is locked when lock is true.
func (tx *Tx) UserByID(ctx context.Context, id uuid.UUID, lock bool) (auth.User, error) {
	return tx.userOf(ctx, `$1`, lock, id)
}

// UsersByID returns those of the users that exist, without identities and factors,
// in one statement.
func (tx *Tx) UsersByID(ctx context.Context, ids []uuid.UUID) ([]auth.User, error) {
	rows, err := tx.q.Query(ctx, `SELECT `+userColumns+`, false FROM auth.users u WHERE u.id OPERATOR(pg_catalog.=) ANY ($1)`, ids)
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	return scanUsers(rows)
}

// UserByEmail returns the user with this address, which must be lower-case; the
// row may have it in capitals. It does not find users of an SSO provider.
// auth.ErrUserNotFound.
func (tx *Tx) UserByEmail(ctx context.Context, email string, lock bool) (auth.User, error) {
	return tx.oneUser(ctx, byEmail, lock, email)
}

// MarkRecoverySent writes recovery_sent_at of the user that UserByEmail finds, and
// returns the user, locked, without identities and factors. A user who is gone, or was
// sent something after since, is auth.ErrUserNotFound too.
func (tx *Tx) MarkRecoverySent(ctx context.Context, email string, now, since time.Time) (u auth.User, err error) {
	var r userRow
	err = tx.q.QueryRow(ctx, `UPDATE auth.users AS u SET recovery_sent_at = $2, updated_at = $2
		WHERE u.id = (SELECT u.id FROM auth.users u WHERE `+byEmail+`)
		  AND lower(u.email::pg_catalog.text) = $1 AND u.deleted_at IS NULL AND u.aud = $4 AND (u.recovery_sent_at IS NULL OR u.recovery_sent_at <= $3)
		RETURNING `+userColumns+`, `+hasFactorsColumn, email, now, since, auth.Audience).Scan(r.targets()...)
	if err != nil {
		return u, asFault(notFound(fmt.Errorf("mark user: %w", err), auth.ErrUserNotFound))
	}
	return r.user(), nil
}

// byEmail selects the user with the address $1 from auth.users u.
const byEmail = `lower(u.email::pg_catalog.text) = $1 AND u.is_sso_user = false
	ORDER BY u.email = $1 DESC, u.created_at, u.id LIMIT 1`

// PasswordByEmail returns the id and the encrypted password of the user that
// UserByEmail finds; "" if there is no password or no such user. Both cases take one
// statement, so that the time does not reveal whether there is a user.
func (tx *Tx) PasswordByEmail(ctx context.Context, email string) (id uuid.UUID, hash string, err error) {
	return tx.passwordBy(ctx, byEmail, email)
}

func (tx *Tx) passwordBy(ctx context.Context, where, contact string) (id uuid.UUID, hash string, err error) {
	err = tx.q.QueryRow(ctx, `SELECT u.id, coalesce(u.encrypted_password, '') FROM auth.users u WHERE `+where, contact).Scan(&id, &hash)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, "", fmt.Errorf("read password: %w", err)
	}
	return id, hash, nil
}

// SignedInFrom reports whether the user that UserByEmail finds has a session that
// began at an address: the same IPv4 address, or one in the same IPv6 /64.
func (tx *Tx) SignedInFrom(ctx context.Context, email, address string) (bool, error) {
	return tx.signedInFrom(ctx, byEmail, email, address)
}

// PhoneSignedInFrom is SignedInFrom for the user that UserByPhone finds.
func (tx *Tx) PhoneSignedInFrom(ctx context.Context, phone, address string) (bool, error) {
	return tx.signedInFrom(ctx, byPhone, phone, address)
}

func (tx *Tx) signedInFrom(ctx context.Context, where, contact, address string) (bool, error) {
	if address == "" {
		return false, nil
	}
	var known bool
	err := tx.q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM auth.sessions s
		WHERE s.user_id = (SELECT u.id FROM auth.users u WHERE `+where+`)
		AND s.ip <<= pg_catalog.set_masklen($2::pg_catalog.inet, CASE pg_catalog.family($2::pg_catalog.inet) WHEN 6 THEN 64 ELSE 32 END))`, contact, address).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("look for a session at the address: %w", err)
	}
	return known, nil
}

// UserByPhone returns the user with this number, which must be without a plus
// sign; the row may have one. auth.ErrUserNotFound.
func (tx *Tx) UserByPhone(ctx context.Context, phone string, lock bool) (auth.User, error) {
	return tx.oneUser(ctx, byPhone, lock, phone)
}

// byPhone selects the user with the number $1 from auth.users u.
const byPhone = `u.is_sso_user = false AND u.phone = ANY (ARRAY[$1, '+' || $1])
	ORDER BY u.phone = $1 DESC LIMIT 1`

// PasswordByPhone is PasswordByEmail for the user that UserByPhone finds.
func (tx *Tx) PasswordByPhone(ctx context.Context, phone string) (id uuid.UUID, hash string, err error) {
	return tx.passwordBy(ctx, byPhone, phone)
}

// UserByPendingPhone returns the user who last asked to change to this number;
// auth.ErrUserNotFound.
func (tx *Tx) UserByPendingPhone(ctx context.Context, phone string, lock bool) (auth.User, error) {
	return tx.oneUser(ctx, `u.phone_change = $1 AND u.id = (SELECT t.user_id FROM auth.one_time_tokens t
		WHERE t.relates_to = $1 AND t.token_type = 'phone_change_token' ORDER BY t.created_at DESC LIMIT 1)`, lock, phone)
}

// UserByIdentity returns the user with this id at a provider;
// auth.ErrUserNotFound.
func (tx *Tx) UserByIdentity(ctx context.Context, provider, providerID string, lock bool) (auth.User, error) {
	return tx.oneUser(ctx, `u.id = (SELECT i.user_id FROM auth.identities i WHERE i.provider = $1 AND i.provider_id = $2)`,
		lock, provider, providerID)
}

func (tx *Tx) oneUser(ctx context.Context, where string, lock bool, args ...any) (auth.User, error) {
	var row userRow
	if err := tx.q.QueryRow(ctx, selectUser(where, lock), args...).Scan(row.targets()...); err != nil {
		return auth.User{}, notFound(fmt.Errorf("read user: %w", err), auth.ErrUserNotFound)
	}
	identities, err := tx.Identities(ctx, row.u.ID)
	return tx.complete(ctx, &row, identities, err)
}

// userOf reads the user whose id an SQL expression gives, in one round trip.
func (tx *Tx) userOf(ctx context.Context, id string, lock bool, args ...any) (auth.User, error) {
	var row userRow
	err := tx.q.Read(ctx, "read user", func(rows pgx.Rows) error {
		return notFound(scanOne(rows, row.targets()...), auth.ErrUserNotFound)
	}, selectUser(`u.id = `+id, lock), args...)
	if err != nil {
		return auth.User{}, err
	}
	identities, err := tx.identities(ctx, id, args...)
	return tx.complete(ctx, &row, identities, err)
}

func selectUser(where string, lock bool) string {
	sql := `SELECT ` + userColumns + `, ` + hasFactorsColumn + ` FROM auth.users u WHERE ` + where
	if lock {
		sql += ` FOR UPDATE OF u`
	}
	return sql
}

// complete adds what belongs to a user whose row was read.
func (tx *Tx) complete(ctx context.Context, row *userRow, identities []auth.Identity, err error) (auth.User, error) {
	if err != nil {
		return auth.User{}, err
	}
	u := row.user()
	u.Identities = identities
	if row.hasFactors {
		u.Factors, err = tx.Factors(ctx, u.ID)
	}
	return u, err
}

// suppressed explains a write that returned no row although the row exists: a
// trigger of the developer's returned NULL.
func suppressed(err error) error {
	return notFound(err, auth.ErrTriggerFailed.Because(fmt.Errorf("%w: a trigger suppressed it", err)))
}

// Settle fires the deferred constraint triggers, and reads the user as all
// triggers left it; auth.ErrUserNotFound if one deleted it. It is the last call
// in a transaction whose answer shows the user.
func (tx *Tx) Settle(ctx context.Context, id uuid.UUID) (auth.User, error) {
	if err := tx.fireDeferred(ctx); err != nil {
		return auth.User{}, err
	}
	return tx.UserByID(ctx, id, false)
}

// SettleSession is Settle for a session with its user. A deleted user,
// including a soft-deleted one, is auth.ErrTokenUserGone; a deleted session is
// auth.ErrSessionNotFound.
func (tx *Tx) SettleSession(ctx context.Context, user, session uuid.UUID) (auth.Principal, error) {
	if err := tx.fireDeferred(ctx); err != nil {
		return auth.Principal{}, err
	}
	return tx.principal(ctx, user, session)
}

// fireDeferred fires the constraint triggers of the database by name. ALL would
// also fire the deferred foreign keys: they write nothing, and the next
// statement of a trigger fired here may still satisfy one. ALL is used if the
// auth role may not name a trigger, because of its schema.
func (tx *Tx) fireDeferred(ctx context.Context) error {
	var names *string
	err := tx.q.QueryRow(ctx, `SELECT CASE WHEN pg_catalog.bool_or(NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')) THEN 'ALL'
			ELSE pg_catalog.string_agg(DISTINCT pg_catalog.format('%I.%I', n.nspname, c.conname), ', ') END
		FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
		WHERE c.contype = 't' AND c.condeferrable`).Scan(&names)
	if err == nil && names != nil {
		_, err = tx.q.Exec(ctx, `SET CONSTRAINTS `+*names+` IMMEDIATE`, pgx.QueryExecModeExec)
	}
	if err != nil {
		return asFault(fmt.Errorf("fire deferred triggers: %w", err))
	}
	return nil
}

// Normalize rewrites JSON documents as jsonb stores them.
func (tx *Tx) Normalize(ctx context.Context, documents ...*json.RawMessage) error {
	for _, d := range documents {
		var raw []byte
		if err := tx.q.QueryRow(ctx, `SELECT $1::pg_catalog.jsonb`, orEmpty(*d)).Scan(&raw); err != nil {
			return fmt.Errorf("normalize JSON: %w", err)
		}
		*d = object(raw)
	}
	return nil
}

// UserPage selects one page of users.
type UserPage struct {
	Page        int // from 1
	PerPage     int
	Filter      string // part of an address, phone or name; "" = all
	OldestFirst bool   // else newest first
}

// Users returns one page, in the order of creation, without identities and
// factors, and the number of all matching users.
func (tx *Tx) Users(ctx context.Context, p UserPage) ([]auth.User, int64, error) {
	where, args := `true`, []any{p.PerPage, (p.Page - 1) * p.PerPage}
	if p.Filter != "" {
		where = `(u.email ILIKE $3 OR u.phone ILIKE $3 OR u.raw_user_meta_data->>'full_name' ILIKE $3)`
		args = append(args, "%"+likeEscaper.Replace(p.Filter)+"%")
	}
	var total int64
	if err := tx.q.QueryRow(ctx, `SELECT pg_catalog.count(*) FROM auth.users u WHERE `+strings.ReplaceAll(where, "$3", "$1"),
		args[2:]...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count users: %w", err)
	}
	order := `u.created_at DESC, u.id`
	if p.OldestFirst {
		order = `u.created_at, u.id DESC` // the same index, read backwards
	}
	rows, err := tx.q.Query(ctx, `SELECT `+userColumns+`, false FROM auth.users u WHERE `+where+
		` ORDER BY `+order+` LIMIT $1 OFFSET $2`, args...)
	if err != nil {
		return nil, 0, fmt.Errorf("list users: %w", err)
	}
	users, err := scanUsers(rows)
	return users, total, err
}

func scanUsers(rows pgx.Rows) ([]auth.User, error) {
	users, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.User, error) {
		var r userRow
		err := row.Scan(r.targets()...)
		return r.user(), err
	})
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return users, nil
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func orEmpty(raw json.RawMessage) string {
	if len(raw) == 0 {
		return "{}"
	}
	return string(raw)
}
