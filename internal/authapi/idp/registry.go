package idp

import (
	"context"
	"fmt"
	"strings"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/custom"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// Providers finds the identity providers of a project.
type Providers interface {
	// Find returns a provider that the project has switched on.
	// auth.ErrProviderUnknown, auth.ErrProviderOff.
	Find(ctx context.Context, sc *tenants.Scope, name string) (*Provider, error)
}

// Provider is an identity provider as a project has registered with it.
type Provider struct {
	Name          string
	Connector     connector.Connector
	Client        connector.Client
	EmailOptional bool // a user without an address may sign in
}

// PostsForm reports whether the provider answers with a form that its own site
// posts.
func (p *Provider) PostsForm() bool {
	f, ok := p.Connector.(connector.FormPoster)
	return ok && f.PostsForm()
}

// maxName bounds the name of an unknown provider in a log, in bytes.
const maxName = 64

// Registry is Providers over the process's connectors and the projects'
// settings.
type Registry struct {
	Connectors map[string]connector.Connector // by provider
	Custom     *custom.Providers              // those that projects define themselves
}

// Find implements Providers.
func (r Registry) Find(ctx context.Context, sc *tenants.Scope, name string) (*Provider, error) {
	p, enabled, err := r.Registered(ctx, sc, name)
	if err == nil && !enabled {
		err = auth.ErrProviderOff.Because(fmt.Errorf("provider %q", name))
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Registered is Find for a provider that may be switched off, and says whether it
// is on. auth.ErrProviderUnknown.
func (r Registry) Registered(ctx context.Context, sc *tenants.Scope, name string) (found *Provider, enabled bool, err error) {
	if strings.HasPrefix(name, auth.CustomPrefix) {
		return r.findCustom(ctx, sc, name)
	}
	c, known := r.Connectors[name]
	p, declared := sc.Tenant.Config.Provider(name)
	if !known || !declared {
		return nil, false, auth.ErrProviderUnknown.Because(fmt.Errorf("provider %q", fault.Clip(name, maxName)))
	}
	return &Provider{
		Name: name, Connector: c, EmailOptional: p.EmailOptional,
		Client: connector.Client{
			Project: string(sc.Tenant.Ref), ID: p.ClientID, MoreIDs: p.MoreClientIDs, BaseURL: p.URL,
			Secret: sc.Tenant.Secrets.Settings[p.Secret], SkipNonceCheck: p.SkipNonceCheck,
		},
	}, p.Enabled, nil
}
