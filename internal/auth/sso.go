package auth

import (
	"encoding/json"
	"slices"
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

// MethodOIDC is a sign-in by a connection that speaks OpenID Connect.
const MethodOIDC Method = "sso/oidc"

// ByConnection reports whether the method is a sign-in by an enterprise connection.
func (m Method) ByConnection() bool { return m == MethodSAML || m == MethodOIDC }

// SSOKind is what a connection speaks.
type SSOKind string

// The kinds of connection.
const (
	SSOKindSAML SSOKind = "saml"
	SSOKindOIDC SSOKind = "oidc"
)

// SSOProvider is an enterprise connection, in the form of the wire.
type SSOProvider struct {
	ID         uuid.UUID     `json:"id"`
	ResourceID *string       `json:"resource_id,omitempty"`
	Disabled   *bool         `json:"disabled"`
	Kind       SSOKind       `json:"type"`
	Name       string        `json:"name"`
	Rules      SSORules      `json:"rules"`
	SAML       *SAMLProvider `json:"saml,omitempty"` // of SSOKindSAML
	OIDC       *OIDCProvider `json:"oidc,omitempty"` // of SSOKindOIDC
	Domains    []SSODomain   `json:"domains"`
	CreatedAt  time.Time     `json:"created_at"`
	UpdatedAt  time.Time     `json:"updated_at"`
}

// OIDCProvider is the identity provider of a connection that speaks OpenID Connect.
type OIDCProvider struct {
	Issuer           string          `json:"issuer"`
	ClientID         string          `json:"client_id"`
	SealedSecret     []byte          `json:"-"`
	Scopes           []string        `json:"scopes"`            // beside openid
	AttributeMapping json.RawMessage `json:"attribute_mapping"` // an AttributeMapping
	OIDCClient
}

// OIDCClient are the addresses that a connection's provider is told.
type OIDCClient struct {
	RedirectURI           string `json:"redirect_uri,omitempty"`
	BackchannelLogoutURI  string `json:"backchannel_logout_uri,omitempty"`
	PostLogoutRedirectURI string `json:"post_logout_redirect_uri,omitempty"`
}

// On reports whether users can sign in by the connection.
func (p *SSOProvider) On() bool { return p.Disabled == nil || !*p.Disabled }

// Label is what a person calls the connection.
func (p *SSOProvider) Label() string {
	switch {
	case p.Name != "":
		return p.Name
	case len(p.Domains) > 0:
		return p.Domains[0].Domain
	case p.SAML != nil:
		return p.SAML.EntityID
	default:
		return p.OIDC.Issuer
	}
}

// Mapping is the AttributeMapping of the connection.
func (p *SSOProvider) Mapping() json.RawMessage {
	if p.SAML != nil {
		return p.SAML.AttributeMapping
	}
	return p.OIDC.AttributeMapping
}

// Routes reports whether a domain, in lower case, is one of the connection's.
func (p *SSOProvider) Routes(domain string) bool {
	return slices.ContainsFunc(p.Domains, func(d SSODomain) bool { return strings.EqualFold(d.Domain, domain) })
}

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
	FetchedAt        time.Time       `json:"-"`                             // when the metadata was last read from MetadataURL
	CheckedAt        *time.Time      `json:"metadata_checked_at,omitempty"` // when it was last asked for at MetadataURL
	WatchedAt        *time.Time      `json:"-"`                             // without MetadataURL, when its certificates were last looked at
	CheckError       string          `json:"metadata_error,omitempty"`      // what was wrong then
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
	Domain     string     // by which it began; "" for none
	DryRun     bool
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
	ErrSSOProviderUsed     = fault.New(fault.Conflict, "sso_provider_in_use", "People have signed in by this SSO provider, so a setup link cannot put another in its place or switch it on")
	ErrSSOProviderChanged  = fault.New(fault.Conflict, "sso_provider_changed", "The SSO provider was changed meanwhile")
	ErrSSODomainExists     = fault.New(fault.Unprocessable, "sso_domain_already_exists", "An SSO provider with this domain already exists")
	ErrSAMLEntityExists    = fault.New(fault.Unprocessable, "saml_idp_already_exists", "A SAML provider with this entity ID already exists")
	ErrSAMLEntityMismatch  = fault.New(fault.Unprocessable, "saml_entity_id_mismatch", "The metadata is of another entity ID: create a new provider for it")
	ErrSAMLMetadataFetch   = fault.New(fault.Unprocessable, "saml_metadata_fetch_failed", "The SAML metadata cannot be read from the address")
	// ErrSSOManaged is a change that would give a user of a connection a way in which the
	// company does not control.
	ErrSSOManaged        = fault.New(fault.Unprocessable, "user_sso_managed", "Users of an enterprise connection sign in by it alone")
	ErrSAMLRelayNotFound = fault.New(fault.NotFound, "saml_relay_state_not_found", "SAML RelayState does not exist, try logging in again")
	ErrSAMLRelayExpired  = fault.New(fault.Invalid, "saml_relay_state_expired", "SAML RelayState has expired, try logging in again")
	ErrSAMLIdPNotFound   = fault.New(fault.NotFound, "saml_idp_not_found", "The SAML identity provider that answered is not one of this project")
	ErrSAMLAssertion     = fault.New(fault.Invalid, "validation_failed", "The SAML response is not valid")
	ErrSSODomain         = fault.New(fault.Forbidden, "sso_domain_mismatch", "The identity provider named an address outside of the connection's domains")
	// ErrSSOSubject is a sign-in with the value by which the provider names another user,
	// as another kind of identifier.
	ErrSSOSubject            = fault.New(fault.Forbidden, "sso_subject_mismatch", "The identity provider names another user so, by another kind of identifier")
	ErrSSOGroup              = fault.New(fault.Forbidden, "sso_group_not_allowed", "The user is in none of the groups that may sign in")
	ErrSSOUnsolicited        = fault.New(fault.Forbidden, "sso_unsolicited", "Sign-ins by this connection begin in the app, not at the identity provider")
	ErrOIDCProvider          = fault.New(fault.Invalid, "sso_oidc_provider_error", "The identity provider did not sign the user in")
	ErrOIDCToken             = fault.New(fault.Invalid, "sso_oidc_token_invalid", "The identity provider's token is not valid")
	ErrOIDCIssuerMismatch    = fault.New(fault.Unprocessable, "sso_oidc_issuer_mismatch", "Another issuer is another connection: create a new one for it")
	ErrSSOProviderExists     = fault.New(fault.Conflict, "sso_provider_exists", "This id is or was that of another connection")
	ErrSSOProviders          = fault.New(fault.Conflict, "sso_providers_exceeded", "The project has as many connections as it can")
	ErrSAMLKeys              = fault.New(fault.Conflict, "saml_keys_exist", "The project has two keys already: remove one first")
	ErrSAMLKeyNotFound       = fault.New(fault.NotFound, "saml_key_not_found", "No such key, or the only one")
	ErrSAMLAssertionNoUserID = fault.New(fault.Invalid, "saml_assertion_no_user_id", "The SAML assertion has no identifier of the user that stays the same")
	ErrSAMLAssertionNoEmail  = fault.New(fault.Invalid, "saml_assertion_no_email", "The SAML assertion has no address of the user")
)
