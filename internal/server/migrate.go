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
	o.Config.Migrate = true // that is what was asked for
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

// OperatorToken mints an access token of the first operator, who is made if
// there is none yet: how a new installation is entered. It does not listen.
func OperatorToken(ctx context.Context, o Options) (string, error) {
	s, err := connect(ctx, o)
	if err != nil {
		return "", err
	}
	defer s.close(context.WithoutCancel(ctx))
	if err := s.provision.Bootstrap(ctx); err != nil {
		return "", err
	}
	if err := s.ensurePlatform(ctx); err != nil {
		return "", err
	}
	return s.Operator(ctx)
}
