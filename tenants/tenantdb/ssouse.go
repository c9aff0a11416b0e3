package tenantdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// SSOUse is how a connection is used.
type SSOUse struct {
	Users        int64      // with an identity of it
	Sessions     int64      // that began by it
	LastSignInAt *time.Time // not of users whom a directory made and who never came
}

// SSOUses returns how connections are used; one that nobody uses may be missing. It reads
// all identities of connections, so the caller limits its time.
func (tx *Tx) SSOUses(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]SSOUse, error) {
	providers := make([]string, len(ids))
	for i, id := range ids {
		providers[i] = auth.SSOPrefix + id.String()
	}
	rows, err := tx.q.Query(ctx, `SELECT p.id, coalesce(i.users, 0), coalesce(o.sessions, 0), i.last
		FROM pg_catalog.unnest($1::uuid[]) AS p (id)
		LEFT JOIN (SELECT i.provider, pg_catalog.count(DISTINCT i.user_id) AS users, pg_catalog.max(i.last_sign_in_at) FILTER (WHERE u.last_sign_in_at IS NOT NULL) AS last
			FROM auth.identities i JOIN auth.users u ON u.id = i.user_id WHERE i.provider = ANY ($2) GROUP BY i.provider) i ON i.provider = pg_catalog.concat($3::text, p.id)
		LEFT JOIN (SELECT o.provider_id, pg_catalog.count(*) AS sessions FROM reeve.sso_session o JOIN auth.sessions s ON s.id = o.session_id
			WHERE o.provider_id = ANY ($1) GROUP BY o.provider_id) o ON o.provider_id = p.id`, ids, providers, auth.SSOPrefix)
	if err != nil {
		return nil, fmt.Errorf("count users of connections: %w", err)
	}
	out := map[uuid.UUID]SSOUse{}
	var id uuid.UUID
	var use SSOUse
	_, err = pgx.ForEachRow(rows, []any{&id, &use.Users, &use.Sessions, &use.LastSignInAt}, func() error {
		out[id] = use
		use = SSOUse{}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count users of connections: %w", err)
	}
	return out, nil
}
