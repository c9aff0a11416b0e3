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

const scimGroupColumns = `g.id, g.provider_id, g.resource, g.version, g.created_at, g.updated_at`

func scanSCIMGroup(row pgx.Row) (g auth.SCIMGroup, err error) {
	err = row.Scan(&g.ID, &g.Provider, &g.Resource, &g.Version, momentOrEpoch{&g.CreatedAt}, momentOrEpoch{&g.UpdatedAt})
	return g, err
}

// SCIMGroup returns a group of a connection's directory, locked if lock is set;
// auth.ErrSCIMNotFound.
func (tx *Tx) SCIMGroup(ctx context.Context, provider, id uuid.UUID, lock bool) (auth.SCIMGroup, error) {
	sql := `SELECT ` + scimGroupColumns + ` FROM reeve.scim_group g WHERE g.provider_id = $1 AND g.id = $2`
	if lock {
		sql += ` FOR UPDATE`
	}
	g, err := scanSCIMGroup(tx.q.QueryRow(ctx, sql, provider, id))
	if err != nil {
		return g, notFound(fmt.Errorf("read SCIM group: %w", err), auth.ErrSCIMNotFound)
	}
	return g, nil
}

// CreateSCIMGroup writes a new group; scim.ErrUniqueness for an externalId that another
// one of the connection has.
func (tx *Tx) CreateSCIMGroup(ctx context.Context, g *auth.SCIMGroup) error {
	_, err := tx.q.Exec(ctx, `INSERT INTO reeve.scim_group (id, provider_id, resource, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		g.ID, g.Provider, string(g.Resource), g.Version, g.CreatedAt, g.UpdatedAt)
	if err != nil {
		return asFault(fmt.Errorf("create SCIM group: %w", err))
	}
	return nil
}

// UpdateSCIMGroup writes the document and the version; scim.ErrUniqueness.
func (tx *Tx) UpdateSCIMGroup(ctx context.Context, g *auth.SCIMGroup) error {
	_, err := tx.q.Exec(ctx, `UPDATE reeve.scim_group SET resource = $2, version = $3, updated_at = $4 WHERE id = $1`, g.ID, string(g.Resource), g.Version, g.UpdatedAt)
	if err != nil {
		return asFault(fmt.Errorf("update SCIM group: %w", err))
	}
	return nil
}

// DeleteSCIMGroup removes a group with its memberships.
func (tx *Tx) DeleteSCIMGroup(ctx context.Context, id uuid.UUID) error {
	if _, err := tx.q.Exec(ctx, `DELETE FROM reeve.scim_group WHERE id = $1`, id); err != nil {
		return fmt.Errorf("delete SCIM group: %w", err)
	}
	return nil
}

// SCIMGroups returns a page of the groups of a connection's directory, and how many there
// are; scim.ErrTooMany.
func (tx *Tx) SCIMGroups(ctx context.Context, provider uuid.UUID, q scim.Query) ([]auth.SCIMGroup, int, error) {
	page, total, err := scimPage(ctx, tx, scimGroups, scimGroupColumns, `g.provider_id = $1`, provider, q, scanSCIMGroup)
	if err != nil {
		return nil, 0, fmt.Errorf("list SCIM groups: %w", err)
	}
	return page, total, nil
}

// SCIMUsersExist returns those of the ids that are users of a connection's directory.
func (tx *Tx) SCIMUsersExist(ctx context.Context, provider uuid.UUID, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	rows, err := tx.q.Query(ctx, `SELECT u.id FROM auth.scim_users u WHERE u.id = ANY ($2) AND u.sso_provider_id = $1 AND u.deleted_at IS NULL`, provider, ids)
	if err != nil {
		return nil, fmt.Errorf("read SCIM users: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("read SCIM users: %w", err)
	}
	found := make(map[uuid.UUID]bool, len(list))
	for _, id := range list {
		found[id] = true
	}
	return found, nil
}

// AddSCIMMembers adds users to a group, and returns how many were not in it.
func (tx *Tx) AddSCIMMembers(ctx context.Context, group uuid.UUID, users []uuid.UUID) (int64, error) {
	tag, err := tx.q.Exec(ctx, `INSERT INTO reeve.scim_member (group_id, scim_user_id) SELECT $1, n FROM pg_catalog.unnest($2::pg_catalog.uuid[]) n
		ON CONFLICT DO NOTHING`, group, users)
	if err != nil {
		return 0, fmt.Errorf("add SCIM members: %w", err)
	}
	return tag.RowsAffected(), nil
}

// RemoveSCIMMembers removes users from a group, and returns how many were in it.
func (tx *Tx) RemoveSCIMMembers(ctx context.Context, group uuid.UUID, users []uuid.UUID) (int64, error) {
	tag, err := tx.q.Exec(ctx, `DELETE FROM reeve.scim_member m WHERE m.group_id = $1 AND m.scim_user_id = ANY ($2)`, group, users)
	if err != nil {
		return 0, fmt.Errorf("remove SCIM members: %w", err)
	}
	return tag.RowsAffected(), nil
}

// KeepSCIMMembers removes all users from a group but these, and returns how many.
func (tx *Tx) KeepSCIMMembers(ctx context.Context, group uuid.UUID, users []uuid.UUID) (int64, error) {
	tag, err := tx.q.Exec(ctx, `DELETE FROM reeve.scim_member m WHERE m.group_id = $1
		AND NOT EXISTS (SELECT FROM pg_catalog.unnest($2::pg_catalog.uuid[]) n WHERE n = m.scim_user_id)`, group, users)
	if err != nil {
		return 0, fmt.Errorf("remove SCIM members: %w", err)
	}
	return tag.RowsAffected(), nil
}

// SCIMMembers returns the members of groups with their names, at most max.
func (tx *Tx) SCIMMembers(ctx context.Context, groups []uuid.UUID, max int) ([]auth.SCIMMembership, error) {
	return tx.scimMemberships(ctx, `SELECT m.group_id, u.id, coalesce(`+scimShownName("u")+`, '') FROM reeve.scim_member m
		JOIN auth.scim_users u ON u.id = m.scim_user_id AND u.deleted_at IS NULL
		WHERE m.group_id = ANY ($1) ORDER BY m.group_id, m.scim_user_id LIMIT $2`, groups, max)
}

// SCIMGroupsOfUsers returns the groups of users of a directory, at most max.
func (tx *Tx) SCIMGroupsOfUsers(ctx context.Context, users []uuid.UUID, max int) ([]auth.SCIMMembership, error) {
	return tx.scimMemberships(ctx, `SELECT g.id, m.scim_user_id, coalesce(g.resource->>'displayName', '') FROM reeve.scim_member m
		JOIN reeve.scim_group g ON g.id = m.group_id
		WHERE m.scim_user_id = ANY ($1) ORDER BY m.scim_user_id, m.group_id LIMIT $2`, users, max)
}

func (tx *Tx) scimMemberships(ctx context.Context, sql string, ids []uuid.UUID, max int) ([]auth.SCIMMembership, error) {
	rows, err := tx.q.Query(ctx, sql, ids, max)
	if err != nil {
		return nil, fmt.Errorf("read SCIM members: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[auth.SCIMMembership])
	if err != nil {
		return nil, fmt.Errorf("read SCIM members: %w", err)
	}
	return list, nil
}

// maxStatedGroups and maxStatedName bound the groups of a user in app_metadata, which is
// in access tokens.
const (
	maxStatedGroups = "100"
	maxStatedName   = "200"
)

// scimGroupNames is the SQL of the names of the groups of a user.
func scimGroupNames(user string) string {
	return `SELECT DISTINCT g.resource->>'displayName' AS name FROM auth.scim_users s
		JOIN reeve.scim_member m ON m.scim_user_id = s.id JOIN reeve.scim_group g ON g.id = m.group_id AND g.provider_id = s.sso_provider_id
		WHERE s.user_id = ` + user + ` AND s.active AND s.deleted_at IS NULL AND pg_catalog.char_length(g.resource->>'displayName') <= ` + maxStatedName + `
		ORDER BY name LIMIT ` + maxStatedGroups
}

// SCIMGroupsOf returns the names of the groups that the directories of connections have a
// user in, sorted, each once: the first hundred of at most 200 characters. Of somebody
// whom no directory lets in any more there are none.
func (tx *Tx) SCIMGroupsOf(ctx context.Context, user uuid.UUID) ([]string, error) {
	rows, err := tx.q.Query(ctx, scimGroupNames("$1"), user)
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	return list, nil
}

// stateSCIMGroups writes what SCIMGroupsOf returns to app_metadata.groups of users, where
// it differs.
func (tx *Tx) stateSCIMGroups(ctx context.Context, users string, now time.Time, arg any) error {
	_, err := tx.q.Exec(ctx, `UPDATE auth.users u SET updated_at = $2,
			raw_app_meta_data = CASE WHEN pg_catalog.jsonb_typeof(u.raw_app_meta_data) = 'object' THEN u.raw_app_meta_data ELSE '{}' END
				|| pg_catalog.jsonb_build_object('groups', x.names)
		FROM (SELECT a.user_id, coalesce((SELECT pg_catalog.jsonb_agg(n.name ORDER BY n.name) FROM (`+scimGroupNames("a.user_id")+`) n), '[]') AS names
			FROM (`+users+`) a) x
		WHERE u.id = x.user_id AND u.raw_app_meta_data->'groups' IS DISTINCT FROM x.names`, arg, now)
	if err != nil {
		return asFault(fmt.Errorf("write groups: %w", err))
	}
	return nil
}

// StateSCIMGroupsOf writes the groups of a user to app_metadata.groups.
func (tx *Tx) StateSCIMGroupsOf(ctx context.Context, user uuid.UUID, now time.Time) error {
	return tx.stateSCIMGroups(ctx, `SELECT $1::pg_catalog.uuid AS user_id`, now, user)
}

// StateSCIMGroups is StateSCIMGroupsOf for users of directories.
func (tx *Tx) StateSCIMGroups(ctx context.Context, ids []uuid.UUID, now time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	return tx.stateSCIMGroups(ctx, `SELECT DISTINCT s.user_id FROM auth.scim_users s WHERE s.id = ANY ($1) AND s.user_id IS NOT NULL`, now, ids)
}

// SCIMMemberIDs returns the ids of members of a group, at most max.
func (tx *Tx) SCIMMemberIDs(ctx context.Context, group uuid.UUID, max int) ([]uuid.UUID, error) {
	rows, err := tx.q.Query(ctx, `SELECT m.scim_user_id FROM reeve.scim_member m WHERE m.group_id = $1 LIMIT $2`, group, max)
	if err != nil {
		return nil, fmt.Errorf("read SCIM members: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("read SCIM members: %w", err)
	}
	return list, nil
}

const scimLogColumns = `l.id, l.provider_id, l.token_id, l.at, l.method, l.path, l.status, l.request, l.cut, l.error, l.replay_of`

// AddSCIMLog writes an entry of the log. Of each connection the last keep entries stay.
func (tx *Tx) AddSCIMLog(ctx context.Context, e *auth.SCIMLogEntry, keep int) error {
	err := tx.q.QueryRow(ctx, `INSERT INTO reeve.scim_log (provider_id, token_id, at, method, path, status, request, cut, error, replay_of)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id`, e.Provider, e.Token, e.At, e.Method, e.Path, e.Status, e.Request, e.Cut, e.Error, e.ReplayOf).Scan(&e.ID)
	if err != nil {
		return fmt.Errorf("write SCIM log: %w", err)
	}
	if e.ID%16 != 0 { // now and then is enough
		return nil
	}
	_, err = tx.q.Exec(ctx, `DELETE FROM reeve.scim_log l WHERE l.provider_id = $1 AND l.id <= (
		SELECT o.id FROM reeve.scim_log o WHERE o.provider_id = $1 ORDER BY o.id DESC OFFSET $2 LIMIT 1)`, e.Provider, keep)
	if err != nil {
		return fmt.Errorf("bound SCIM log: %w", err)
	}
	return nil
}

// SCIMLog returns entries of a connection's log that are older than another one, the
// newest first; before is 0 for the newest. failed selects those that were refused.
func (tx *Tx) SCIMLog(ctx context.Context, provider uuid.UUID, before int64, failed bool, max int) ([]auth.SCIMLogEntry, error) {
	rows, err := tx.q.Query(ctx, `SELECT `+scimLogColumns+` FROM reeve.scim_log l WHERE l.provider_id = $1 AND ($2 = 0 OR l.id < $2) AND (NOT $3 OR l.status >= 400)
		ORDER BY l.id DESC LIMIT $4`, provider, before, failed, max)
	if err != nil {
		return nil, fmt.Errorf("read SCIM log: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[auth.SCIMLogEntry])
	if err != nil {
		return nil, fmt.Errorf("read SCIM log: %w", err)
	}
	return list, nil
}

// SCIMLogEntry returns an entry of a connection's log; auth.ErrSCIMLogNotFound.
func (tx *Tx) SCIMLogEntry(ctx context.Context, provider uuid.UUID, id int64) (auth.SCIMLogEntry, error) {
	rows, err := tx.q.Query(ctx, `SELECT `+scimLogColumns+` FROM reeve.scim_log l WHERE l.provider_id = $1 AND l.id = $2`, provider, id)
	if err != nil {
		return auth.SCIMLogEntry{}, fmt.Errorf("read SCIM log: %w", err)
	}
	e, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[auth.SCIMLogEntry])
	if err != nil {
		return e, notFound(fmt.Errorf("read SCIM log: %w", err), auth.ErrSCIMLogNotFound)
	}
	return e, nil
}

// keepSCIM is how long entries of the log, and tokens that have ended, are kept.
const keepSCIM = 30 * 24 * time.Hour
