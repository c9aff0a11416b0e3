package customprovider

import (
	"slices"
	"time"

	"github.com/reevehq/reeve/internal/auth"
)

// Attributes are what is written of a provider. Absent and null ones do not change.
type Attributes struct {
	Name                *string           `json:"name,omitempty" maxLength:"100" doc:"As people are shown it."`
	ClientID            *string           `json:"client_id,omitempty" maxLength:"512"`
	ClientSecret        *string           `json:"client_secret,omitempty" maxLength:"8192" writeOnly:"true" doc:"Stored sealed, and never answered. Required of a new provider."`
	AcceptableClientIDs []string          `json:"acceptable_client_ids,omitempty" maxItems:"50" doc:"Further audiences of ID tokens, such as those of native apps."`
	Scopes              []string          `json:"scopes,omitempty" maxItems:"50"`
	PKCE                *bool             `json:"pkce_enabled,omitempty" doc:"true unless set."`
	AttributeMapping    map[string]any    `json:"attribute_mapping,omitempty" doc:"Claims by the provider's names of them: a text names a member, with dots for inner ones; any other value is itself the claim."`
	AuthorizationParams map[string]string `json:"authorization_params,omitempty" doc:"Further parameters of the address that browsers are sent to."`
	ClaimsAllowList     []string          `json:"custom_claims_allowlist,omitempty" maxItems:"50" doc:"Further claims that become part of the user's metadata."`
	Enabled             *bool             `json:"enabled,omitempty" doc:"true unless set."`
	EmailOptional       *bool             `json:"email_optional,omitempty" doc:"Users without an address may sign in."`
	Issuer              *string           `json:"issuer,omitempty" maxLength:"2048" doc:"Of an OpenID provider."`
	DiscoveryURL        *string           `json:"discovery_url,omitempty" maxLength:"2048" doc:"Where the discovery document is if it is not at the issuer's well-known address."`
	SkipNonceCheck      *bool             `json:"skip_nonce_check,omitempty" doc:"Accept ID tokens of apps that pass no nonce."`
	AuthorizationURL    *string           `json:"authorization_url,omitempty" maxLength:"2048" doc:"Of an OAuth 2.0 provider, as are token_url and userinfo_url."`
	TokenURL            *string           `json:"token_url,omitempty" maxLength:"2048"`
	UserinfoURL         *string           `json:"userinfo_url,omitempty" maxLength:"2048"`
	JWKSURI             *string           `json:"jwks_uri,omitempty" maxLength:"2048" doc:"Stored and not used: keys come from the discovery document."`
}

// CreateBody is a new provider.
type CreateBody struct {
	Type       string `json:"provider_type" enum:"oidc,oauth2"`
	Identifier string `json:"identifier" minLength:"1" maxLength:"50" doc:"What apps pass as provider. It begins with custom:, which is added if it is missing."`
	Attributes
}

// Provider is a provider on the wire, without its secret.
type Provider struct {
	ID                  string         `json:"id" format:"uuid"`
	Type                string         `json:"provider_type" enum:"oidc,oauth2"`
	Identifier          string         `json:"identifier" doc:"Such as custom:acme: what apps pass as provider."`
	Name                string         `json:"name"`
	ClientID            string         `json:"client_id"`
	AcceptableClientIDs []string       `json:"acceptable_client_ids"`
	Scopes              []string       `json:"scopes"`
	PKCE                bool           `json:"pkce_enabled"`
	AttributeMapping    map[string]any `json:"attribute_mapping"`
	AuthorizationParams map[string]any `json:"authorization_params"`
	ClaimsAllowList     []string       `json:"custom_claims_allowlist"`
	Enabled             bool           `json:"enabled"`
	EmailOptional       bool           `json:"email_optional"`
	Issuer              string         `json:"issuer"`
	DiscoveryURL        string         `json:"discovery_url"`
	SkipNonceCheck      bool           `json:"skip_nonce_check"`
	AuthorizationURL    string         `json:"authorization_url"`
	TokenURL            string         `json:"token_url"`
	UserinfoURL         string         `json:"userinfo_url"`
	JWKSURI             string         `json:"jwks_uri"`
	CreatedAt           time.Time      `json:"created_at"`
	UpdatedAt           time.Time      `json:"updated_at"`
}

// List is all providers of a project.
type List struct {
	Providers []Provider `json:"providers"`
}

type refInput struct {
	Ref string `path:"ref"`
}

// ProviderInput names a provider of a project.
type ProviderInput struct {
	Ref string `path:"ref"`
	ID  string `path:"id" maxLength:"50" doc:"The provider's identifier, such as custom:acme."`
}

type createInput struct {
	Ref  string `path:"ref"`
	Body CreateBody
}

type updateInput struct {
	ProviderInput
	Body Attributes
}

func onWire(p *auth.CustomProvider) *Provider {
	return &Provider{
		ID: p.ID.String(), Type: p.Type, Identifier: p.Identifier, Name: p.Name, ClientID: p.ClientID,
		AcceptableClientIDs: texts(p.AcceptableClientIDs), Scopes: texts(p.Scopes), PKCE: p.PKCE,
		AttributeMapping: auth.DecodeObject(p.AttributeMapping), AuthorizationParams: auth.DecodeObject(p.AuthorizationParams),
		ClaimsAllowList: texts(p.ClaimsAllowList), Enabled: p.Enabled, EmailOptional: p.EmailOptional,
		Issuer: p.Issuer, DiscoveryURL: p.DiscoveryURL, SkipNonceCheck: p.SkipNonceCheck,
		AuthorizationURL: p.AuthorizationURL, TokenURL: p.TokenURL, UserinfoURL: p.UserinfoURL, JWKSURI: p.JWKSURI,
		CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
}

func texts(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// recorded is a request for the audit log of the control plane. Parameters of the
// authorization address may be anything.
func recorded(request map[string]any) map[string]any {
	out := make(map[string]any, len(request))
	for name, value := range request {
		switch name {
		case "client_secret":
			value = "redacted"
		case "authorization_params":
			names := []string{}
			if params, ok := value.(map[string]any); ok {
				for param := range params {
					names = append(names, param)
				}
			}
			slices.Sort(names)
			value = names[:min(len(names), maxRecorded)]
		}
		out[name] = value
	}
	return out
}

// maxRecorded bounds the names in an entry of the audit log.
const maxRecorded = 50
