package setuplink

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/sso"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

type attributes = sso.Attributes

// Save changes the connection, and makes it where the link does; a link for a
// certificate changes its metadata alone. auth.ErrValidation, auth.ErrSetupIntent,
// auth.ErrSetupNotReady, auth.ErrSAMLMetadataFetch, auth.ErrSAMLEntityExists,
// auth.ErrSAMLEntityMismatch, auth.ErrOIDCProvider, auth.ErrOIDCIssuerMismatch,
// auth.ErrSetupLive.
func (s Service) Save(ctx context.Context, sc *tenants.Scope, token string, c *auth.SetupChange) (*auth.SetupState, error) {
	v, err := s.enter(ctx, sc, token, auth.SetupSSO, auth.SetupCertificate)
	if err != nil {
		return nil, err
	}
	a, err := asked(v, c)
	if err != nil {
		return nil, err
	}
	kind, saves := auth.SSOKindSAML, a.MetadataURL != nil || a.MetadataXML != nil || a.OIDC != nil
	if a.OIDC != nil {
		kind = auth.SSOKindOIDC
	}
	if a.OIDC != nil || a.MetadataURL != nil && *a.MetadataURL != "" {
		if err := s.Limiter.Allow(ctx, sc.Tenant.Ref, outgoing, v.ID.String()); err != nil {
			return nil, err
		}
	}
	switch {
	case v.may(auth.SetupSSO) && v.provider != nil && v.provider.On():
		return nil, auth.ErrSetupLive // the developer switched it on
	case v.provider == nil && saves:
		off := true
		a.ID, a.Draft, a.Unused, a.Disabled, a.Name, a.Domains = v.Provider, true, true, &off, &v.Name, &v.Domains
		v.provider, err = s.Connections.Create(ctx, sc, string(kind), a)
	case v.provider == nil && a.Mapping != nil:
		err = notReady("metadata")
	case v.provider != nil && (saves || a.Mapping != nil):
		a.Draft, a.Unused = v.drafts(), v.drafts()
		v.provider, err = s.Connections.Update(ctx, sc, v.Provider, a)
	}
	if err != nil {
		return nil, err
	}
	if err := s.noteSave(ctx, sc, v, c.IdP, saves); err != nil {
		return nil, err
	}
	return s.state(ctx, sc, v)
}

// asked reads what the page saves.
func asked(v *visit, c *auth.SetupChange) (*attributes, error) {
	a := &attributes{MetadataURL: c.MetadataURL, MetadataXML: c.MetadataXML}
	if c.IdP != nil && !slices.Contains(auth.SetupIdPs, *c.IdP) {
		return nil, invalid("idp must be one of %v", auth.SetupIdPs)
	}
	if o := c.OIDC; o != nil {
		switch {
		case !v.may(auth.SetupSSO):
			return nil, auth.ErrSetupIntent
		case a.MetadataURL != nil || a.MetadataXML != nil:
			return nil, invalid("metadata is of SAML: give it or oidc")
		}
		a.OIDC = &sso.OIDCAttributes{Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret, Scopes: o.Scopes}
	}
	if c.Mapping == nil {
		return a, nil
	}
	if !v.may(auth.SetupSSO) {
		return nil, auth.ErrSetupIntent
	}
	a.Mapping = sso.Remap(v.provider, *c.Mapping)
	// Whether groups reach app_metadata is for the developer to say. Where they do, by a
	// statement, it can be another one: the company states both.
	if p := v.provider; p == nil || p.On() || p.Rules.GroupsAttribute == "" || p.Rules.GroupsAttribute == auth.SSOGroupsSCIM || c.Mapping.Groups == "" {
		return a, nil
	}
	rules, err := json.Marshal(map[string]string{"groups_attribute": c.Mapping.Groups})
	if err != nil {
		return nil, fmt.Errorf("encode rules: %w", err)
	}
	a.Rules = rules
	return a, nil
}

// noteSave notes in the link what was saved by it.
func (s Service) noteSave(ctx context.Context, sc *tenants.Scope, v *visit, idp *string, saves bool) error {
	if idp == nil && !saves {
		return nil
	}
	return s.change(ctx, sc, v, func(_ *tenantdb.Tx, l *auth.SetupLink) error {
		if idp != nil {
			l.IdP = *idp
		}
		if saves {
			now := s.Now().Truncate(time.Microsecond)
			l.SavedAt = &now
		}
		return nil
	})
}

// Try begins a dry run, and returns where the browser goes. It comes back to the page.
// auth.ErrSetupIntent, auth.ErrSetupNotReady.
func (s Service) Try(ctx context.Context, sc *tenants.Scope, token string) (*auth.SetupDryRun, error) {
	v, err := s.enter(ctx, sc, token, auth.SetupSSO, auth.SetupCertificate)
	if err != nil {
		return nil, err
	}
	if v.provider == nil {
		return nil, notReady("metadata")
	}
	if err := s.Limiter.Allow(ctx, sc.Tenant.Ref, outgoing, v.ID.String()); err != nil {
		return nil, err
	}
	attempt := uuid.New()
	err = s.change(ctx, sc, v, func(_ *tenantdb.Tx, l *auth.SetupLink) error {
		l.DryRun = &attempt
		return nil
	})
	if err != nil {
		return nil, err
	}
	back := s.PageURL + "/" + string(sc.Tenant.Ref) + "?step=try"
	address, err := s.Connections.Begin(ctx, sc, sso.Start{Provider: v.Provider, DryRun: back, Attempt: attempt})
	return &auth.SetupDryRun{URL: address}, err
}
