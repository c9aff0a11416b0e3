package server

import (
	"context"

	"github.com/reevehq/reeve/internal/auth"
	tenantside "github.com/reevehq/reeve/internal/authapi/customprovider"
	"github.com/reevehq/reeve/internal/control/customprovider"
	"github.com/reevehq/reeve/tenants"
)

// customProviders is customprovider.Providers by the service of the tenant plane's
// admin routes.
type customProviders struct{ admin tenantside.Service }

// List implements customprovider.Providers.
func (c customProviders) List(ctx context.Context, sc *tenants.Scope) ([]auth.CustomProvider, error) {
	return c.admin.List(ctx, sc, "")
}

// Provider implements customprovider.Providers.
func (c customProviders) Provider(ctx context.Context, sc *tenants.Scope, identifier string) (*auth.CustomProvider, error) {
	return c.admin.Provider(ctx, sc, identifier)
}

// Create implements customprovider.Providers.
func (c customProviders) Create(ctx context.Context, sc *tenants.Scope, b customprovider.CreateBody) (*auth.CustomProvider, error) {
	return c.admin.Create(ctx, sc, b.Type, b.Identifier, providerAttributes(b.Attributes))
}

// Update implements customprovider.Providers.
func (c customProviders) Update(ctx context.Context, sc *tenants.Scope, identifier string, a customprovider.Attributes) (*auth.CustomProvider, error) {
	return c.admin.Update(ctx, sc, identifier, providerAttributes(a))
}

// Delete implements customprovider.Providers.
func (c customProviders) Delete(ctx context.Context, sc *tenants.Scope, identifier string) error {
	return c.admin.Delete(ctx, sc, identifier)
}

func providerAttributes(a customprovider.Attributes) *tenantside.Attributes {
	out := &tenantside.Attributes{
		Name: a.Name, ClientID: a.ClientID, ClientSecret: a.ClientSecret, PKCE: a.PKCE, Enabled: a.Enabled, EmailOptional: a.EmailOptional,
		Issuer: a.Issuer, DiscoveryURL: a.DiscoveryURL, SkipNonceCheck: a.SkipNonceCheck,
		AuthorizationURL: a.AuthorizationURL, TokenURL: a.TokenURL, UserinfoURL: a.UserinfoURL, JWKSURI: a.JWKSURI,
	}
	if a.AcceptableClientIDs != nil {
		out.AcceptableClientIDs = &a.AcceptableClientIDs
	}
	if a.Scopes != nil {
		out.Scopes = &a.Scopes
	}
	if a.ClaimsAllowList != nil {
		out.ClaimsAllowList = &a.ClaimsAllowList
	}
	if a.AttributeMapping != nil {
		out.AttributeMapping = &a.AttributeMapping
	}
	if a.AuthorizationParams != nil {
		out.AuthorizationParams = &a.AuthorizationParams
	}
	return out
}
