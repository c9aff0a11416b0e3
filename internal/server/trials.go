package server

import (
	"context"
	"errors"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/control/authconfig"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// trials is what tests of a configuration need.
func (s *Server) trials(checker *message.Checker) authconfig.Trials {
	return authconfig.Trials{
		Preview: checker.Preview, Resolve: s.outbound.Resolve, Person: s.platformUser, Limiter: s.limiter, Now: s.now,
		Issuer: func(ref tenants.Ref) string { return s.projectURL(ref) + "/auth/v1" },
		Route: func(ctx context.Context, ref tenants.Ref, c *setting.Config, secrets setting.Secrets) (authconfig.Route, error) {
			t, err := s.registry.Tenant(ctx, ref)
			if err != nil {
				return authconfig.Route{}, err
			}
			r, err := s.mailRoute(t, c, secrets)
			r.Count = func(ctx context.Context) error { return s.mailer.Count(ctx, ref, c) }
			return r, err
		},
		HTTP: s.outbound.HTTP(providerTimeout), Registration: s.registration,
	}
}

// registration returns a project's registration at a provider if it has this
// configuration. authconfig.ErrNoProvider.
func (s *Server) registration(ctx context.Context, ref tenants.Ref, name string, c *setting.Config, secrets setting.Secrets) (authconfig.Registration, error) {
	t, err := s.registry.Tenant(ctx, ref)
	if err != nil {
		return authconfig.Registration{}, err
	}
	tried := *t
	tried.Config, tried.Secrets.Settings = *c, secrets
	p, enabled, err := s.providers.Registered(ctx, &tenants.Scope{Tenant: &tried, DB: s.Database(t)}, name)
	if errors.Is(err, auth.ErrProviderUnknown) {
		return authconfig.Registration{}, authconfig.ErrNoProvider
	}
	if err != nil {
		return authconfig.Registration{}, err
	}
	return authconfig.Registration{Connector: p.Connector, Client: p.Client, Enabled: enabled}, nil
}

// recentAudit returns the newest entries of a project's audit log.
func (s *Server) recentAudit(ctx context.Context, ref tenants.Ref, limit int) (out []tenantdb.AuditEntry, err error) {
	t, err := s.registry.Tenant(ctx, ref)
	if err != nil {
		return nil, err
	}
	err = s.Database(t).Do(ctx, func(tx *tenantdb.Tx) error {
		out, err = tx.RecentAudit(ctx, limit)
		return err
	})
	return out, err
}
