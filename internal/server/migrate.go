package server

import (
	"context"

	"github.com/reevehq/reeve/internal/provision"
)

// fleetParallel is how many projects' databases are migrated at a time.
const fleetParallel = 3

// Migrate brings the control database, the template and every project up, and
// reports each database. It can be interrupted and called again.
func Migrate(ctx context.Context, o Options, report provision.Report) error {
	o.Config.Migrate = true // that is what was asked for
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
