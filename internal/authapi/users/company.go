package users

import (
	"context"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// CompanyOnly returns auth.ErrSSORequired for a normalized address of a domain whose
// company wants its people to sign in by its connection alone. Everybody may know that
// of a domain: it says nothing about users.
func CompanyOnly(ctx context.Context, sc *tenants.Scope, email string) error {
	if !sc.Tenant.Config.SAMLEnabled || email == "" {
		return nil
	}
	var refuses bool
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		refuses, err = tx.RefusesPasswords(ctx, auth.DomainOf(email))
		return err
	})
	if err != nil || !refuses {
		return err
	}
	sc.Log.Add(ctx, projectlog.Entry{
		Level: projectlog.Info, Code: "sso_required", Message: "An address was refused because its company's connection refuses passwords.",
		Detail: map[string]any{"domain": auth.DomainOf(email)},
	})
	return auth.ErrSSORequired
}
