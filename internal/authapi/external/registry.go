package external

import (
	"context"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/tenants"
)

// Registry is Providers over the process's connectors and the projects'
// settings.
type Registry struct {
	Connectors map[string]connector.Connector // by provider
}

// Find implements Providers.
func (r Registry) Find(_ context.Context, _ *tenants.Scope, name string) (*Provider, error) {
	if _, ok := r.Connectors[name]; !ok {
		return nil, auth.ErrProviderUnknown
	}
	return nil, auth.ErrProviderOff
}
