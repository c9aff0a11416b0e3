package tenantdb

import "context"

// Ping asks for a sign of life that only a complete database gives.
func (tx *Tx) Ping(ctx context.Context) error {
	_, err := tx.q.Exec(ctx, `SELECT 1 FROM auth.users LIMIT 0`)
	return err
}
