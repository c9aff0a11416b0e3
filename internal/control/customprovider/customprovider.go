package customprovider

import (
	"context"

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
	Open      func(ctx context.Context, ref tenants.Ref, actor authz.Actor) (*tenants.Scope, error)
	Providers Providers
}

// Providers administers the custom providers of a project, by the service that the
// project's own admin routes have. Faults are its own.
type Providers interface {
	// List returns all, the oldest first.
	List(ctx context.Context, sc *tenants.Scope) ([]auth.CustomProvider, error)
	Provider(ctx context.Context, sc *tenants.Scope, identifier string) (*auth.CustomProvider, error)
	Create(ctx context.Context, sc *tenants.Scope, b CreateBody) (*auth.CustomProvider, error)
	Update(ctx context.Context, sc *tenants.Scope, identifier string, a Attributes) (*auth.CustomProvider, error)
	Delete(ctx context.Context, sc *tenants.Scope, identifier string) error
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

// openProvider is open for a route that names a provider.
// auth.ErrCustomProviderNotFound for a text that is no identifier.
func (s *Service) openProvider(ctx context.Context, actor authz.Actor, action authz.Action, ref, identifier string) (*tenants.Scope, error) {
	sc, err := s.open(ctx, actor, action, ref)
	if err == nil && !auth.ValidCustomIdentifier(identifier) {
		err = auth.ErrCustomProviderNotFound
	}
	return sc, err
}

// List returns all providers of a project.
func (s *Service) List(ctx context.Context, actor authz.Actor, ref string) (*List, error) {
	sc, err := s.open(ctx, actor, authz.ReadAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	found, err := s.Providers.List(ctx, sc)
	if err != nil {
		return nil, err
	}
	out := &List{Providers: make([]Provider, len(found))}
	for i := range found {
		out.Providers[i] = *onWire(&found[i])
	}
	return out, nil
}

// Get returns a provider; auth.ErrCustomProviderNotFound.
func (s *Service) Get(ctx context.Context, actor authz.Actor, ref, identifier string) (*Provider, error) {
	sc, err := s.openProvider(ctx, actor, authz.ReadAuthConfig, ref, identifier)
	if err != nil {
		return nil, err
	}
	return answer(s.Providers.Provider(ctx, sc, identifier))
}

// Create defines a provider. auth.ErrValidation, auth.ErrProviderOff,
// auth.ErrCustomProviderExists, auth.ErrCustomProviderQuota.
func (s *Service) Create(ctx context.Context, actor authz.Actor, ref string, b CreateBody) (*Provider, error) {
	sc, err := s.open(ctx, actor, authz.WriteAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	return answer(s.Providers.Create(ctx, sc, b))
}

// Update changes a provider. auth.ErrValidation, auth.ErrCustomProviderNotFound.
func (s *Service) Update(ctx context.Context, actor authz.Actor, ref, identifier string, a Attributes) (*Provider, error) {
	sc, err := s.openProvider(ctx, actor, authz.WriteAuthConfig, ref, identifier)
	if err != nil {
		return nil, err
	}
	return answer(s.Providers.Update(ctx, sc, identifier, a))
}

// Delete removes a provider and returns what it was;
// auth.ErrCustomProviderNotFound.
func (s *Service) Delete(ctx context.Context, actor authz.Actor, ref, identifier string) (*Provider, error) {
	sc, err := s.openProvider(ctx, actor, authz.WriteAuthConfig, ref, identifier)
	if err != nil {
		return nil, err
	}
	p, err := s.Providers.Provider(ctx, sc, identifier)
	if err != nil {
		return nil, err
	}
	control.Before(ctx, map[string]any{"name": p.Name, "provider_type": p.Type, "client_id": p.ClientID})
	if err := s.Providers.Delete(ctx, sc, identifier); err != nil {
		return nil, err
	}
	return onWire(p), nil
}

func answer(p *auth.CustomProvider, err error) (*Provider, error) {
	if err != nil {
		return nil, err
	}
	return onWire(p), nil
}
