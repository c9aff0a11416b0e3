package provision

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// inspectTimeout bounds an inspection.
const inspectTimeout = 10 * time.Second

// The faults of Inspect.
var (
	ErrInspectBusy   = fault.New(fault.Conflict, "inspection_running", "The project's database is being inspected already")
	ErrInspectFailed = fault.New(fault.Unavailable, "database_unavailable", "The project's database cannot be inspected now")
)

// Inspect runs fn in a read-only transaction of the admin in a project's database.
// The search path is pg_catalog, so fn runs no code of the developer as long as it
// queries the catalogs only. One inspection of a project runs at a time. Faults:
// ErrInspectBusy, and ErrInspectFailed for every error.
func (s *Service) Inspect(ctx context.Context, ref tenants.Ref, fn func(ctx context.Context, tx pgx.Tx) error) error {
	if _, busy := s.inspected.LoadOrStore(ref, true); busy {
		return ErrInspectBusy
	}
	defer s.inspected.Delete(ref)
	ctx, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	cfg, err := s.adminConfig(ref.Database())
	if err != nil {
		return err
	}
	harden(cfg)
	cfg.RuntimeParams["search_path"] = "pg_catalog"
	cfg.RuntimeParams["statement_timeout"] = "5s"
	cfg.RuntimeParams["default_transaction_read_only"] = "on"
	conn, err := connectAmongMany(ctx, cfg)
	if err != nil {
		return ErrInspectFailed.Because(err)
	}
	defer closeConn(conn)
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error { return fn(ctx, tx) })
	if err != nil {
		return ErrInspectFailed.Because(err)
	}
	return nil
}
