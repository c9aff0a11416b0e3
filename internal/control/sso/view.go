package sso

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/saml"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// worded gives errors the words of the Management API.
func worded(err error) error {
	switch {
	case errors.Is(err, auth.ErrSSOProviderNotFound):
		return errNotFound.Because(err)
	case errors.Is(err, auth.ErrSAMLOff):
		return errOff.Because(err)
	default:
		return err
	}
}

// uses returns how connections are used. It counts, so it has a time limit.
func (s *Service) uses(ctx context.Context, sc *tenants.Scope, ids ...uuid.UUID) (uses map[uuid.UUID]tenantdb.SSOUse, err error) {
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		if err := tx.Limited(ctx, useTimeout); err != nil {
			return err
		}
		uses, err = tx.SSOUses(ctx, ids)
		return err
	})
	return uses, err
}

// answer is a connection for an answer; without a scope nothing uses it.
func (s *Service) answer(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider, err error) (*Connection, error) {
	if err != nil {
		return nil, err
	}
	var uses map[uuid.UUID]tenantdb.SSOUse
	if sc != nil {
		if uses, err = s.uses(ctx, sc, p.ID); err != nil {
			return nil, err
		}
	}
	out := s.onWire(p, uses[p.ID])
	return &out, nil
}

func (s *Service) onWire(p *auth.SSOProvider, use tenantdb.SSOUse) Connection {
	out := Connection{
		ID: p.ID.String(), Kind: string(p.Kind), Name: p.Name, Label: p.Label(), Enabled: p.On(), Domains: domainsOf(p), Rules: p.Rules,
		Mapping: mappingOf(p), Users: use.Users, Sessions: use.Sessions, LastSignInAt: use.LastSignInAt, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
	if p.OIDC != nil {
		out.OIDC = oidcState(p.OIDC)
	}
	if p.SAML != nil {
		out.SAML = samlState(p.SAML, s.Now())
	}
	return out
}

func oidcState(p *auth.OIDCProvider) *OIDCState {
	return &OIDCState{
		Issuer: p.Issuer, ClientID: p.ClientID, Scopes: append([]string{}, p.Scopes...),
		RedirectURI: p.RedirectURI, BackchannelLogoutURI: p.BackchannelLogoutURI, PostLogoutRedirectURI: p.PostLogoutRedirectURI,
	}
}

// samlState reads a provider's metadata as it counts now.
func samlState(p *auth.SAMLProvider, now time.Time) *SAMLState {
	out := &SAMLState{
		EntityID: p.EntityID, NameIDFormat: p.NameIDFormat, MetadataURL: p.MetadataURL, MetadataXML: p.MetadataXML,
		FetchedAt: p.FetchedAt, CheckedAt: p.CheckedAt, CheckError: p.CheckError, Certificates: []Certificate{},
	}
	m, err := saml.ParseMetadata([]byte(p.MetadataXML), "", now)
	var refused *saml.Refusal
	switch {
	case errors.As(err, &refused):
		out.Fault = refused.Reason
	case err != nil:
		out.Fault = fault.From(err).Message
	default:
		out.SignInURL = m.SSO
		if m.Logout != nil {
			out.LogoutURL = m.Logout.Location
		}
		if !m.ValidUntil.IsZero() {
			out.ValidUntil = &m.ValidUntil
		}
	}
	for _, c := range saml.SigningCertificates([]byte(p.MetadataXML)) {
		digest := sha256.Sum256(c.Raw)
		out.Certificates = append(out.Certificates, Certificate{
			Subject: c.Subject.String(), Fingerprint: hex.EncodeToString(digest[:]), NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		})
		if end := c.NotAfter; out.ExpiresAt == nil || out.ExpiresAt.Before(end) {
			out.ExpiresAt = &end
		}
	}
	return out
}

func domainsOf(p *auth.SSOProvider) []string {
	out := make([]string, len(p.Domains))
	for i, d := range p.Domains {
		out[i] = d.Domain
	}
	return out
}

func attemptOf(a *auth.SSOAttempt) Attempt {
	out := Attempt{
		ID: a.ID.String(), At: a.At.UTC().Format(time.RFC3339Nano), Kind: a.Kind, Outcome: a.Outcome, Reason: a.Reason, IP: a.IP,
		Steps: make([]Step, len(a.Detail.Steps)), Subject: a.Detail.Subject, Email: a.Detail.Email, Groups: append([]string{}, a.Detail.Groups...),
		Statements: a.Detail.Statements, UserMetadata: a.Detail.UserMetadata, AppMetadata: a.Detail.AppMetadata, Found: a.Detail.Found,
	}
	if a.User != nil {
		out.UserID = a.User.String()
	}
	for i, step := range a.Detail.Steps {
		out.Steps[i] = Step(step)
	}
	if out.Statements == nil {
		out.Statements = map[string][]string{}
	}
	if out.UserMetadata == nil {
		out.UserMetadata = map[string]any{}
	}
	if out.AppMetadata == nil {
		out.AppMetadata = map[string]any{}
	}
	return out
}

func keysOf(list []Key, err error) (*KeyList, error) {
	if err != nil {
		return nil, worded(err)
	}
	return &KeyList{Items: list}, nil
}
