package auth

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
)

// CustomPrefix begins the identifiers of the providers that a project defines
// itself.
const CustomPrefix = "custom:"

// CustomProvider is an identity provider that a project defines itself, in the
// form of the wire.
type CustomProvider struct {
	ID                  uuid.UUID       `json:"id"`
	Type                string          `json:"provider_type"` // oauth2 or oidc
	Identifier          string          `json:"identifier"`
	Name                string          `json:"name"`
	ClientID            string          `json:"client_id"`
	ClientSecret        string          `json:"-"` // as it is stored, see idp.SealClientSecret
	AcceptableClientIDs []string        `json:"acceptable_client_ids"`
	Scopes              []string        `json:"scopes"`
	PKCE                bool            `json:"pkce_enabled"`
	AttributeMapping    json.RawMessage `json:"attribute_mapping"`    // an object
	AuthorizationParams json.RawMessage `json:"authorization_params"` // an object
	ClaimsAllowList     []string        `json:"custom_claims_allowlist"`
	Enabled             bool            `json:"enabled"`
	EmailOptional       bool            `json:"email_optional"`
	Issuer              string          `json:"issuer,omitempty"`
	DiscoveryURL        string          `json:"discovery_url,omitempty"`
	SkipNonceCheck      bool            `json:"skip_nonce_check"`
	AuthorizationURL    string          `json:"authorization_url,omitempty"`
	TokenURL            string          `json:"token_url,omitempty"`
	UserinfoURL         string          `json:"userinfo_url,omitempty"`
	JWKSURI             string          `json:"jwks_uri,omitempty"`
	CreatedAt           time.Time       `json:"created_at"`
	UpdatedAt           time.Time       `json:"updated_at"`
}

// The errors of custom providers.
var (
	ErrCustomProviderNotFound = fault.New(fault.NotFound, "custom_provider_not_found", "Custom OAuth provider not found")
	ErrCustomProviderExists   = fault.New(fault.Invalid, "conflict", "A custom OAuth provider with this identifier already exists")
	ErrCustomProviderQuota    = fault.New(fault.Invalid, "over_custom_provider_quota", "Maximum number of custom OIDC/OAuth providers reached")
)

// customIdentifier is the form that the table accepts, without the prefix.
var customIdentifier = regexp.MustCompile(`^[a-z0-9:-]{0,42}[a-z0-9]$`)

// ValidCustomIdentifier reports whether s can be the identifier of a custom
// provider, with the prefix.
func ValidCustomIdentifier(s string) bool {
	name, ok := strings.CutPrefix(s, CustomPrefix)
	return ok && customIdentifier.MatchString(name)
}
