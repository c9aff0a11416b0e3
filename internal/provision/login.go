package provision

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// AllowLogin implements guard.Logins: it enables the logins of a complete
// database's roles. A deletion disables them for good under the same lock, after
// it changed the database's state. It returns false while another process holds
// the lock.
func (s *Service) AllowLogin(ctx context.Context, ref tenants.Ref) (bool, error) {
	return s.lockedDatabase(ctx, ref, false, func(conn *pgx.Conn) error {
		d, err := s.Control.DatabaseByRef(ctx, ref)
		if errors.Is(err, controldb.ErrNoDatabase) {
			return nil
		}
		if err != nil || d.State != controldb.DatabaseAssigned && d.State != controldb.DatabaseWarm {
			return err
		}
		roles, err := existing(ctx, conn, namesOfRoles(ref))
		if err != nil || len(roles) == 0 {
			return err
		}
		var sql strings.Builder
		for _, role := range roles {
			fmt.Fprintf(&sql, "ALTER ROLE %s LOGIN;", quote(role))
		}
		if err := s.execDDL(ctx, conn, sql.String()); err != nil {
			return fmt.Errorf("allow logins: %w", err)
		}
		return nil
	})
}
