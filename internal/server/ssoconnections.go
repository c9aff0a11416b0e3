package server

import (
	"context"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/scim"
	tenantsso "github.com/reevehq/reeve/internal/authapi/sso"
	"github.com/reevehq/reeve/internal/control/sso"
	"github.com/reevehq/reeve/tenants"
)

// connections is sso.Connections by the service of the tenant plane's admin routes.
type connections struct{ admin tenantsso.Service }

// List implements sso.Connections.
func (c connections) List(ctx context.Context, sc *tenants.Scope) ([]auth.SSOProvider, error) {
	return c.admin.List(ctx, sc)
}

// Provider implements sso.Connections.
func (c connections) Provider(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*auth.SSOProvider, error) {
	return c.admin.Provider(ctx, sc, id)
}

// Create implements sso.Connections.
func (c connections) Create(ctx context.Context, sc *tenants.Scope, kind auth.SSOKind, id uuid.UUID, change sso.Change) (*auth.SSOProvider, error) {
	a, err := connectionAttributes(change)
	if err != nil {
		return nil, err
	}
	a.ID = id
	return c.admin.Create(ctx, sc, string(kind), a)
}

// Update implements sso.Connections.
func (c connections) Update(ctx context.Context, sc *tenants.Scope, id uuid.UUID, change sso.Change) (*auth.SSOProvider, error) {
	a, err := connectionAttributes(change)
	if err != nil {
		return nil, err
	}
	return c.admin.Update(ctx, sc, id, a)
}

// Delete implements sso.Connections.
func (c connections) Delete(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*auth.SSOProvider, error) {
	return c.admin.Delete(ctx, sc, id)
}

// Attempts implements sso.Connections.
func (c connections) Attempts(ctx context.Context, sc *tenants.Scope, id uuid.UUID, before time.Time, most int) ([]auth.SSOAttempt, error) {
	return c.admin.Attempts(ctx, sc, id, tenantsso.AttemptPage{Before: before, Most: most})
}

// DryRun implements sso.Connections.
func (c connections) DryRun(ctx context.Context, sc *tenants.Scope, id uuid.UUID, back string) (string, error) {
	return c.admin.Begin(ctx, sc, tenantsso.Start{Provider: id, DryRun: back})
}

// Keys implements sso.Connections.
func (c connections) Keys(ctx context.Context, sc *tenants.Scope) ([]sso.Key, error) {
	return connectionKeys(c.admin.Keys(ctx, sc))
}

// AddKey implements sso.Connections.
func (c connections) AddKey(ctx context.Context, sc *tenants.Scope) ([]sso.Key, error) {
	return connectionKeys(c.admin.AddKey(ctx, sc))
}

// RemoveKey implements sso.Connections.
func (c connections) RemoveKey(ctx context.Context, sc *tenants.Scope, id uuid.UUID) ([]sso.Key, error) {
	return connectionKeys(c.admin.RemoveKey(ctx, sc, id))
}

func connectionKeys(list []tenantsso.Key, err error) ([]sso.Key, error) {
	out := make([]sso.Key, len(list))
	for i, k := range list {
		out[i] = sso.Key{ID: k.ID.String(), Certificate: k.Certificate, Signs: k.Signs, CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt}
	}
	return out, err
}

func connectionAttributes(c sso.Change) (*tenantsso.Attributes, error) {
	a := &tenantsso.Attributes{
		Name: c.Name, MetadataXML: c.MetadataXML, MetadataURL: c.MetadataURL, Domains: c.Domains, NameIDFormat: c.NameIDFormat,
	}
	if c.Enabled != nil {
		off := !*c.Enabled
		a.Disabled = &off
	}
	if c.Mapping != nil {
		a.Mapping = &auth.AttributeMapping{Keys: map[string]auth.MappedAttribute{}}
		for key, to := range c.Mapping.Keys {
			a.Mapping.Keys[key] = auth.MappedAttribute(to)
		}
	}
	if o := c.OIDC; o != nil {
		a.OIDC = &tenantsso.OIDCAttributes{Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret, Scopes: o.Scopes}
	}
	var err error
	a.Rules, err = c.Rules.JSON()
	return a, err
}

// connectionPage is the dashboard's page about an attempt at a connection.
func (s *Server) connectionPage(ref tenants.Ref, connection uuid.UUID) string {
	return s.config.HTTP.PublicURL + "/p/" + url.PathEscape(string(ref)) + "/sso/" + connection.String() + "?tab=signins&attempt=" + tenantsso.AttemptPlace
}

// directory is sso.Directory by the service of the tenant plane's admin routes.
type directory struct{ scim.Service }

// NewToken implements sso.Directory.
func (d directory) NewToken(ctx context.Context, sc *tenants.Scope, id uuid.UUID, expires *time.Time) (auth.SCIMToken, string, error) {
	made, err := d.CreateToken(ctx, sc, id, expires)
	if err != nil {
		return auth.SCIMToken{}, "", err
	}
	return made.SCIMToken, made.Token, nil
}

// Replay implements sso.Directory.
func (d directory) Replay(ctx context.Context, sc *tenants.Scope, id uuid.UUID, entry int64) (int, any, error) {
	answer, err := d.Service.Replay(ctx, sc, id, entry)
	if err != nil {
		return 0, nil, err
	}
	return answer.Status, answer.Body, nil
}
