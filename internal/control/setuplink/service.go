package setuplink

import (
	"context"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// Service implements the rules of the routes.
type Service struct {
	Authz *authz.Authorizer
	// Open returns the scope of an active project for a request of an actor.
	Open func(ctx context.Context, ref tenants.Ref, actor authz.Actor) (*tenants.Scope, error)
	// Visit returns the scope of an active project for a request of the page of a link; a
	// fault of kind NotFound for a project that is not there, or is not served.
	Visit func(ctx context.Context, ref tenants.Ref) (*tenants.Scope, error)
	// Allow counts a request of an address, or refuses it.
	Allow func(ctx context.Context, ip string) error
	Links Links
}

// Links makes links of a project and does what they are for, by the service that the
// project's own admin routes have. Faults are its own.
type Links interface {
	Create(ctx context.Context, sc *tenants.Scope, r *auth.SetupLinkRequest) (*auth.NewSetupLink, error)
	List(ctx context.Context, sc *tenants.Scope) ([]auth.SetupLink, error)
	Revoke(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*auth.SetupLink, error)

	// Those below are for whoever has a link's token; auth.ErrSetupLink for any other text.
	State(ctx context.Context, sc *tenants.Scope, token string) (*auth.SetupState, error)
	Save(ctx context.Context, sc *tenants.Scope, token string, c *auth.SetupChange) (*auth.SetupState, error)
	Try(ctx context.Context, sc *tenants.Scope, token string) (*auth.SetupDryRun, error)
	ClaimDomain(ctx context.Context, sc *tenants.Scope, token, domain string) (*auth.SetupState, error)
	CheckDomain(ctx context.Context, sc *tenants.Scope, token, domain string) (*auth.SetupState, error)
	MailDomain(ctx context.Context, sc *tenants.Scope, token, domain, mailbox string) (*auth.SetupState, error)
	DropDomain(ctx context.Context, sc *tenants.Scope, token, domain string) (*auth.SetupState, error)
	Finish(ctx context.Context, sc *tenants.Scope, token, intent string) (*auth.SetupState, error)
	SCIMToken(ctx context.Context, sc *tenants.Scope, token string) (*auth.SetupToken, error)
}

// open returns the scope of a project in which the actor may do the action.
func (s *Service) open(ctx context.Context, actor authz.Actor, action authz.Action, ref string) (*tenants.Scope, error) {
	p, err := s.Authz.Project(ctx, actor, action, ref)
	switch {
	case err != nil:
		return nil, err
	case p.Status.Paused():
		return nil, provision.ErrPaused
	case p.Status != tenants.StatusActive:
		return nil, provision.ErrNotReady
	}
	return s.Open(ctx, p.Ref, actor)
}

// List returns the links of a project.
func (s *Service) List(ctx context.Context, actor authz.Actor, ref string) (*List, error) {
	sc, err := s.open(ctx, actor, authz.ReadAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	found, err := s.Links.List(ctx, sc)
	return &List{Links: found}, err
}

// Create makes a link, with the faults of Links.
func (s *Service) Create(ctx context.Context, actor authz.Actor, ref string, r *auth.SetupLinkRequest) (*auth.NewSetupLink, error) {
	sc, err := s.open(ctx, actor, authz.WriteAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	return s.Links.Create(ctx, sc, r)
}

// Revoke ends a link; auth.ErrSetupLinkNotFound.
func (s *Service) Revoke(ctx context.Context, actor authz.Actor, ref, text string) (*auth.SetupLink, error) {
	sc, err := s.open(ctx, actor, authz.WriteAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return nil, auth.ErrSetupLinkNotFound.Because(err)
	}
	l, err := s.Links.Revoke(ctx, sc, id)
	if err == nil {
		control.Before(ctx, map[string]any{"name": l.Name, "intents": l.Intents, "created_by": l.CreatedBy})
	}
	return l, err
}
