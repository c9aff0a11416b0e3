package sso

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// What follows is for the flow of setup links, which shows a connection to the
// administrator of its company.

// CleanDomains checks a list of domains, and returns them in lower case, each once;
// auth.ErrValidation.
func CleanDomains(list []string) ([]string, error) {
	var p auth.SSOProvider
	if err := setDomains(&p, list, time.Time{}); err != nil {
		return nil, err
	}
	out := make([]string, len(p.Domains))
	for i, d := range p.Domains {
		out[i] = d.Domain
	}
	return out, nil
}

// DomainsFree checks that no connection has one of the domains; auth.ErrSSODomainExists.
func (s Service) DomainsFree(ctx context.Context, sc *tenants.Scope, domains []string) error {
	list, err := s.List(ctx, sc)
	if err != nil {
		return err
	}
	for i := range list {
		if slices.ContainsFunc(domains, list[i].Routes) {
			return auth.ErrSSODomainExists
		}
	}
	return nil
}

// Self are the values of the project that the identity provider of a connection, which
// need not be there yet, asks for.
func (s Service) Self(sc *tenants.Scope, id uuid.UUID) auth.SetupService {
	sp := s.serviceOf(sc, nil)
	return auth.SetupService{EntityID: sp.EntityID, ACS: sp.ACS, MetadataURL: sp.EntityID, LogoutURL: sp.Logout, OIDC: clientOf(sc, id)}
}

// Shown is a connection as its administrator sees it.
func (s Service) Shown(p *auth.SSOProvider) *auth.SetupConnection {
	out := &auth.SetupConnection{Name: p.Label(), Kind: p.Kind, Live: p.On(), Certificates: []auth.SetupSigner{}, UpdatedAt: p.UpdatedAt}
	var m auth.AttributeMapping
	_ = json.Unmarshal(p.Mapping(), &m) // SQL may have written anything
	out.Mapping = auth.SetupMapping{Email: firstName(m, "email"), Name: firstName(m, "name"), Groups: firstName(m, "groups")}
	if by := p.Rules.GroupsAttribute; out.Mapping.Groups == "" && by != auth.SSOGroupsSCIM {
		out.Mapping.Groups = by
	}
	if p.SAML == nil {
		out.Issuer, out.ClientID, out.Scopes = p.OIDC.Issuer, p.OIDC.ClientID, p.OIDC.Scopes
		return out
	}
	out.EntityID, out.MetadataURL = p.SAML.EntityID, p.SAML.MetadataURL
	metadata, err := parseMetadata(p.SAML.MetadataXML, s.Now())
	if err != nil {
		return out // it has expired, or SQL wrote it
	}
	out.SignInURL = metadata.SSO
	for _, c := range metadata.Certificates {
		sum := sha256.Sum256(c.Raw)
		out.Certificates = append(out.Certificates, auth.SetupSigner{
			Subject: clip(c.Subject.String()), Fingerprint: hex.EncodeToString(sum[:]), ExpiresAt: c.NotAfter,
		})
	}
	return out
}

func firstName(m auth.AttributeMapping, key string) string {
	to := m.Keys[key]
	if to.Name == "" && len(to.Names) > 0 {
		return to.Names[0]
	}
	return to.Name
}

// Remap is the mapping of a connection with the address, the name and the groups from
// other statements; nil for p if there is none yet. "" removes one, so that the usual names
// hold. Groups are claims of user_metadata: it is a rule that makes them those of
// app_metadata.
func Remap(p *auth.SSOProvider, to auth.SetupMapping) *auth.AttributeMapping {
	var m auth.AttributeMapping
	if p != nil {
		_ = json.Unmarshal(p.Mapping(), &m)
	}
	if m.Keys == nil {
		m.Keys = map[string]auth.MappedAttribute{}
	}
	for key, name := range map[string]string{"email": to.Email, "name": to.Name, "groups": to.Groups} {
		if name == "" {
			delete(m.Keys, key)
		} else {
			m.Keys[key] = auth.MappedAttribute{Name: name, Array: key == "groups"}
		}
	}
	return &m
}

// Attempt returns an attempt of a connection; false if there is none.
func (s Service) Attempt(ctx context.Context, sc *tenants.Scope, provider, id uuid.UUID) (a auth.SSOAttempt, found bool, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		a, found, err = tx.SSOAttempt(ctx, id)
		return err
	})
	return a, found && a.Provider != nil && *a.Provider == provider, err
}
