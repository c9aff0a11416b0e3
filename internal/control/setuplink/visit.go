package setuplink

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// visit is a request of the page of a link.
type visit struct {
	sc    *tenants.Scope
	token string
}

// mountOpen registers the routes of the page, which need no actor.
func (h *Handler) mountOpen(api control.API) {
	links := h.Service.Links
	open(api, h.Service, op("get-sso-setup", http.MethodGet, OpenPath, "Show how far the setup of a connection is"),
		func(ctx context.Context, v visit, _ *struct{}) (*auth.SetupState, error) {
			return links.State(ctx, v.sc, v.token)
		})
	open(api, h.Service, op("save-sso-setup", http.MethodPatch, OpenPath, "Save the identity provider, its metadata or the mapping"),
		func(ctx context.Context, v visit, in *auth.SetupChange) (*auth.SetupState, error) {
			return links.Save(ctx, v.sc, v.token, in)
		})
	open(api, h.Service, op("claim-sso-setup-domain", http.MethodPost, OpenPath+"/domains", "Begin the proof of a domain"),
		func(ctx context.Context, v visit, in *auth.SetupDomainRequest) (*auth.SetupState, error) {
			return links.ClaimDomain(ctx, v.sc, v.token, in.Domain)
		})
	open(api, h.Service, op("check-sso-setup-domain", http.MethodPost, OpenPath+"/domains/check", "Look for the record that proves a domain"),
		func(ctx context.Context, v visit, in *auth.SetupDomainRequest) (*auth.SetupState, error) {
			return links.CheckDomain(ctx, v.sc, v.token, in.Domain)
		})
	open(api, h.Service, op("mail-sso-setup-domain", http.MethodPost, OpenPath+"/domains/mail", "Ask those who run a domain, by a mail"),
		func(ctx context.Context, v visit, in *auth.SetupDomainRequest) (*auth.SetupState, error) {
			return links.MailDomain(ctx, v.sc, v.token, in.Domain, in.Mailbox)
		})
	open(api, h.Service, op("drop-sso-setup-domain", http.MethodPost, OpenPath+"/domains/drop", "Take back a domain"),
		func(ctx context.Context, v visit, in *auth.SetupDomainRequest) (*auth.SetupState, error) {
			return links.DropDomain(ctx, v.sc, v.token, in.Domain)
		})
	open(api, h.Service, op("begin-sso-setup-dry-run", http.MethodPost, OpenPath+"/dry-run", "Begin a sign-in that is noted and signs nobody in"),
		func(ctx context.Context, v visit, _ *struct{}) (*auth.SetupDryRun, error) {
			return links.Try(ctx, v.sc, v.token)
		})
	open(api, h.Service, op("finish-sso-setup", http.MethodPost, OpenPath+"/finish", "End one of the link's intents; sso goes live"),
		func(ctx context.Context, v visit, in *auth.SetupIntent) (*auth.SetupState, error) {
			return links.Finish(ctx, v.sc, v.token, in.Intent)
		})
	open(api, h.Service, op("create-sso-setup-scim-token", http.MethodPost, OpenPath+"/scim-token", "Make the token of the company's directory; this answer alone shows it"),
		func(ctx context.Context, v visit, _ *struct{}) (*auth.SetupToken, error) {
			return links.SCIMToken(ctx, v.sc, v.token)
		})
}

// open registers a route of the page. What the token is good for is for Links to say; a
// project that is not there is answered like a token that is not good.
func open[In, Out any](api control.API, s *Service, o control.Operation, fn func(context.Context, visit, *In) (*Out, error)) {
	first := func(ctx context.Context, r control.OpenRequest) error { return s.Allow(ctx, r.IP) }
	control.RegisterOpen(api, o, first, func(ctx context.Context, r control.OpenRequest, in *In) (*Out, error) {
		ref, err := tenants.ParseRef(r.Ref)
		if err != nil {
			return nil, auth.ErrSetupLink.Because(err)
		}
		sc, err := s.Visit(ctx, ref)
		if err != nil && fault.From(err).Kind == fault.NotFound {
			err = auth.ErrSetupLink.Because(err)
		}
		if err != nil {
			return nil, err
		}
		return fn(ctx, visit{sc, r.Bearer}, in)
	})
}
