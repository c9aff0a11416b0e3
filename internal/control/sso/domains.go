package sso

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// Domains administers the proofs that domains belong to the company of a connection, by
// the service of the project's own admin routes. Faults are its own.
type Domains interface {
	Claims(ctx context.Context, sc *tenants.Scope, id uuid.UUID) ([]auth.SSOClaim, error)
	// Awaiting returns the claims of others that the connection can agree to.
	Awaiting(ctx context.Context, sc *tenants.Scope, id uuid.UUID) ([]auth.SSOClaim, error)
	Claim(ctx context.Context, sc *tenants.Scope, id uuid.UUID, domain string) (*auth.SSOClaim, error)
	CheckClaim(ctx context.Context, sc *tenants.Scope, id uuid.UUID, domain string) (*auth.SSOClaim, error)
	MailClaim(ctx context.Context, sc *tenants.Scope, id uuid.UUID, domain, mailbox string) error
	DropClaim(ctx context.Context, sc *tenants.Scope, id uuid.UUID, domain string) error
	Consent(ctx context.Context, sc *tenants.Scope, id, other uuid.UUID, domain string) (*auth.SSOClaim, error)
}

// ClaimList is the domains of a connection, and those of its domains that others claim.
type ClaimList struct {
	Items    []auth.SSOClaim `json:"items"`
	Awaiting []auth.SSOClaim `json:"awaiting_consent"`
}

// ClaimBody is a domain to prove.
type ClaimBody struct {
	Domain string `json:"domain" minLength:"1" maxLength:"253"`
}

// ProofMailBody is whom to ask.
type ProofMailBody struct {
	Mailbox string `json:"mailbox" enum:"admin,administrator,hostmaster,postmaster,security,webmaster" doc:"Which address at the domain gets the mail."`
}

// ConsentBody is who gets a domain too.
type ConsentBody struct {
	Connection string `json:"connection_id" format:"uuid"`
}

type claimInput struct {
	ConnectionInput
	Body ClaimBody
}

// DomainInput names a domain of a connection.
type DomainInput struct {
	ConnectionInput
	Domain string `path:"domain" maxLength:"253"`
}

type mailInput struct {
	DomainInput
	Body ProofMailBody
}

type consentInput struct {
	DomainInput
	Body ConsentBody
}

func (h *Handler) mountDomains(api control.API) {
	const at = one + "/domains"
	control.Register(api, op("list-sso-domains", http.MethodGet, at, "List the domains of a connection, and how each was proved"), h.domains)
	claim := op("claim-sso-domain", http.MethodPost, at, "Begin the proof that a domain is the company's, by a DNS record or by a mail")
	claim.Status = http.StatusCreated
	control.Register(api, claim, h.claimDomain)
	control.Register(api, op("check-sso-domain", http.MethodPost, at+"/{domain}/check", "Look for the DNS record that proves a domain"), h.checkDomain)
	control.Register(api, op("mail-sso-domain", http.MethodPost, at+"/{domain}/mail", "Ask the people who run a domain, by a mail to one of its mailboxes"), h.mailDomain)
	control.Register(api, op("consent-sso-domain", http.MethodPost, at+"/{domain}/consent", "Let another connection have a domain too: its people choose between both"), h.consentDomain)
	control.Register(api, op("drop-sso-domain", http.MethodDelete, at+"/{domain}", "Take a domain from a connection"), h.dropDomain)
}

func (h *Handler) domains(ctx context.Context, actor control.Actor, in *ConnectionInput) (*ClaimList, error) {
	sc, id, err := h.Service.openOne(ctx, actor, authz.ReadAuthConfig, in.Ref, in.ID)
	if err != nil {
		return nil, err
	}
	return h.Service.claims(ctx, sc, id)
}

func (s *Service) claims(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (out *ClaimList, err error) {
	out = &ClaimList{}
	if out.Items, err = s.Domains.Claims(ctx, sc, id); err == nil {
		out.Awaiting, err = s.Domains.Awaiting(ctx, sc, id)
	}
	if out.Awaiting == nil {
		out.Awaiting = []auth.SSOClaim{}
	}
	return out, worded(err)
}

func (h *Handler) claimDomain(ctx context.Context, actor control.Actor, in *claimInput) (*auth.SSOClaim, error) {
	sc, id, err := h.Service.openOne(ctx, actor, authz.WriteAuthConfig, in.Ref, in.ID)
	if err != nil {
		return nil, err
	}
	c, err := h.Service.Domains.Claim(ctx, sc, id, in.Body.Domain)
	return c, worded(err)
}

func (h *Handler) checkDomain(ctx context.Context, actor control.Actor, in *DomainInput) (*auth.SSOClaim, error) {
	sc, id, err := h.Service.openOne(ctx, actor, authz.WriteAuthConfig, in.Ref, in.ID)
	if err != nil {
		return nil, err
	}
	c, err := h.Service.Domains.CheckClaim(ctx, sc, id, in.Domain)
	return c, worded(err)
}

func (h *Handler) mailDomain(ctx context.Context, actor control.Actor, in *mailInput) (*ClaimList, error) {
	sc, id, err := h.Service.openOne(ctx, actor, authz.WriteAuthConfig, in.Ref, in.ID)
	if err != nil {
		return nil, err
	}
	if err := h.Service.Domains.MailClaim(ctx, sc, id, in.Domain, in.Body.Mailbox); err != nil {
		return nil, worded(err)
	}
	return h.Service.claims(ctx, sc, id)
}

func (h *Handler) consentDomain(ctx context.Context, actor control.Actor, in *consentInput) (*auth.SSOClaim, error) {
	sc, id, err := h.Service.openOne(ctx, actor, authz.WriteAuthConfig, in.Ref, in.ID)
	if err != nil {
		return nil, err
	}
	other, err := uuid.Parse(in.Body.Connection)
	if err != nil {
		return nil, errNotFound.Because(err)
	}
	c, err := h.Service.Domains.Consent(ctx, sc, id, other, in.Domain)
	return c, worded(err)
}

func (h *Handler) dropDomain(ctx context.Context, actor control.Actor, in *DomainInput) (*ClaimList, error) {
	sc, id, err := h.Service.openOne(ctx, actor, authz.WriteAuthConfig, in.Ref, in.ID)
	if err != nil {
		return nil, err
	}
	if err := h.Service.Domains.DropClaim(ctx, sc, id, in.Domain); err != nil {
		return nil, worded(err)
	}
	return h.Service.claims(ctx, sc, id)
}
