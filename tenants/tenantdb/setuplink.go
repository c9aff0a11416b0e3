package tenantdb

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

const setupLinkColumns = `l.id, l.digest, l.provider_id, l.creates, l.name, l.intents, l.done, l.domains, l.idp, l.dry_run, l.saved_at, l.created_by,
	l.created_at, l.expires_at, l.revoked_at, l.opened_at`

func scanSetupLink(row pgx.Row) (l auth.SetupLink, err error) {
	err = row.Scan(&l.ID, &l.Digest, &l.Provider, &l.Creates, &l.Name, &l.Intents, &l.Done, &l.Domains, &l.IdP, &l.DryRun, &l.SavedAt, &l.CreatedBy,
		&l.CreatedAt, &l.ExpiresAt, &l.RevokedAt, &l.OpenedAt)
	return l, err
}

// CreateSetupLink writes a new link; false if max are open already.
func (tx *Tx) CreateSetupLink(ctx context.Context, l *auth.SetupLink, max int) (created bool, err error) {
	tag, err := tx.q.Exec(ctx, `INSERT INTO reeve.sso_setup_link (id, digest, provider_id, creates, name, intents, domains, created_by, created_at, expires_at)
		SELECT $1, $2, $3, $4, $5, $6, $7, "left"($8, 320), $9, $10
		WHERE (SELECT pg_catalog.count(*) FROM reeve.sso_setup_link o WHERE o.expires_at > $9 AND o.revoked_at IS NULL) < $11`,
		l.ID, l.Digest, l.Provider, l.Creates, l.Name, l.Intents, l.Domains, l.CreatedBy, l.CreatedAt, l.ExpiresAt, max)
	if err != nil {
		return false, fmt.Errorf("create setup link: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// SetupLink returns a link, locked if lock is set; auth.ErrSetupLinkNotFound.
func (tx *Tx) SetupLink(ctx context.Context, id uuid.UUID, lock bool) (auth.SetupLink, error) {
	query := `SELECT ` + setupLinkColumns + ` FROM reeve.sso_setup_link l WHERE l.id = $1`
	if lock {
		query += ` FOR UPDATE`
	}
	l, err := scanSetupLink(tx.q.QueryRow(ctx, query, id))
	if err != nil {
		return l, notFound(fmt.Errorf("read setup link: %w", err), auth.ErrSetupLinkNotFound)
	}
	return l, nil
}

// SetupLinks returns the project's links, the newest first.
func (tx *Tx) SetupLinks(ctx context.Context, max int) ([]auth.SetupLink, error) {
	rows, err := tx.q.Query(ctx, `SELECT `+setupLinkColumns+` FROM reeve.sso_setup_link l ORDER BY l.created_at DESC, l.id LIMIT $1`, max)
	if err != nil {
		return nil, fmt.Errorf("list setup links: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.SetupLink, error) { return scanSetupLink(row) })
	if err != nil {
		return nil, fmt.Errorf("list setup links: %w", err)
	}
	return list, nil
}

// PutSetupLink writes what can change of a link; auth.ErrSetupLinkNotFound.
func (tx *Tx) PutSetupLink(ctx context.Context, l *auth.SetupLink) error {
	tag, err := tx.q.Exec(ctx, `UPDATE reeve.sso_setup_link l SET done = $2, idp = $3, dry_run = $4, saved_at = $5, revoked_at = $6, opened_at = $7 WHERE l.id = $1`,
		l.ID, l.Done, l.IdP, l.DryRun, l.SavedAt, l.RevokedAt, l.OpenedAt)
	if err != nil {
		return fmt.Errorf("write setup link: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return auth.ErrSetupLinkNotFound
	}
	return nil
}
