package customprovider

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/idp"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// maxProviders is the most providers of a project whose settings name no
// number.
const maxProviders = 100

// Service administers the custom providers of projects.
type Service struct {
	PlainHTTP bool // allows addresses without TLS, for development
	Now       func() time.Time
}

// List returns the providers of a type, oldest first; "" for all.
func (s Service) List(ctx context.Context, sc *tenants.Scope, providerType string) (list []auth.CustomProvider, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		list, err = tx.CustomProviders(ctx, providerType)
		return err
	})
	return list, err
}

// Provider returns a provider; auth.ErrCustomProviderNotFound.
func (s Service) Provider(ctx context.Context, sc *tenants.Scope, identifier string) (*auth.CustomProvider, error) {
	var p auth.CustomProvider
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		p, err = tx.CustomProvider(ctx, identifier, false)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// Create defines a provider. The identifier gets its prefix if it has none.
// auth.ErrValidation, auth.ErrProviderOff, auth.ErrCustomProviderExists,
// auth.ErrCustomProviderQuota.
func (s Service) Create(ctx context.Context, sc *tenants.Scope, providerType, identifier string, a *Attributes) (*auth.CustomProvider, error) {
	if !sc.Tenant.Config.CustomOAuthEnabled {
		return nil, auth.ErrProviderOff.Saying("Custom providers are not enabled")
	}
	identifier, err := complete(sc, identifier)
	if err != nil {
		return nil, err
	}
	p := &auth.CustomProvider{
		ID: uuid.New(), Type: providerType, Identifier: identifier, PKCE: true, Enabled: true,
		AcceptableClientIDs: []string{}, Scopes: []string{}, ClaimsAllowList: []string{},
		AttributeMapping: []byte(`{}`), AuthorizationParams: []byte(`{}`), CreatedAt: s.Now(), UpdatedAt: s.Now(),
	}
	if a.ClientSecret == nil {
		return nil, invalid("client_secret is required")
	}
	if err := s.change(sc, p, a); err != nil {
		return nil, err
	}
	limit := cmp.Or(sc.Tenant.Config.CustomOAuthMaxProviders, maxProviders)
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		n, err := tx.CountCustomProviders(ctx)
		if err != nil {
			return err
		}
		if n >= limit {
			return auth.ErrCustomProviderQuota
		}
		if err := tx.CreateCustomProvider(ctx, p); err != nil {
			return err
		}
		return s.audit(ctx, tx, sc, p, auth.ActionCustomProviderCreated)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// complete returns the identifier with its prefix; auth.ErrValidation.
func complete(sc *tenants.Scope, identifier string) (string, error) {
	if !strings.HasPrefix(identifier, auth.CustomPrefix) {
		if _, reserved := sc.Tenant.Config.Provider(identifier); reserved {
			return "", invalid("Cannot use reserved provider name: %s. Begin the identifier with %s", identifier, auth.CustomPrefix)
		}
		identifier = auth.CustomPrefix + identifier
	}
	if !auth.ValidCustomIdentifier(identifier) {
		return "", invalid("identifier must have lower-case letters, digits, colons and hyphens only, end with a letter or digit, and have at most 50 characters")
	}
	return identifier, nil
}

// change applies the attributes, checks the result and seals a new secret.
func (s Service) change(sc *tenants.Scope, p *auth.CustomProvider, a *Attributes) error {
	if err := a.apply(p); err != nil {
		return err
	}
	if err := s.check(p); err != nil {
		return err
	}
	if a.ClientSecret == nil {
		return nil
	}
	if err := checkSecret(*a.ClientSecret); err != nil {
		return err
	}
	var err error
	p.ClientSecret, err = idp.SealClientSecret(sc.Tenant, p.ID, *a.ClientSecret)
	return err
}

// Update changes a provider. auth.ErrValidation, auth.ErrCustomProviderNotFound.
func (s Service) Update(ctx context.Context, sc *tenants.Scope, identifier string, a *Attributes) (*auth.CustomProvider, error) {
	var p auth.CustomProvider
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if p, err = tx.CustomProvider(ctx, identifier, true); err != nil {
			return err
		}
		p.UpdatedAt = s.Now()
		if err := s.change(sc, &p, a); err != nil {
			return err
		}
		if err := tx.UpdateCustomProvider(ctx, &p); err != nil {
			return err
		}
		return s.audit(ctx, tx, sc, &p, auth.ActionCustomProviderUpdated)
	})
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// Delete removes a provider; auth.ErrCustomProviderNotFound. The identities of
// its users stay.
func (s Service) Delete(ctx context.Context, sc *tenants.Scope, identifier string) error {
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		p, err := tx.CustomProvider(ctx, identifier, true)
		if err != nil {
			return err
		}
		if err := tx.DeleteCustomProvider(ctx, p.ID); err != nil {
			return err
		}
		return s.audit(ctx, tx, sc, &p, auth.ActionCustomProviderDeleted)
	})
}

func (s Service) audit(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.CustomProvider, action auth.Action) error {
	return audit.Service(ctx, tx, sc, action, audit.Traits{"provider": p.Identifier, "provider_id": p.ID.String()}, s.Now())
}
