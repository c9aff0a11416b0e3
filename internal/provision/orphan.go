package provision

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/tenants"
)

// Orphans lists the refs that have a database or roles of this installation on
// the cluster but no row in the control database. Provisioning leaves none, so
// if there are any, the control database was restored to an older state. They
// may hold users' data, so nothing drops them automatically.
func (s *Service) Orphans(ctx context.Context) ([]tenants.Ref, error) {
	if err := s.init(); err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, `SELECT DISTINCT substring(name FROM 7 FOR 20) FROM (
			SELECT datname::text AS name FROM pg_database
			WHERE datname ~ '^reeve_[a-z]{20}$' AND shobj_description(oid, 'pg_database') = $1
			UNION ALL
			SELECT rolname::text FROM pg_roles
			WHERE rolname ~ '^reeve_[a-z]{20}_(auth|api|owner|query)$' AND shobj_description(oid, 'pg_authid') = $1
		) found ORDER BY 1`, s.Mark())
	if err != nil {
		return nil, fmt.Errorf("list databases of cluster %s: %w", s.Cluster.ID, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[tenants.Ref])
	if err != nil || len(found) == 0 {
		return nil, err
	}
	// Rows are read after the cluster, and rows are created before their
	// database, so nothing new is listed. A database that was dropped in
	// between may be.
	known, err := s.Control.RefsOf(ctx, found)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(ref tenants.Ref) bool { return known[ref] }), nil
}
