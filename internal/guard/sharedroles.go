package guard

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// resetSharedRoles resets settings on the roles that all projects share: any
// role that can SET ROLE to one of them can leave settings on it.
func (g *Guard) resetSharedRoles(ctx context.Context) error {
	rows, _ := g.Admin.Query(ctx, `SELECT DISTINCT r.rolname::text FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
		WHERE s.setdatabase = 0 AND r.rolname IN ('anon', 'authenticated', 'service_role')`)
	changed, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look at the shared roles: %w", err)
	}
	for _, role := range changed {
		g.logger().WarnContext(ctx, "somebody left settings on a shared role; they are undone", "role", role)
		_, err := g.Admin.Exec(ctx, "ALTER ROLE "+pgx.Identifier{role}.Sanitize()+" RESET ALL")
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == "XX000" { // "tuple concurrently updated": another replica was at it
			continue
		}
		if err != nil {
			return fmt.Errorf("reset role %s: %w", role, err)
		}
	}
	return nil
}
