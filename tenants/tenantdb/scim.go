package tenantdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/scim"
)

// maxSCIMScan is the most resources of a connection that a query looks at where no index
// helps.
const maxSCIMScan = 50_000

const scimUserColumns = `u.id, u.sso_provider_id, u.user_id, u.resource, u.created_at, u.updated_at, u.deleted_at`

func scanSCIMUser(row pgx.Row) (u auth.SCIMUser, err error) {
	var resource []byte
	err = row.Scan(&u.ID, &u.Provider, &u.UserID, &resource, momentOrEpoch{&u.CreatedAt}, momentOrEpoch{&u.UpdatedAt}, moment{&u.DeletedAt})
	u.Resource = object(resource)
	return u, err
}

// SCIMUser returns a user of a connection's directory, locked if lock is set;
// auth.ErrSCIMNotFound.
func (tx *Tx) SCIMUser(ctx context.Context, provider, id uuid.UUID, lock bool) (auth.SCIMUser, error) {
	sql := `SELECT ` + scimUserColumns + ` FROM auth.scim_users u WHERE u.sso_provider_id = $1 AND u.id = $2 AND u.deleted_at IS NULL`
	if lock {
		sql += ` FOR UPDATE`
	}
	u, err := scanSCIMUser(tx.q.QueryRow(ctx, sql, provider, id))
	if err != nil {
		return u, notFound(fmt.Errorf("read SCIM user: %w", err), auth.ErrSCIMNotFound)
	}
	return u, nil
}

// CreateSCIMUser writes a new user of a directory; scim.ErrUniqueness for a userName or
// externalId that another one of the connection has.
func (tx *Tx) CreateSCIMUser(ctx context.Context, u *auth.SCIMUser) error {
	_, err := tx.q.Exec(ctx, `INSERT INTO auth.scim_users (id, sso_provider_id, user_id, resource, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)`,
		u.ID, u.Provider, u.UserID, string(u.Resource), u.CreatedAt)
	if err != nil {
		return asFault(fmt.Errorf("create SCIM user: %w", err))
	}
	return nil
}

// UpdateSCIMUser writes the document and the user; scim.ErrUniqueness.
func (tx *Tx) UpdateSCIMUser(ctx context.Context, u *auth.SCIMUser) error {
	_, err := tx.q.Exec(ctx, `UPDATE auth.scim_users SET resource = $2, user_id = $3, updated_at = $4 WHERE id = $1`,
		u.ID, string(u.Resource), u.UserID, u.UpdatedAt)
	if err != nil {
		return asFault(fmt.Errorf("update SCIM user: %w", err))
	}
	return nil
}

// LinkSCIMUser sets which user of the project a user of a directory is.
func (tx *Tx) LinkSCIMUser(ctx context.Context, id, user uuid.UUID) error {
	return tx.q.Later(ctx, "link SCIM user", `UPDATE auth.scim_users SET user_id = $2 WHERE id = $1`, id, user)
}

// DeleteSCIMUser marks a user of a directory as removed, and takes it out of all groups.
func (tx *Tx) DeleteSCIMUser(ctx context.Context, id uuid.UUID, now time.Time) error {
	if _, err := tx.q.Exec(ctx, `UPDATE auth.scim_users SET deleted_at = $2, updated_at = $2 WHERE id = $1`, id, now); err != nil {
		return fmt.Errorf("delete SCIM user: %w", err)
	}
	if _, err := tx.q.Exec(ctx, `UPDATE reeve.scim_group g SET version = g.version + 1, updated_at = $2
		WHERE g.id IN (SELECT m.group_id FROM reeve.scim_member m WHERE m.scim_user_id = $1)`, id, now); err != nil {
		return fmt.Errorf("delete SCIM user: %w", err)
	}
	if _, err := tx.q.Exec(ctx, `DELETE FROM reeve.scim_member m WHERE m.scim_user_id = $1`, id); err != nil {
		return fmt.Errorf("delete SCIM user: %w", err)
	}
	return nil
}

// SCIMUsers returns a page of the users of a connection's directory, and how many there
// are; scim.ErrTooMany for a query that would have to look at too many.
func (tx *Tx) SCIMUsers(ctx context.Context, provider uuid.UUID, q scim.Query) ([]auth.SCIMUser, int, error) {
	page, total, err := scimPage(ctx, tx, scimUsers, scimUserColumns, `u.sso_provider_id = $1 AND u.deleted_at IS NULL`, provider, q, scanSCIMUser)
	if err != nil {
		return nil, 0, fmt.Errorf("list SCIM users: %w", err)
	}
	return page, total, nil
}

func scimPage[T any](ctx context.Context, tx *Tx, t scimTable, columns, base string, provider uuid.UUID, q scim.Query, scan func(pgx.Row) (T, error)) ([]T, int, error) {
	b := &scimSQL{table: t, args: []any{provider}}
	by, bounded, err := b.sort(q.SortBy, q.Descending)
	if err != nil {
		return nil, 0, err
	}
	where := base
	if q.Filter != nil {
		cond, err := b.where(q.Filter, true)
		if err != nil {
			return nil, 0, err
		}
		where += " AND " + cond
		bounded = !t.indexed(q.Filter)
	}
	if bounded {
		var n int
		err := tx.q.QueryRow(ctx, `SELECT count(*) FROM (SELECT FROM `+t.from+` WHERE `+base+` LIMIT $2) x`, provider, maxSCIMScan+1).Scan(&n)
		if err != nil {
			return nil, 0, err
		}
		if n > maxSCIMScan {
			return nil, 0, scim.ErrTooMany.Saying(fmt.Sprintf("The connection has more than %d %s: filter by id, userName or externalId with eq, and sort by userName, id or a time",
				maxSCIMScan, map[string]string{"u": "users", "g": "groups"}[t.alias]))
		}
	}
	var total int
	// Each filter is another statement, so none is prepared.
	if err := tx.q.QueryRow(ctx, `SELECT count(*) FROM `+t.from+` WHERE `+where, append([]any{unnamed}, b.args...)...).Scan(&total); err != nil {
		return nil, 0, asFault(err)
	}
	if q.Count == 0 || q.Start > total {
		return nil, total, nil
	}
	sql := `SELECT ` + columns + ` FROM ` + t.from + ` WHERE ` + where + ` ORDER BY ` + by + ` OFFSET ` + b.arg(q.Start-1) + ` LIMIT ` + b.arg(q.Count)
	rows, err := tx.q.Query(ctx, sql, append([]any{unnamed}, b.args...)...)
	if err != nil {
		return nil, 0, asFault(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (T, error) { return scan(row) })
	if err != nil {
		return nil, 0, asFault(err)
	}
	return list, total, nil
}

// SCIMUserAt returns the user of a connection's directory that somebody who signs in by
// the connection is: that with the subject as externalId, else that with the subject or
// the address, both in lower case, as userName. Users that were removed come after
// others; auth.ErrSCIMNotFound.
func (tx *Tx) SCIMUserAt(ctx context.Context, provider uuid.UUID, subject string, names []string) (auth.SCIMUser, error) {
	const found = `SELECT ` + scimUserColumns + `, CASE WHEN u.external_id = $2 THEN 0 ELSE 1 END AS rank FROM auth.scim_users u WHERE u.sso_provider_id = $1 AND `
	var rank int
	var u auth.SCIMUser
	var resource []byte
	err := tx.q.QueryRow(ctx, `SELECT * FROM (
			(`+found+`u.external_id = $2 AND u.deleted_at IS NULL LIMIT 1)
			UNION ALL (`+found+`u.user_name = ANY ($3) AND u.deleted_at IS NULL LIMIT 2)
			UNION ALL (`+found+`u.external_id = $2 AND u.deleted_at IS NOT NULL ORDER BY u.deleted_at DESC LIMIT 1)
			UNION ALL (`+found+`u.user_name = ANY ($3) AND u.deleted_at IS NOT NULL ORDER BY u.deleted_at DESC LIMIT 1)
		) x ORDER BY x.deleted_at IS NOT NULL, x.rank, pg_catalog.array_position($3::pg_catalog.text[], pg_catalog.lower(x.resource->>'userName')) LIMIT 1`,
		provider, subject, names).
		Scan(&u.ID, &u.Provider, &u.UserID, &resource, momentOrEpoch{&u.CreatedAt}, momentOrEpoch{&u.UpdatedAt}, moment{&u.DeletedAt}, &rank)
	u.Resource = object(resource)
	if err != nil {
		return u, notFound(fmt.Errorf("find SCIM user: %w", err), auth.ErrSCIMNotFound)
	}
	return u, nil
}

// SCIMUsersWaiting returns users of a connection's directory who are none of the project's
// yet and have an address, in lower case, among theirs; those that were removed come last.
// At most 20.
func (tx *Tx) SCIMUsersWaiting(ctx context.Context, provider uuid.UUID, email string) ([]auth.SCIMUser, error) {
	rows, err := tx.q.Query(ctx, `SELECT `+scimUserColumns+` FROM auth.scim_users u
		WHERE u.sso_provider_id = $1 AND u.user_id IS NULL AND EXISTS (SELECT FROM pg_catalog.jsonb_array_elements(
			CASE WHEN pg_catalog.jsonb_typeof(u.resource->'emails') = 'array' THEN u.resource->'emails' ELSE '[]' END) e
			WHERE pg_catalog.lower(e->>'value') = $2)
		ORDER BY u.deleted_at IS NOT NULL, u.deleted_at DESC LIMIT 20`, provider, email)
	if err != nil {
		return nil, fmt.Errorf("find SCIM users: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.SCIMUser, error) { return scanSCIMUser(row) })
	if err != nil {
		return nil, fmt.Errorf("find SCIM users: %w", err)
	}
	return list, nil
}

// SCIMWithdrawn reports whether a connection's directory had the user and does not let
// them in any more. Of somebody whom no directory has, it says false.
func (tx *Tx) SCIMWithdrawn(ctx context.Context, provider, user uuid.UUID) (bool, error) {
	var withdrawn bool
	err := tx.q.QueryRow(ctx, `SELECT coalesce(NOT pg_catalog.bool_or(u.active AND u.deleted_at IS NULL), false)
		FROM auth.scim_users u WHERE u.user_id = $2 AND u.sso_provider_id = $1`, provider, user).Scan(&withdrawn)
	if err != nil {
		return false, fmt.Errorf("read SCIM user: %w", err)
	}
	return withdrawn, nil
}

// SSOUserByEmail returns the user of a connection with an address in lower case, if there
// is one alone, locked; auth.ErrUserNotFound.
func (tx *Tx) SSOUserByEmail(ctx context.Context, provider, email string) (auth.User, error) {
	var ids []uuid.UUID
	rows, err := tx.q.Query(ctx, `SELECT DISTINCT i.user_id FROM auth.identities i JOIN auth.users u ON u.id = i.user_id
		WHERE pg_catalog.lower(i.email) = $2 AND i.provider = $1 AND u.deleted_at IS NULL LIMIT 2`, provider, email)
	if err == nil {
		ids, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	}
	if err != nil {
		return auth.User{}, fmt.Errorf("find user of a connection: %w", err)
	}
	if len(ids) != 1 {
		return auth.User{}, auth.ErrUserNotFound
	}
	return tx.UserByID(ctx, ids[0], true)
}

// RenameIdentity changes the provider's id of an identity that a directory made, and reads
// it back; auth.ErrIdentityExists. proved says that its user has signed in by it.
func (tx *Tx) RenameIdentity(ctx context.Context, i *auth.Identity, providerID string, proved bool, now time.Time) error {
	data := map[string]any{"sub": providerID}
	if proved {
		data["provisioned"] = nil
	}
	put, removed, err := split(data)
	if err != nil {
		return err
	}
	return tx.scanIdentity(ctx, i, "rename identity", `UPDATE auth.identities AS i SET provider_id = $2, updated_at = $3,
		identity_data = `+merged("i.identity_data", "$4", "$5")+` WHERE i.id = $1`, i.ID, providerID, now, put, removed)
}

// SSOConnectionOn reports whether users can sign in by a connection;
// auth.ErrSSOProviderNotFound.
func (tx *Tx) SSOConnectionOn(ctx context.Context, id uuid.UUID) (on bool, err error) {
	err = tx.q.QueryRow(ctx, `SELECT p.disabled IS NOT TRUE FROM auth.sso_providers p WHERE p.id = $1`, id).Scan(&on)
	if err != nil {
		return false, notFound(fmt.Errorf("read SSO provider: %w", err), auth.ErrSSOProviderNotFound)
	}
	return on, nil
}

// LockSSOConnection makes other transactions that lock the connection wait, so that
// somebody whom the directory provisions and who signs in at once becomes one user. It is
// no error if there is no such connection.
func (tx *Tx) LockSSOConnection(ctx context.Context, id uuid.UUID) error {
	return tx.q.Later(ctx, "lock SSO provider", `SELECT FROM auth.sso_providers p WHERE p.id = $1 FOR NO KEY UPDATE`, id)
}

const scimTokenColumns = `t.id, t.sso_provider_id, t.token_hash, t.prefix, t.created_at, t.expires_at, t.revoked_at, t.last_used_at`

func scanSCIMToken(row pgx.Row) (t auth.SCIMToken, err error) {
	err = row.Scan(&t.ID, &t.Provider, &t.Hash, &t.Prefix, momentOrEpoch{&t.CreatedAt}, moment{&t.ExpiresAt}, moment{&t.RevokedAt}, moment{&t.LastUsedAt}, &t.ConnectionOff)
	return t, err
}

// SCIMTokenByHash returns a token that is in force; auth.ErrSCIMToken.
func (tx *Tx) SCIMTokenByHash(ctx context.Context, hash string, now time.Time) (auth.SCIMToken, error) {
	t, err := scanSCIMToken(tx.q.QueryRow(ctx, `SELECT `+scimTokenColumns+`, p.disabled IS TRUE FROM auth.scim_tokens t
		JOIN auth.sso_providers p ON p.id = t.sso_provider_id
		WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2)`, hash, now))
	if err != nil {
		return t, notFound(fmt.Errorf("read SCIM token: %w", err), auth.ErrSCIMToken)
	}
	return t, nil
}

// TouchSCIMToken notes that a token was used, unless that was noted since a time.
func (tx *Tx) TouchSCIMToken(ctx context.Context, id uuid.UUID, now, since time.Time) error {
	_, err := tx.q.Exec(ctx, `UPDATE auth.scim_tokens SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)`, id, now, since)
	if err != nil {
		return fmt.Errorf("touch SCIM token: %w", err)
	}
	return nil
}

// CreateSCIMToken writes a new token. false, and nothing is written, if the connection
// has max in force.
func (tx *Tx) CreateSCIMToken(ctx context.Context, t *auth.SCIMToken, max int) (bool, error) {
	tag, err := tx.q.Exec(ctx, `INSERT INTO auth.scim_tokens (id, sso_provider_id, token_hash, prefix, created_at, expires_at)
		SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT count(*) FROM auth.scim_tokens t WHERE t.sso_provider_id = $2 AND t.revoked_at IS NULL
			AND (t.expires_at IS NULL OR t.expires_at > $5)) < $7`, t.ID, t.Provider, t.Hash, t.Prefix, t.CreatedAt, t.ExpiresAt, max)
	if err != nil {
		return false, fmt.Errorf("create SCIM token: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// SCIMTokens returns the tokens of a connection, the newest first, at most max.
func (tx *Tx) SCIMTokens(ctx context.Context, provider uuid.UUID, max int) ([]auth.SCIMToken, error) {
	rows, err := tx.q.Query(ctx, `SELECT `+scimTokenColumns+`, false FROM auth.scim_tokens t WHERE t.sso_provider_id = $1
		ORDER BY t.created_at DESC, t.id LIMIT $2`, provider, max)
	if err != nil {
		return nil, fmt.Errorf("list SCIM tokens: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.SCIMToken, error) { return scanSCIMToken(row) })
	if err != nil {
		return nil, fmt.Errorf("list SCIM tokens: %w", err)
	}
	return list, nil
}

// RevokeSCIMToken revokes a token of a connection, which it may have been before;
// auth.ErrSCIMTokenNotFound.
func (tx *Tx) RevokeSCIMToken(ctx context.Context, provider, id uuid.UUID, now time.Time) error {
	tag, err := tx.q.Exec(ctx, `UPDATE auth.scim_tokens SET revoked_at = coalesce(revoked_at, greatest($3, created_at)) WHERE id = $1 AND sso_provider_id = $2`, id, provider, now)
	if err != nil {
		return fmt.Errorf("revoke SCIM token: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return auth.ErrSCIMTokenNotFound
	}
	return nil
}

// TidySCIM removes up to max entries of the log that are older than a time, groups and
// entries of connections that are gone, and tokens that ended before it, and returns how
// many rows.
func (tx *Tx) TidySCIM(ctx context.Context, before time.Time, max int) (removed int64, err error) {
	for _, sql := range []string{
		`DELETE FROM reeve.scim_log l WHERE l.id = ANY (ARRAY(SELECT o.id FROM reeve.scim_log o WHERE o.at < $1 ORDER BY o.at LIMIT $2 FOR UPDATE SKIP LOCKED))`,
		`DELETE FROM reeve.scim_log l WHERE l.id = ANY (ARRAY(SELECT o.id FROM reeve.scim_log o
			WHERE $1::pg_catalog.timestamptz IS NOT NULL AND NOT EXISTS (SELECT FROM auth.sso_providers p WHERE p.id = o.provider_id) LIMIT $2 FOR UPDATE SKIP LOCKED))`,
		`DELETE FROM reeve.scim_group g WHERE g.id = ANY (ARRAY(SELECT o.id FROM reeve.scim_group o
			WHERE $1::pg_catalog.timestamptz IS NOT NULL AND NOT EXISTS (SELECT FROM auth.sso_providers p WHERE p.id = o.provider_id) LIMIT $2 FOR UPDATE SKIP LOCKED))`,
		`DELETE FROM auth.scim_tokens t WHERE t.id = ANY (ARRAY(SELECT o.id FROM auth.scim_tokens o
			WHERE o.revoked_at < $1 OR o.expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))`,
	} {
		tag, err := tx.q.Exec(ctx, sql, before, max)
		if err != nil {
			return removed, fmt.Errorf("tidy SCIM: %w", err)
		}
		removed += tag.RowsAffected()
	}
	return removed, nil
}

// SCIMLinked reports whether a user of a connection's directory other than one is the
// user.
func (tx *Tx) SCIMLinked(ctx context.Context, provider, user, other uuid.UUID) (bool, error) {
	var linked bool
	err := tx.q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM auth.scim_users u WHERE u.user_id = $2 AND u.sso_provider_id = $1 AND u.id <> $3 AND u.deleted_at IS NULL)`,
		provider, user, other).Scan(&linked)
	if err != nil {
		return false, fmt.Errorf("read SCIM user: %w", err)
	}
	return linked, nil
}
