package sso

import (
	"encoding/json"
	"time"

	"github.com/reevehq/reeve/internal/auth"
)

// Overview is the project as identity providers know it.
type Overview struct {
	SAMLEnabled bool            `json:"saml_enabled" doc:"The setting saml_enabled: without it no connection signs anybody in."`
	Service     ServiceProvider `json:"service_provider"`
}

// ServiceProvider are the values that are entered at an identity provider.
type ServiceProvider struct {
	EntityID    string `json:"entity_id" doc:"Also called audience or identifier."`
	ACSURL      string `json:"acs_url" doc:"Also called reply URL or single sign-on URL."`
	LogoutURL   string `json:"logout_url"`
	MetadataURL string `json:"metadata_url"`
	StartURL    string `json:"start_url" doc:"Where apps begin a sign-in, by POST."`
	OIDCURL     string `json:"oidc_url" doc:"Below it are the addresses of connections that speak OpenID Connect: callback/{id}, backchannel-logout/{id} and logged-out."`
}

// Connection is an enterprise connection and how it is used.
type Connection struct {
	ID           string        `json:"id" format:"uuid"`
	Kind         string        `json:"type" enum:"saml,oidc"`
	Name         string        `json:"name"`
	Label        string        `json:"label" doc:"The name, else the first domain, else the identifier of the provider."`
	Enabled      bool          `json:"enabled"`
	Domains      []string      `json:"domains"`
	Rules        auth.SSORules `json:"rules"`
	Mapping      Mapping       `json:"attribute_mapping"`
	SAML         *SAMLState    `json:"saml,omitempty"`
	OIDC         *OIDCState    `json:"oidc,omitempty"`
	Users        int64         `json:"users" doc:"How many have an identity of the connection."`
	Sessions     int64         `json:"sessions" doc:"How many are signed in by it."`
	LastSignInAt *time.Time    `json:"last_sign_in_at,omitempty"`
	CreatedAt    time.Time     `json:"created_at"`
	UpdatedAt    time.Time     `json:"updated_at"`
}

// SAMLState is a SAML identity provider, as its metadata describes it.
type SAMLState struct {
	EntityID     string        `json:"entity_id"`
	SignInURL    string        `json:"sign_in_url" doc:"Empty if the metadata is not valid any more."`
	LogoutURL    string        `json:"logout_url" doc:"Empty without single logout."`
	NameIDFormat string        `json:"name_id_format" doc:"Empty for any."`
	MetadataURL  string        `json:"metadata_url" doc:"Empty for metadata that was uploaded."`
	MetadataXML  string        `json:"metadata_xml,omitempty" doc:"In the answer with one connection."`
	Fault        string        `json:"metadata_fault" doc:"What is wrong with the metadata today; empty for nothing."`
	FetchedAt    time.Time     `json:"metadata_fetched_at"`
	CheckedAt    *time.Time    `json:"metadata_checked_at,omitempty" doc:"When it was last asked for at its address."`
	CheckError   string        `json:"metadata_error" doc:"What was wrong then; empty for nothing."`
	ValidUntil   *time.Time    `json:"metadata_valid_until,omitempty"`
	Certificates []Certificate `json:"certificates"`
	ExpiresAt    *time.Time    `json:"certificate_expires_at,omitempty" doc:"When the last of the certificates expires."`
}

// Certificate is one that a provider signs with.
type Certificate struct {
	Subject     string    `json:"subject"`
	Fingerprint string    `json:"fingerprint" doc:"SHA-256, in hexadecimal."`
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
}

// OIDCState is the identity provider of a connection that speaks OpenID Connect.
type OIDCState struct {
	Issuer   string   `json:"issuer"`
	ClientID string   `json:"client_id"`
	Scopes   []string `json:"scopes" doc:"Beside openid, email and profile."`
	// The addresses below are entered at the provider.
	RedirectURI           string `json:"redirect_uri" doc:"To enter at the provider; each connection has its own."`
	BackchannelLogoutURI  string `json:"backchannel_logout_uri" doc:"To enter at the provider, if it has back-channel logout."`
	PostLogoutRedirectURI string `json:"post_logout_redirect_uri" doc:"To enter at the provider, if apps sign out there too."`
}

// ConnectionList is all connections of a project.
type ConnectionList struct {
	Items []Connection `json:"items"`
}

// Change are members of a connection to write. Absent and null ones do not change.
type Change struct {
	Name         *string      `json:"name,omitempty" maxLength:"200" doc:"As people are shown it."`
	Enabled      *bool        `json:"enabled,omitempty"`
	MetadataXML  *string      `json:"metadata_xml,omitempty" maxLength:"1048576" doc:"The metadata of the identity provider, or"`
	MetadataURL  *string      `json:"metadata_url,omitempty" maxLength:"2048" doc:"its https address."`
	Domains      *[]string    `json:"domains,omitempty" maxItems:"100"`
	Mapping      *Mapping     `json:"attribute_mapping,omitempty"`
	NameIDFormat *string      `json:"name_id_format,omitempty" maxLength:"100" doc:"Empty for any."`
	Rules        *RulesChange `json:"rules,omitempty"`
	OIDC         *OIDCChange  `json:"oidc,omitempty" doc:"Of a connection that speaks OpenID Connect."`
}

// OIDCChange are members of the registration at an OpenID provider to write. Absent ones
// do not change.
type OIDCChange struct {
	Issuer       *string   `json:"issuer,omitempty" maxLength:"2048" doc:"The https address of the provider. Another issuer is another connection."`
	ClientID     *string   `json:"client_id,omitempty" maxLength:"1024"`
	ClientSecret *string   `json:"client_secret,omitempty" maxLength:"1024" writeOnly:"true" doc:"Stored sealed, and never answered."`
	Scopes       *[]string `json:"scopes,omitempty" maxItems:"20" doc:"Beside openid, email and profile."`
}

// RulesChange are members of the rules of a connection to write. Absent ones do not
// change.
type RulesChange struct {
	AllowUnsolicited    *bool           `json:"allow_unsolicited,omitempty" doc:"Accept sign-ins that begin at the identity provider."`
	AllowSHA1           *bool           `json:"allow_sha1,omitempty" doc:"Accept signatures with SHA-1."`
	AllowOtherDomains   *bool           `json:"allow_other_domains,omitempty" doc:"Accept addresses outside of the connection's domains."`
	CreateUsers         *bool           `json:"create_users,omitempty" doc:"Make a user at the first sign-in."`
	LinkUsers           *bool           `json:"link_users,omitempty" doc:"Give the connection's identity to the user with the same confirmed address in a proved domain."`
	RefusePasswords     *bool           `json:"refuse_passwords,omitempty" doc:"Refuse other ways of signing in for addresses in the connection's domains."`
	MFA                 *string         `json:"mfa,omitempty" enum:"project,provider,provider_stated" doc:"Who asks for the second factor."`
	GroupsAttribute     *string         `json:"groups_attribute,omitempty" maxLength:"512" doc:"The statement with the user's groups; empty for none."`
	AllowedGroups       *[]string       `json:"allowed_groups,omitempty" maxItems:"100" doc:"Groups of which a user must be in one; empty for everybody."`
	DefaultUserMetadata *map[string]any `json:"default_user_metadata,omitempty" doc:"Given to users whom the connection creates."`
	DefaultAppMetadata  *map[string]any `json:"default_app_metadata,omitempty" doc:"Given to users whom the connection creates."`
}

// JSON is the rules as the service of the tenant plane reads them; nil for no change.
func (r *RulesChange) JSON() (json.RawMessage, error) {
	if r == nil {
		return nil, nil
	}
	return json.Marshal(r)
}

// CreateBody is a new connection.
type CreateBody struct {
	Kind string `json:"type,omitempty" enum:"saml,oidc" default:"saml"`
	ID   string `json:"id,omitempty" maxLength:"36" doc:"A new random UUID, so that the connection's addresses are known before it is made; absent for any."`
	Change
}

// DryRun is one that was begun.
type DryRun struct {
	URL string `json:"url" doc:"Where the browser goes: to the identity provider, and then to the page of the attempt."`
}

// Attempt is an attempt to sign in or out by a connection.
type Attempt struct {
	ID      string `json:"id" format:"uuid"`
	At      string `json:"at" format:"date-time"`
	Kind    string `json:"kind" enum:"login,portal,dry_run,logout"`
	Outcome string `json:"outcome" enum:"begun,accepted,refused"`
	Reason  string `json:"reason"`
	UserID  string `json:"user_id" doc:"Empty while it is unknown."`
	IP      string `json:"ip"`
	Steps   []Step `json:"steps"`
	Subject string `json:"subject"`
	Email   string `json:"email"`
	// Groups and the rest are what the provider said.
	Groups       []string            `json:"groups"`
	Statements   map[string][]string `json:"statements" doc:"By their names; with values for a dry run only."`
	UserMetadata map[string]any      `json:"user_metadata" doc:"What the user would have, of a dry run."`
	AppMetadata  map[string]any      `json:"app_metadata"`
	Found        string              `json:"found" doc:"How a dry run would come to a user: found, linked or created."`
}

// Step is a check of an attempt.
type Step struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Reason string `json:"reason"`
}

// AttemptList is a page of attempts.
type AttemptList struct {
	Items []Attempt `json:"items"`
}

// Key is a key of the project's service provider, without its private part.
type Key struct {
	ID          string    `json:"id" format:"uuid"`
	Certificate string    `json:"certificate" doc:"Base64 of its DER."`
	Signs       bool      `json:"signs"`
	CreatedAt   time.Time `json:"created_at"`
	ExpiresAt   time.Time `json:"expires_at"`
}

// KeyList is the keys of a project's service provider, the one that signs first.
type KeyList struct {
	Items []Key `json:"items"`
}

type refInput struct {
	Ref string `path:"ref"`
}

// ConnectionInput names a connection, or a key, of a project.
type ConnectionInput struct {
	Ref string `path:"ref"`
	ID  string `path:"id" maxLength:"64"`
}

type createInput struct {
	Ref  string `path:"ref"`
	Body CreateBody
}

type updateInput struct {
	ConnectionInput
	Body Change
}

type attemptsInput struct {
	ConnectionInput
	Limit  int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Before time.Time `query:"before" doc:"Attempts before this time."`
}

type attemptInput struct {
	ConnectionInput
	Attempt string `path:"attempt_id" maxLength:"64"`
}
