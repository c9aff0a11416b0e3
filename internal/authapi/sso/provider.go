package sso

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Bounds of a connection.
const (
	maxDomains   = 100
	maxMapped    = 100 // keys of an attribute mapping
	maxName      = 512 // bytes of a statement's name
	maxNames     = 20
	maxResource  = 256
	fetchTimeout = 10 * time.Second
	maxLabel     = 200 // characters
	sessionBatch = 1000
	maxProviders = 500
)

// Service signs users in by enterprise connections, and administers these.
type Service struct {
	users.Users
	Mailer *mail.Mailer
	// Client fetches metadata; requests with it reach no private networks.
	Client *http.Client
	OpenID OpenID
	// Resolver looks up the records that prove domains.
	Resolver Resolver
	// PlainHTTP accepts addresses of metadata without TLS, for development.
	PlainHTTP bool
}

// Attributes are the members of a connection that a request may set; nil keeps the
// value.
type Attributes struct {
	ResourceID   *string                `json:"resource_id"`
	Disabled     *bool                  `json:"disabled"`
	MetadataURL  *string                `json:"metadata_url"`
	MetadataXML  *string                `json:"metadata_xml"`
	Domains      *[]string              `json:"domains"`
	Mapping      *auth.AttributeMapping `json:"attribute_mapping"`
	NameIDFormat *string                `json:"name_id_format"`
	Name         *string                `json:"name"`
	Rules        json.RawMessage        `json:"rules"` // members of auth.SSORules
	OIDC         *OIDCAttributes        `json:"oidc"`

	// ID is that of a new connection; zero for any. One that is or was a connection's is
	// auth.ErrSSOProviderExists, unless it is a draft.
	ID uuid.UUID `json:"-"`
	// Draft allows another identity provider, and another protocol, for a connection that
	// is switched off.
	Draft bool `json:"-"`
	// Unchanged is the UpdatedAt that a connection must still have; nil for any.
	Unchanged *time.Time `json:"-"`
	// Unused refuses with auth.ErrSSOProviderUsed if anybody has come by the connection: a
	// setup link that was forgotten must not put another provider in the place of the one
	// that their identities are of, nor switch on what the developer switched off.
	Unused bool `json:"-"`
	// WithDomain refuses with auth.ErrDomainLast unless the connection has a domain.
	WithDomain bool `json:"-"`
}

// List returns the connections, the oldest first; never nil.
func (s Service) List(ctx context.Context, sc *tenants.Scope) (list []auth.SSOProvider, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		list, err = tx.SSOProviders(ctx)
		return err
	})
	if list == nil {
		list = []auth.SSOProvider{}
	}
	for i := range list {
		complete(sc, &list[i])
	}
	return list, err
}

// complete adds what is derived of the project's address.
func complete(sc *tenants.Scope, p *auth.SSOProvider) *auth.SSOProvider {
	if p.OIDC != nil {
		p.OIDC.OIDCClient = clientOf(sc, p.ID)
	}
	return p
}

// Provider returns a connection; auth.ErrSSOProviderNotFound.
func (s Service) Provider(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*auth.SSOProvider, error) {
	var p auth.SSOProvider
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		p, err = tx.SSOProvider(ctx, id, false)
		return err
	})
	return complete(sc, &p), err
}

// Create makes a connection. auth.ErrSAMLOff, auth.ErrValidation,
// auth.ErrSAMLMetadataFetch, auth.ErrOIDCProvider, auth.ErrSAMLEntityExists,
// auth.ErrSSODomainExists, auth.ErrSSOProviderExists.
func (s Service) Create(ctx context.Context, sc *tenants.Scope, kind string, a *Attributes) (*auth.SSOProvider, error) {
	if !sc.Tenant.Config.SAMLEnabled {
		return nil, auth.ErrSAMLOff
	}
	now := s.Now()
	p := &auth.SSOProvider{
		ID: cmp.Or(a.ID, uuid.New()), CreatedAt: now, UpdatedAt: now, Domains: []auth.SSODomain{}, Kind: auth.SSOKind(kind), Rules: auth.DefaultSSORules(),
	}
	var err error
	switch p.Kind {
	case auth.SSOKindSAML:
		err = s.startSAML(ctx, p, a, now)
	case auth.SSOKindOIDC:
		if a.OIDC == nil {
			return nil, invalid("oidc must be given")
		}
		if a.MetadataXML != nil || a.MetadataURL != nil {
			return nil, errNotSAML
		}
		p.OIDC = newOIDC()
		err = s.checkOIDC(ctx, sc, p, a)
	default:
		err = invalid("type must be saml or oidc")
	}
	if err != nil {
		return nil, err
	}
	if err := s.apply(sc, p, a, now); err != nil {
		return nil, err
	}
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		if n, err := tx.CountSSOProviders(ctx, maxProviders); err != nil || n >= maxProviders {
			return cmp.Or(err, error(auth.ErrSSOProviders))
		}
		if a.ID != uuid.Nil && !a.Draft {
			if used, err := tx.SSOProviderUsed(ctx, a.ID); err != nil || used {
				return cmp.Or(err, error(auth.ErrSSOProviderExists))
			}
		}
		if err := unused(ctx, tx, a.ID, a); err != nil {
			return err
		}
		if err := tx.PutSSOProvider(ctx, p); err != nil {
			return err
		}
		return s.audit(ctx, tx, sc, p, auth.ActionSSOProviderCreated)
	})
	return complete(sc, p), err
}

// unused applies Attributes.Unused.
func unused(ctx context.Context, tx *tenantdb.Tx, id uuid.UUID, a *Attributes) error {
	if !a.Unused {
		return nil
	}
	if has, err := tx.SSOProviderHasUsers(ctx, id); err != nil || has {
		return cmp.Or(err, error(auth.ErrSSOProviderUsed))
	}
	return nil
}

// startSAML begins a connection that speaks SAML with its metadata.
func (s Service) startSAML(ctx context.Context, p *auth.SSOProvider, a *Attributes, now time.Time) error {
	p.SAML = newSAML(a.ID)
	metadata, err := s.metadata(ctx, a, now)
	if err != nil {
		return err
	}
	if metadata == nil {
		return auth.ErrValidation.Saying("Either metadata_xml or metadata_url must be set")
	}
	p.SAML.EntityID = metadata.EntityID
	return nil
}

// newSAML is the SAML part of a connection that has an id, or of any other.
func newSAML(id uuid.UUID) *auth.SAMLProvider {
	out := &auth.SAMLProvider{ID: uuid.New(), AttributeMapping: json.RawMessage(`{}`)}
	if id != uuid.Nil {
		out.ID = uuid.NewSHA1(id, []byte("saml")) // so that two requests at once make one
	}
	return out
}

func newOIDC() *auth.OIDCProvider {
	return &auth.OIDCProvider{Scopes: []string{}, AttributeMapping: json.RawMessage(`{}`)}
}

// checkOIDC asks the issuer that a request names how it is spoken to, so that a mistake
// is known at once.
func (s Service) checkOIDC(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider, a *Attributes) error {
	if a.OIDC == nil || a.OIDC.Issuer == nil {
		return nil
	}
	asked := *p
	asked.OIDC = &auth.OIDCProvider{ClientID: "x", SealedSecret: []byte("x")}
	if err := (&OIDCAttributes{Issuer: a.OIDC.Issuer}).apply(sc.Tenant, &asked, s.PlainHTTP); err != nil {
		return err
	}
	_, _, err := s.discover(ctx, sc, &asked)
	return err
}

// apply sets what a request has.
func (s Service) apply(sc *tenants.Scope, p *auth.SSOProvider, a *Attributes, now time.Time) error {
	if a.OIDC != nil {
		if draft := a.Draft && !p.On(); draft && p.OIDC == nil {
			p.Kind, p.SAML, p.OIDC = auth.SSOKindOIDC, nil, newOIDC()
		} else if issuer := a.OIDC.Issuer; draft && issuer != nil && *issuer != p.OIDC.Issuer {
			p.OIDC.Issuer, p.OIDC.SealedSecret = *issuer, nil // the secret is nobody else's
		}
		if err := a.OIDC.apply(sc.Tenant, p, s.PlainHTTP); err != nil {
			return err
		}
	}
	return a.apply(p, now)
}

// Update changes a connection. One that is switched off loses its sessions. Its identity provider stays the same: another entity ID
// is auth.ErrSAMLEntityMismatch. auth.ErrSSOProviderNotFound, and the errors of Create.
func (s Service) Update(ctx context.Context, sc *tenants.Scope, id uuid.UUID, a *Attributes) (*auth.SSOProvider, error) {
	now := s.Now()
	metadata, err := s.metadata(ctx, a, now)
	if err != nil {
		return nil, err
	}
	if err := s.checkOIDC(ctx, sc, &auth.SSOProvider{ID: id}, a); err != nil {
		return nil, err
	}
	var p auth.SSOProvider
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if p, err = tx.SSOProvider(ctx, id, true); err != nil {
			return err
		}
		if err := unused(ctx, tx, id, a); err != nil {
			return err
		}
		if a.WithDomain {
			if has, err := tx.SSOProviderHasDomain(ctx, id); err != nil || !has {
				return cmp.Or(err, error(auth.ErrDomainLast))
			}
		}
		switch {
		case a.Unchanged != nil && !a.Unchanged.Equal(p.UpdatedAt):
			return auth.ErrSSOProviderChanged
		case metadata != nil && p.SAML == nil && a.Draft && !p.On():
			p.Kind, p.OIDC, p.SAML = auth.SSOKindSAML, nil, newSAML(p.ID)
			p.SAML.EntityID = metadata.EntityID
		case metadata != nil && p.SAML == nil:
			return errNotSAML
		case metadata != nil && metadata.EntityID != p.SAML.EntityID:
			if !a.Draft || p.On() {
				return auth.ErrSAMLEntityMismatch
			}
			p.SAML.EntityID = metadata.EntityID
		}
		if err := s.apply(sc, &p, a, now); err != nil {
			return err
		}
		if err := tx.PutSSOProvider(ctx, &p); err != nil {
			return err
		}
		if !p.On() {
			if _, err := tx.EndSSOSessions(ctx, id, auth.EndAdmin, s.Now(), sessionBatch); err != nil {
				return err
			}
		}
		return s.audit(ctx, tx, sc, &p, auth.ActionSSOProviderUpdated)
	})
	if err == nil && !p.On() {
		err = s.endSessions(ctx, sc, p.ID)
	}
	return complete(sc, &p), err
}

// endSessions ends what is left of a connection's sessions, in portions.
func (s Service) endSessions(ctx context.Context, sc *tenants.Scope, id uuid.UUID) error {
	for ended := sessionBatch; ended == sessionBatch; {
		err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
			ended, err = tx.EndSSOSessions(ctx, id, auth.EndAdmin, s.Now(), sessionBatch)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Delete removes a connection and returns it; auth.ErrSSOProviderNotFound. Its users
// stay, and cannot sign in by it any more; their sessions end.
func (s Service) Delete(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*auth.SSOProvider, error) {
	var p auth.SSOProvider
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if p, err = tx.SSOProvider(ctx, id, true); err != nil {
			return err
		}
		if err := tx.DeleteSSOProvider(ctx, id); err != nil {
			return err
		}
		if _, err := tx.EndSSOSessions(ctx, id, auth.EndAdmin, s.Now(), sessionBatch); err != nil {
			return err
		}
		return s.audit(ctx, tx, sc, &p, auth.ActionSSOProviderDeleted)
	})
	if err == nil {
		err = s.endSessions(ctx, sc, id)
	}
	return complete(sc, &p), err
}

func (s Service) audit(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.SSOProvider, action auth.Action) error {
	return audit.Service(ctx, tx, sc, action, audit.Traits{"provider": p.Provider(), "name": p.Label()}, s.Now())
}
