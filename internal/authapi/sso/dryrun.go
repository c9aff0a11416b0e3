package sso

import (
	"context"
	"errors"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// errDry ends the transaction of a dry run, which changes nothing.
var errDry = errors.New("a dry run")

// dryRun notes what a sign-in would do. What a trigger or a rule of the project's would
// refuse is refused here too.
func (s Service) dryRun(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider, who *person, t *trail) error {
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		if err := s.share(ctx, tx, p, true); err != nil {
			return err
		}
		u, how, err := s.resolve(ctx, tx, sc, p, who)
		if err != nil {
			return err
		}
		if err := refusals.Admit(u, s.Now()); err != nil {
			return err
		}
		t.Detail.Found = how.String()
		return errDry
	})
	if errors.Is(err, errDry) {
		err = nil
	}
	return t.step("account", err)
}
