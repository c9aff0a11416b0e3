package auth

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
)

// SSOPrefix begins the provider of identities that enterprise connections vouch for.
// The id of the connection follows.
const SSOPrefix = "sso:"

// MethodSAML is a sign-in by a SAML assertion.
const MethodSAML Method = "sso/saml"

// SSOProvider is an enterprise connection, in the form of the wire.
type SSOProvider struct {
	ID         uuid.UUID    `json:"id"`
	ResourceID *string      `json:"resource_id,omitempty"`
	Disabled   *bool        `json:"disabled"`
	SAML       SAMLProvider `json:"saml"`
	Domains    []SSODomain  `json:"domains"`
	CreatedAt  time.Time    `json:"created_at"`
	UpdatedAt  time.Time    `json:"updated_at"`
}

// On reports whether users can sign in by the connection.
func (p *SSOProvider) On() bool { return p.Disabled == nil || !*p.Disabled }

// Provider is the provider of its users' identities.
func (p *SSOProvider) Provider() string { return SSOPrefix + p.ID.String() }

// SAMLProvider is the identity provider of a connection.
type SAMLProvider struct {
	ID               uuid.UUID       `json:"-"`
	EntityID         string          `json:"entity_id"`
	MetadataXML      string          `json:"metadata_xml,omitempty"`
	MetadataURL      string          `json:"metadata_url,omitempty"`
	AttributeMapping json.RawMessage `json:"attribute_mapping"` // an AttributeMapping
	NameIDFormat     string          `json:"name_id_format,omitempty"`
	FetchedAt        time.Time       `json:"-"` // when the metadata was last read from MetadataURL
}

// SSODomain is a domain of addresses whose users sign in by a connection.
type SSODomain struct {
	ID        uuid.UUID `json:"-"`
	Domain    string    `json:"domain"`
	CreatedAt time.Time `json:"-"`
	UpdatedAt time.Time `json:"-"`
}

// AttributeMapping says which statements of the provider become which claims.
type AttributeMapping struct {
	Keys map[string]MappedAttribute `json:"keys"`
}

// MappedAttribute is one of them: the first statement of the names that the provider
// makes, or the default.
type MappedAttribute struct {
	Name    string   `json:"name,omitempty"`
	Names   []string `json:"names,omitempty"`
	Default any      `json:"default,omitempty"`
	Array   bool     `json:"array,omitempty"` // all values, not the first alone
}

// SSORelay is a sign-in that was begun here and awaits the provider's response.
type SSORelay struct {
	ID         uuid.UUID
	Provider   uuid.UUID
	RequestID  string
	RedirectTo string
	Flow       *uuid.UUID // of PKCE
	CreatedAt  time.Time
}

// DomainOf returns the domain of an address, in lower case.
func DomainOf(email string) string {
	_, domain, _ := strings.Cut(email, "@")
	return strings.ToLower(domain)
}

// The errors of enterprise connections.
var (
	ErrSAMLOff             = fault.New(fault.NotFound, "saml_provider_disabled", "SAML 2.0 is disabled")
	ErrSSOProviderNotFound = fault.New(fault.NotFound, "sso_provider_not_found", "No SSO provider assigned for this domain")
	ErrSSOProviderDisabled = fault.New(fault.NotFound, "sso_provider_disabled", "The SSO provider is disabled")
	ErrSSODomainExists     = fault.New(fault.Unprocessable, "sso_domain_already_exists", "An SSO provider with this domain already exists")
	ErrSAMLEntityExists    = fault.New(fault.Unprocessable, "saml_idp_already_exists", "A SAML provider with this entity ID already exists")
	ErrSAMLEntityMismatch  = fault.New(fault.Unprocessable, "saml_entity_id_mismatch", "The metadata is of another entity ID: create a new provider for it")
	ErrSAMLMetadataFetch   = fault.New(fault.Unprocessable, "saml_metadata_fetch_failed", "The SAML metadata cannot be read from the address")
	// ErrSSOManaged is a change that would give a user of a connection a way in which the
	// company does not control.
	ErrSSOManaged            = fault.New(fault.Unprocessable, "user_sso_managed", "Users of an enterprise connection sign in by it alone")
	ErrSAMLRelayNotFound     = fault.New(fault.NotFound, "saml_relay_state_not_found", "SAML RelayState does not exist, try logging in again")
	ErrSAMLRelayExpired      = fault.New(fault.Invalid, "saml_relay_state_expired", "SAML RelayState has expired, try logging in again")
	ErrSAMLIdPNotFound       = fault.New(fault.NotFound, "saml_idp_not_found", "The SAML identity provider that answered is not one of this project")
	ErrSAMLAssertion         = fault.New(fault.Invalid, "validation_failed", "The SAML response is not valid")
	ErrSAMLAssertionNoUserID = fault.New(fault.Invalid, "saml_assertion_no_user_id", "The SAML assertion has no identifier of the user that stays the same")
	ErrSAMLAssertionNoEmail  = fault.New(fault.Invalid, "saml_assertion_no_email", "The SAML assertion has no address of the user")
)
