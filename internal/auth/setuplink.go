package auth

import (
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
)

// What a setup link lets a company's administrator do, each once.
const (
	SetupSSO         = "sso"         // describe the identity provider, try it out, go live
	SetupDomain      = "domain"      // prove the company's domains
	SetupSCIM        = "scim"        // get a token for the company's directory
	SetupCertificate = "certificate" // renew the certificate of a connection that is in use
)

// SetupIntents are all of them, in the order of the page.
var SetupIntents = []string{SetupSSO, SetupDomain, SetupSCIM, SetupCertificate}

// SetupIdPs are the identity providers that the page has instructions for.
var SetupIdPs = []string{"okta", "entra-id", "google-workspace", "onelogin", "jumpcloud", "ping", "keycloak", "adfs", "generic"}

// SetupLink is a link by which a company's administrator sets up its connection without
// an account, in the form of the wire.
type SetupLink struct {
	ID       uuid.UUID `json:"id"`
	Digest   []byte    `json:"-"` // of the token
	Provider uuid.UUID `json:"provider_id"`
	// Creates reports that the link makes the connection.
	Creates   bool       `json:"creates"`
	Name      string     `json:"name"` // of the company
	Intents   []string   `json:"intents"`
	Done      []string   `json:"done"`
	Domains   []string   `json:"domains"` // of a new connection
	IdP       string     `json:"idp"`     // one of SetupIdPs; "" while none is chosen
	DryRun    *uuid.UUID `json:"-"`       // the last attempt
	SavedAt   *time.Time `json:"-"`       // when metadata was last saved by the link
	CreatedBy string     `json:"created_by"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	OpenedAt  *time.Time `json:"opened_at"`
	// State is open, used, expired or revoked.
	State string `json:"state"`
}

// NewSetupLink is a link that was made now. URL has the token, and is shown once.
type NewSetupLink struct {
	SetupLink
	URL string `json:"url"`
}

// SetupLinkRequest is what a new link is for.
type SetupLinkRequest struct {
	// Provider is the connection; nil for one that the link makes.
	Provider *uuid.UUID `json:"provider_id,omitempty" doc:"The connection; absent for one that the link makes."`
	Name     string     `json:"name,omitempty" maxLength:"200" doc:"The company, for a new connection."`
	Intents  []string   `json:"intents" minItems:"1" maxItems:"4" enum:"sso,domain,scim,certificate" doc:"What the link is for; each can be done once."`
	Domains  []string   `json:"domains,omitempty" maxItems:"100" doc:"Domains that a new connection has without proof."`
	// ExpiresIn is in seconds; 0 for seven days.
	ExpiresIn int `json:"expires_in,omitempty" minimum:"0" maximum:"2592000" doc:"Seconds; seven days unless set, thirty at most."`
}

// SetupState is what the page of a link shows.
type SetupState struct {
	Project   string       `json:"project"`
	Company   string       `json:"company"`
	Intents   []string     `json:"intents"`
	Done      []string     `json:"done"`
	IdP       string       `json:"idp"`
	ExpiresAt time.Time    `json:"expires_at"`
	Service   SetupService `json:"service_provider"`
	// Protocols are those of which the connection can be: both until one is saved by a
	// link that makes it, and until it goes live.
	Protocols []SSOKind      `json:"protocols" enum:"saml,oidc"`
	SCIM      *SetupSCIMBase `json:"scim,omitempty"`
	// Connection is absent until metadata is saved.
	Connection *SetupConnection `json:"connection,omitempty"`
	Domains    []SetupClaim     `json:"domains"`
	DryRun     *SSOAttempt      `json:"dry_run,omitempty"`
	// Blockers are why it cannot go live yet: metadata, domain, dry_run (none that
	// succeeded), dry_run_outdated (the connection has changed since).
	Blockers []string `json:"blockers"`
}

// SetupService are the values that an identity provider asks for.
type SetupService struct {
	EntityID    string `json:"entity_id"`
	ACS         string `json:"acs_url"`
	MetadataURL string `json:"metadata_url"`
	LogoutURL   string `json:"logout_url"`
	// OIDC is what an OpenID provider asks for.
	OIDC OIDCClient `json:"oidc"`
}

// SetupSCIMBase is where a directory pushes its users.
type SetupSCIMBase struct {
	BaseURL string `json:"base_url"`
}

// SetupConnection is the connection of a link, as its administrator sees it.
type SetupConnection struct {
	Name         string        `json:"name"`
	Kind         SSOKind       `json:"type" enum:"saml,oidc"`
	Live         bool          `json:"live"`
	Issuer       string        `json:"issuer,omitempty"`    // of an OpenID provider
	ClientID     string        `json:"client_id,omitempty"` // of an OpenID provider
	Scopes       []string      `json:"scopes,omitempty"`    // of an OpenID provider
	EntityID     string        `json:"entity_id"`
	SignInURL    string        `json:"sign_in_url"`
	MetadataURL  string        `json:"metadata_url"`
	Certificates []SetupSigner `json:"certificates"`
	Mapping      SetupMapping  `json:"mapping"`
	UpdatedAt    time.Time     `json:"updated_at"`
}

// SetupClaim is a domain of the connection, in one of the states of an SSOClaim. The
// record, of type TXT, proves it.
type SetupClaim struct {
	Domain      string     `json:"domain"`
	State       string     `json:"state"`
	Proof       string     `json:"proof,omitempty"`
	RecordName  string     `json:"record_name,omitempty"`
	RecordValue string     `json:"record_value,omitempty"`
	CheckedAt   *time.Time `json:"checked_at,omitempty"`
}

// SetupSigner is a certificate by which a provider signs.
type SetupSigner struct {
	Subject     string    `json:"subject"`
	Fingerprint string    `json:"fingerprint"` // SHA-256, in hexadecimal
	ExpiresAt   time.Time `json:"expires_at"`
}

// SetupMapping names the statements that have a user's address, name and groups; "" for
// the usual names.
type SetupMapping struct {
	Email  string `json:"email"`
	Name   string `json:"name"`
	Groups string `json:"groups"`
}

// SetupChange is what the page saves; what is absent stays.
type SetupChange struct {
	IdP         *string       `json:"idp,omitempty"`
	MetadataURL *string       `json:"metadata_url,omitempty"`
	MetadataXML *string       `json:"metadata_xml,omitempty"`
	OIDC        *SetupOIDC    `json:"oidc,omitempty"`
	Mapping     *SetupMapping `json:"mapping,omitempty"`
}

// SetupOIDC is a registration at an OpenID provider; what is absent stays. Another issuer
// needs the secret anew.
type SetupOIDC struct {
	Issuer       *string   `json:"issuer,omitempty"`
	ClientID     *string   `json:"client_id,omitempty"`
	ClientSecret *string   `json:"client_secret,omitempty" writeOnly:"true"`
	Scopes       *[]string `json:"scopes,omitempty"` // beside openid, email and profile
}

// SetupDomainRequest names a domain, and the mailbox for its mail.
type SetupDomainRequest struct {
	Domain  string `json:"domain"`
	Mailbox string `json:"mailbox,omitempty"`
}

// SetupIntent names one of SetupIntents.
type SetupIntent struct {
	Intent string `json:"intent"`
}

// SetupDryRun is where a dry run begins.
type SetupDryRun struct {
	URL string `json:"url"`
}

// SetupToken is a SCIM token, which is shown once.
type SetupToken struct {
	BaseURL string `json:"base_url"`
	Token   string `json:"token"`
}

// The errors of setup links.
var (
	// ErrSetupLink is the answer to every token that is not in force.
	ErrSetupLink         = fault.New(fault.NotFound, "setup_link_invalid", "This link is not valid, or not any more")
	ErrSetupLinkNotFound = fault.New(fault.NotFound, "setup_link_not_found", "Setup link not found")
	ErrSetupLinks        = fault.New(fault.Conflict, "setup_links_exceeded", "The project has as many open setup links as it can: revoke one")
	ErrSetupIntent       = fault.New(fault.Conflict, "setup_intent_unavailable", "This link is not for that, or it is done already")
	ErrSetupNotReady     = fault.New(fault.Conflict, "setup_not_ready", "Something is missing before this step")
	ErrSetupLive         = fault.New(fault.Conflict, "setup_connection_live", "The connection is in use: a link can renew its certificate, not set it up anew")
)
