package tenantdb

import "context"

// WaysIn is a set of ways to sign in and how many users have exactly these: email,
// phone, or the name of a provider.
type WaysIn struct {
	Ways  []string
	Users int64
}

// maxWaysIn bounds the answer of WaysIn.
const maxWaysIn = 1000

// WaysIn counts the users by their ways to sign in, the most frequent first.
// Anonymous and deleted users are left out.
func (tx *Tx) WaysIn(ctx context.Context) ([]WaysIn, error) {
	rows, err := tx.q.Query(ctx, `SELECT w.ways, count(*) FROM auth.users u CROSS JOIN LATERAL (
			SELECT array_agg(DISTINCT way ORDER BY way) FROM (
				SELECT 'email' WHERE u.email <> ''
				UNION ALL SELECT 'phone' WHERE u.phone <> ''
				UNION ALL SELECT left(i.provider, 100) FROM auth.identities i WHERE i.user_id = u.id AND i.provider NOT IN ('email', 'phone')
			) a(way)
		) w(ways) WHERE u.deleted_at IS NULL AND NOT u.is_anonymous AND w.ways IS NOT NULL
		GROUP BY 1 ORDER BY 2 DESC LIMIT $1`, maxWaysIn)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []WaysIn
	for rows.Next() {
		var w WaysIn
		if err := rows.Scan(&w.Ways, &w.Users); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, rows.Err()
}
