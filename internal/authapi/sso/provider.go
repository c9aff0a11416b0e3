package sso

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/saml"
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
)

// Service signs users in by enterprise connections, and administers these.
type Service struct {
	users.Users
	// Client fetches metadata; requests with it reach no private networks.
	Client *http.Client
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
	return list, err
}

// Provider returns a connection; auth.ErrSSOProviderNotFound.
func (s Service) Provider(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*auth.SSOProvider, error) {
	var p auth.SSOProvider
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		p, err = tx.SSOProvider(ctx, id, false)
		return err
	})
	return &p, err
}

// Create makes a connection. auth.ErrSAMLOff, auth.ErrValidation,
// auth.ErrSAMLMetadataFetch, auth.ErrSAMLEntityExists, auth.ErrSSODomainExists.
func (s Service) Create(ctx context.Context, sc *tenants.Scope, kind string, a *Attributes) (*auth.SSOProvider, error) {
	if !sc.Tenant.Config.SAMLEnabled {
		return nil, auth.ErrSAMLOff
	}
	if kind != "saml" {
		return nil, auth.ErrValidation.Saying("type must be saml")
	}
	now := s.Now()
	p := &auth.SSOProvider{
		ID: uuid.New(), CreatedAt: now, UpdatedAt: now, Domains: []auth.SSODomain{},
		SAML: auth.SAMLProvider{ID: uuid.New(), AttributeMapping: json.RawMessage(`{}`)},
	}
	metadata, err := s.metadata(ctx, a, now)
	if err != nil {
		return nil, err
	}
	if metadata == nil {
		return nil, auth.ErrValidation.Saying("Either metadata_xml or metadata_url must be set")
	}
	p.SAML.EntityID = metadata.EntityID
	if err := a.apply(p, now); err != nil {
		return nil, err
	}
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		if err := tx.PutSSOProvider(ctx, p); err != nil {
			return err
		}
		return s.audit(ctx, tx, sc, p, auth.ActionSSOProviderCreated)
	})
	return p, err
}

// Update changes a connection. Its identity provider stays the same: another entity ID
// is auth.ErrSAMLEntityMismatch. auth.ErrSSOProviderNotFound, and the errors of Create.
func (s Service) Update(ctx context.Context, sc *tenants.Scope, id uuid.UUID, a *Attributes) (*auth.SSOProvider, error) {
	now := s.Now()
	metadata, err := s.metadata(ctx, a, now)
	if err != nil {
		return nil, err
	}
	var p auth.SSOProvider
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if p, err = tx.SSOProvider(ctx, id, true); err != nil {
			return err
		}
		if metadata != nil && metadata.EntityID != p.SAML.EntityID {
			return auth.ErrSAMLEntityMismatch
		}
		if err := a.apply(&p, now); err != nil {
			return err
		}
		if err := tx.PutSSOProvider(ctx, &p); err != nil {
			return err
		}
		return s.audit(ctx, tx, sc, &p, auth.ActionSSOProviderUpdated)
	})
	return &p, err
}

// Delete removes a connection and returns it; auth.ErrSSOProviderNotFound. Its users
// stay, and cannot sign in by it any more.
func (s Service) Delete(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*auth.SSOProvider, error) {
	var p auth.SSOProvider
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if p, err = tx.SSOProvider(ctx, id, true); err != nil {
			return err
		}
		if err := tx.DeleteSSOProvider(ctx, id); err != nil {
			return err
		}
		return s.audit(ctx, tx, sc, &p, auth.ActionSSOProviderDeleted)
	})
	return &p, err
}

func (s Service) audit(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.SSOProvider, action auth.Action) error {
	return audit.Service(ctx, tx, sc, action, audit.Traits{"provider": p.Provider(), "entity_id": p.SAML.EntityID}, s.Now())
}

// metadata reads the metadata that a request gives, from its address if it gives one;
// the text is then in a too. nil if it gives none.
func (s Service) metadata(ctx context.Context, a *Attributes, now time.Time) (*saml.Metadata, error) {
	given := func(t *string) bool { return t != nil && *t != "" }
	switch {
	case given(a.MetadataURL) && given(a.MetadataXML):
		return nil, auth.ErrValidation.Saying("Only one of metadata_xml and metadata_url can be set")
	case given(a.MetadataURL):
		text, err := s.fetch(ctx, *a.MetadataURL)
		if err != nil {
			return nil, err
		}
		a.MetadataXML = &text
	case given(a.MetadataXML):
		empty := ""
		a.MetadataURL = &empty
	default:
		a.MetadataXML, a.MetadataURL = nil, nil
		return nil, nil
	}
	return parseMetadata(*a.MetadataXML, now)
}

func parseMetadata(text string, now time.Time) (*saml.Metadata, error) {
	m, err := saml.ParseMetadata([]byte(text), "", now)
	var refused *saml.Refusal
	if errors.As(err, &refused) {
		return nil, auth.ErrValidation.Because(err).Saying(refused.Reason)
	}
	return m, err
}

// fetch reads metadata from an https address.
func (s Service) fetch(ctx context.Context, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && !(s.PlainHTTP && u.Scheme == "http") || u.Host == "" || u.User != nil || len(address) > 2048 {
		return "", auth.ErrValidation.Saying("metadata_url must be an https URL of at most 2048 bytes")
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", auth.ErrValidation.Because(err).Saying("metadata_url is not a URL")
	}
	req.Header.Set("Accept", "application/samlmetadata+xml, application/xml, text/xml")
	resp, err := s.Client.Do(req)
	if err != nil {
		return "", auth.ErrSAMLMetadataFetch.Because(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return "", auth.ErrSAMLMetadataFetch.Saying(fmt.Sprintf("The address of the SAML metadata answered %d", resp.StatusCode))
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, saml.MaxMetadata+1))
	if err != nil {
		return "", auth.ErrSAMLMetadataFetch.Because(err)
	}
	return string(raw), nil
}

// apply sets what the request has; auth.ErrValidation.
func (a *Attributes) apply(p *auth.SSOProvider, now time.Time) error {
	p.UpdatedAt = now
	if a.ResourceID != nil {
		if *a.ResourceID == "" || len(*a.ResourceID) > maxResource {
			return invalid("resource_id must have 1 to %d bytes", maxResource)
		}
		p.ResourceID = a.ResourceID
	}
	if a.Disabled != nil {
		p.Disabled = a.Disabled
	}
	if a.MetadataXML != nil {
		p.SAML.MetadataXML, p.SAML.MetadataURL, p.SAML.FetchedAt = *a.MetadataXML, *a.MetadataURL, now
	}
	if a.NameIDFormat != nil {
		if !slices.Contains(nameIDFormats, *a.NameIDFormat) && *a.NameIDFormat != "" {
			return invalid("name_id_format must be one of %s", strings.Join(nameIDFormats, ", "))
		}
		p.SAML.NameIDFormat = *a.NameIDFormat
	}
	if a.Mapping != nil {
		mapping, err := checkMapping(a.Mapping)
		if err != nil {
			return err
		}
		p.SAML.AttributeMapping = mapping
	}
	if a.Domains != nil {
		return setDomains(p, *a.Domains, now)
	}
	return nil
}

// nameIDFormats are those that a connection can ask for.
var nameIDFormats = []string{
	"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
	"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
	"urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
	"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
}

// domainForm is a domain name in ASCII, of two labels or more.
var domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func setDomains(p *auth.SSOProvider, list []string, now time.Time) error {
	if len(list) > maxDomains {
		return invalid("domains can have at most %d entries", maxDomains)
	}
	kept := map[string]auth.SSODomain{}
	for _, d := range p.Domains {
		kept[strings.ToLower(d.Domain)] = d
	}
	p.Domains = []auth.SSODomain{}
	seen := map[string]bool{}
	for _, name := range list {
		name = strings.ToLower(strings.TrimSpace(name))
		if len(name) > 253 || !domainForm.MatchString(name) {
			return invalid("domains: %.100q is not a domain", name)
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		d, ok := kept[name]
		if !ok {
			d = auth.SSODomain{Domain: name, CreatedAt: now, UpdatedAt: now}
		}
		p.Domains = append(p.Domains, d)
	}
	return nil
}

func checkMapping(m *auth.AttributeMapping) (json.RawMessage, error) {
	if len(m.Keys) > maxMapped {
		return nil, invalid("attribute_mapping can have at most %d keys", maxMapped)
	}
	for key, to := range m.Keys {
		names := append([]string{key, to.Name}, to.Names...)
		if key == "" || len(to.Names) > maxNames || slices.ContainsFunc(names, func(n string) bool { return len(n) > maxName }) {
			return nil, invalid("attribute_mapping: the key %.100q has an empty or too long name, or too many", key)
		}
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode mapping: %w", err)
	}
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil, fmt.Errorf("encode mapping: %w", err)
	}
	return auth.MergeMetadata(nil, object) // for values that jsonb cannot hold
}

func invalid(format string, args ...any) error {
	return auth.ErrValidation.Saying(fmt.Sprintf(format, args...))
}
