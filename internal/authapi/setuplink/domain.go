package setuplink

import (
	"context"
	"slices"
	"strings"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
)

// leads reports whether people of a domain are led to the connection.
func leads(c auth.SetupClaim) bool {
	return c.State == auth.ClaimActive || c.State == auth.ClaimFailing
}

// domains are those of the link's connection. Which other connection has one is not
// for this company to know.
func (s Service) domains(ctx context.Context, sc *tenants.Scope, v *visit) ([]auth.SetupClaim, error) {
	out := []auth.SetupClaim{}
	if v.provider == nil {
		for _, d := range v.Domains {
			out = append(out, auth.SetupClaim{Domain: d, State: auth.ClaimActive, Proof: auth.ProofDeveloper})
		}
		return out, nil
	}
	list, err := s.Connections.Claims(ctx, sc, v.Provider)
	for _, c := range list {
		out = append(out, auth.SetupClaim{
			Domain: c.Domain, State: c.State, Proof: c.Proof, RecordName: c.RecordName, RecordValue: c.RecordValue, CheckedAt: c.CheckedAt,
		})
	}
	return out, err
}

// ClaimDomain begins the proof of a domain. auth.ErrSetupIntent, auth.ErrSetupNotReady
// before metadata is saved, auth.ErrDomainPublic, auth.ErrClaims, auth.ErrValidation.
func (s Service) ClaimDomain(ctx context.Context, sc *tenants.Scope, token, domain string) (*auth.SetupState, error) {
	return s.onDomain(ctx, sc, token, func(v *visit) error {
		_, err := s.Connections.Claim(ctx, sc, v.Provider, domain)
		return err
	})
}

// CheckDomain looks for the record that proves a domain. auth.ErrSetupIntent,
// auth.ErrClaimNotFound, auth.ErrDomainUnproved, auth.ErrDomainLookup.
func (s Service) CheckDomain(ctx context.Context, sc *tenants.Scope, token, domain string) (*auth.SetupState, error) {
	return s.onDomain(ctx, sc, token, func(v *visit) error {
		if err := s.Limiter.Allow(ctx, sc.Tenant.Ref, outgoing, v.ID.String()); err != nil {
			return err
		}
		_, err := s.Connections.CheckClaim(ctx, sc, v.Provider, domain)
		return err
	})
}

// MailDomain asks those who run a domain, by a mail to one of their mailboxes.
// auth.ErrSetupIntent, auth.ErrClaimNotFound, auth.ErrDomainMailboxes, auth.ErrEmailRate.
func (s Service) MailDomain(ctx context.Context, sc *tenants.Scope, token, domain, mailbox string) (*auth.SetupState, error) {
	return s.onDomain(ctx, sc, token, func(v *visit) error {
		if err := s.Limiter.Allow(ctx, sc.Tenant.Ref, mails, v.ID.String()); err != nil {
			return err
		}
		return s.Connections.MailClaim(ctx, sc, v.Provider, domain, mailbox)
	})
}

// DropDomain takes a domain back. One that the developer vouches for stays.
// auth.ErrSetupIntent, auth.ErrClaimNotFound, auth.ErrDomainLast.
func (s Service) DropDomain(ctx context.Context, sc *tenants.Scope, token, domain string) (*auth.SetupState, error) {
	return s.onDomain(ctx, sc, token, func(v *visit) error {
		list, err := s.domains(ctx, sc, v)
		if err != nil {
			return err
		}
		name := strings.ToLower(domain)
		if slices.ContainsFunc(list, func(c auth.SetupClaim) bool { return c.Domain == name && c.Proof == auth.ProofDeveloper }) {
			return auth.ErrClaimNotFound
		}
		return s.Connections.DropClaimOfMany(ctx, sc, v.Provider, name)
	})
}

// onDomain changes the domains of the link's connection.
func (s Service) onDomain(ctx context.Context, sc *tenants.Scope, token string, change func(*visit) error) (*auth.SetupState, error) {
	v, err := s.enter(ctx, sc, token, auth.SetupDomain)
	if err != nil {
		return nil, err
	}
	if v.provider == nil {
		return nil, notReady("metadata")
	}
	if err := change(v); err != nil {
		return nil, err
	}
	if v.provider, err = s.Connections.Provider(ctx, sc, v.Provider); err != nil {
		return nil, err
	}
	return s.state(ctx, sc, v)
}
