package sso

import (
	"context"
	"net/url"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/connection"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

type claimList struct {
	Items []auth.SSOClaim `json:"items"`
	// Awaiting are the claims of others on these domains.
	Awaiting []auth.SSOClaim `json:"awaiting_consent"`
}

func (h Handler) claims(ctx context.Context, sc *tenants.Scope, req *connection.Path) (out claimList, err error) {
	if out.Items, err = h.Service.Claims(ctx, sc, req.Connection()); err != nil {
		return out, inAdmin(err)
	}
	out.Awaiting, err = h.Service.Awaiting(ctx, sc, req.Connection())
	return out, err
}

// claimRequest is the body of POST /admin/sso/providers/{id}/domains.
type claimRequest struct {
	Domain string `json:"domain"`
	connection.Path
}

func (h Handler) claim(ctx context.Context, sc *tenants.Scope, req *claimRequest) (*auth.SSOClaim, error) {
	c, err := h.Service.Claim(ctx, sc, req.Connection(), req.Domain)
	return c, inAdmin(err)
}

// oneClaim is the path of a claim.
type oneClaim struct {
	connection.Path
	domain string
}

// BindQuery implements web.QueryBinder.
func (r *oneClaim) BindQuery(q url.Values, param func(string) string) error {
	if r.domain = param("domain"); len(r.domain) > 253 {
		return auth.ErrClaimNotFound
	}
	return r.Path.BindQuery(q, param)
}

func (h Handler) drop(ctx context.Context, sc *tenants.Scope, req *oneClaim) (web.NoContent, error) {
	return web.NoContent{}, inAdmin(h.Service.DropClaim(ctx, sc, req.Connection(), req.domain))
}

// checkRequest is the path of POST /admin/sso/providers/{id}/domains/{domain}/check.
type checkRequest struct{ oneClaim }

// BodyOptional implements web.BodyOptional.
func (*checkRequest) BodyOptional() {}

func (h Handler) check(ctx context.Context, sc *tenants.Scope, req *checkRequest) (*auth.SSOClaim, error) {
	c, err := h.Service.CheckClaim(ctx, sc, req.Connection(), req.domain)
	return c, inAdmin(err)
}

// mailRequest is the body of POST /admin/sso/providers/{id}/domains/{domain}/mail.
type mailRequest struct {
	Mailbox string `json:"mailbox"`
	oneClaim
}

func (h Handler) mail(ctx context.Context, sc *tenants.Scope, req *mailRequest) (web.NoContent, error) {
	return web.NoContent{}, inAdmin(h.Service.MailClaim(ctx, sc, req.Connection(), req.domain, req.Mailbox))
}

// consentRequest is the body of POST /admin/sso/providers/{id}/domains/{domain}/consent.
type consentRequest struct {
	Other string `json:"provider_id"` // who gets the domain too
	oneClaim
}

func (h Handler) consent(ctx context.Context, sc *tenants.Scope, req *consentRequest) (*auth.SSOClaim, error) {
	other, err := uuid.Parse(req.Other)
	if err != nil {
		return nil, auth.ErrValidation.Because(err).Saying("provider_id must be the id of a connection")
	}
	c, err := h.Service.Consent(ctx, sc, req.Connection(), other, req.domain)
	return c, inAdmin(err)
}

// proofRequest is the query of the link in a mail, and the form of its page.
type proofRequest struct {
	Connection string `json:"connection" form:"connection"`
	Domain     string `json:"domain" form:"domain"`
	Until      string `json:"until" form:"until"`
	Token      string `json:"token" form:"token"`
}

func (r *proofRequest) proof() (Proof, error) {
	id, err := uuid.Parse(r.Connection)
	if err != nil || len(r.Domain) > 253 || len(r.Until) > 20 || len(r.Token) > 100 {
		return Proof{}, auth.ErrDomainLink.Because(err)
	}
	return Proof{Connection: id, Domain: r.Domain, Until: r.Until, Token: r.Token}, nil
}

// proofQuery is the query of GET.
type proofQuery struct{ proofRequest }

// BindQuery implements web.QueryBinder.
func (r *proofQuery) BindQuery(q url.Values, _ func(string) string) error {
	r.proofRequest = proofRequest{q.Get("connection"), q.Get("domain"), q.Get("until"), q.Get("token")}
	return nil
}

// ask shows the page of the link, and proves nothing: scanners of mails open links.
func (h Handler) ask(ctx context.Context, sc *tenants.Scope, req *proofQuery) (any, error) {
	link, err := req.proof()
	if err != nil {
		return nil, err
	}
	p, err := h.Service.CheckProof(ctx, sc, link)
	if err != nil {
		return nil, err
	}
	who := p.Name
	if who == "" {
		who = "an identity provider"
	}
	return web.Prompt{
		Title: "Is " + link.Domain + " yours?",
		Text: []string{
			"If you agree, people with an address at " + link.Domain + " sign in to " + sc.Tenant.Name + " through " + who + ".",
			"Agree only if your company sets up single sign-on for " + sc.Tenant.Name + ".",
		},
		Button: "It is ours: agree", Action: "verify",
		Fields: []web.PromptField{
			{Name: "connection", Value: req.Connection}, {Name: "domain", Value: req.Domain}, {Name: "until", Value: req.Until}, {Name: "token", Value: req.Token},
		},
		Note: "If not, close the page: nothing happens until you press the button.",
	}, nil
}

func (h Handler) agree(ctx context.Context, sc *tenants.Scope, req *proofRequest) (any, error) {
	link, err := req.proof()
	if err != nil {
		return nil, err
	}
	if err := h.Service.AcceptProof(ctx, sc, link); err != nil {
		return nil, err
	}
	return web.Prompt{Title: "The domain is proved", Text: []string{"People with an address at " + link.Domain + " sign in through your identity provider once single sign-on is switched on.", "You can close this page."}}, nil
}
