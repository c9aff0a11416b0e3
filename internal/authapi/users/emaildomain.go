package users

import (
	"context"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/emaildomain"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
)

// AdmitEmail returns auth.ErrEmailDomain if the project's rules refuse the domain
// of a normalized address that somebody brings, and logs it for the developer.
// What an admin sets is not checked.
func AdmitEmail(ctx context.Context, sc *tenants.Scope, email string) error {
	reason := sc.Tenant.Config.EmailDomainRules().Refuses(email)
	if reason == "" {
		return nil
	}
	sc.Log.Add(ctx, projectlog.Entry{
		Level: projectlog.Info, Code: "email_domain_refused",
		Message: "An address was refused because of its domain (settings security_email_domains_... and security_email_disposable_...).",
		Detail:  map[string]any{"domain": emaildomain.Of(email), "reason": string(reason)},
	})
	return auth.ErrEmailDomain
}
