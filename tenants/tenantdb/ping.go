package tenantdb

import "context"

// Ping runs a query that only a complete database answers.
func (tx *Tx) Ping(ctx context.Context) error {
	_, err := tx.q.Exec(ctx, `SELECT 1 FROM auth.users LIMIT 0`)
	return err
}
