package server

import (
	"context"

	"github.com/reevehq/reeve/tenants"
)

// fleetParallel is how many projects' databases are migrated at a time.
const fleetParallel = 3

// Migrate brings the control database, the template and every project up, and
// reports each project. It can be interrupted and called again.
func Migrate(ctx context.Context, o Options, report func(ref string, from, to int64, err error)) error {
	s, err := connect(ctx, o)
	if err != nil {
		return err
	}
	defer s.close(context.WithoutCancel(ctx))
	if err := s.provision.Bootstrap(ctx); err != nil {
		return err
	}
	return s.provision.MigrateFleet(ctx, fleetParallel, func(ref tenants.Ref, from, to int64, err error) {
		report(string(ref), from, to, err)
	})
}
