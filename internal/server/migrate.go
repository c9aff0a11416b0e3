package server

import (
	"context"

	"github.com/reevehq/reeve/internal/provision"
)

// fleetParallel is how many projects' databases are migrated concurrently.
const fleetParallel = 3

// Migrate migrates the control database, the template and every project, and
// reports each database. It can be interrupted and repeated.
func Migrate(ctx context.Context, o Options, report provision.Report) error {
	o.Config.Migrate = true // the caller requests it
	s, err := connect(ctx, o)
	if err != nil {
		return err
	}
	defer s.close(context.WithoutCancel(ctx))
	if err := s.provision.Bootstrap(ctx); err != nil {
		return err
	}
	return s.provision.MigrateFleet(ctx, fleetParallel, report)
}
