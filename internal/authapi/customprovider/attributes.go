package customprovider

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/idp"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/fault"
)

// Bounds of a definition, beside those of custom.Definition.Check.
const (
	maxName     = 100 // characters
	maxClientID = 512 // characters
	maxSecret   = 8 << 10
	maxEntries  = 50
	maxEntry    = 512
	maxURI      = 2048
)

// Attributes are the members of a provider that a request may set; nil keeps
// the value.
type Attributes struct {
	Name                *string            `json:"name"`
	ClientID            *string            `json:"client_id"`
	ClientSecret        *string            `json:"client_secret"`
	AcceptableClientIDs *[]string          `json:"acceptable_client_ids"`
	Scopes              *[]string          `json:"scopes"`
	PKCE                *bool              `json:"pkce_enabled"`
	AttributeMapping    *map[string]any    `json:"attribute_mapping"`
	AuthorizationParams *map[string]string `json:"authorization_params"`
	ClaimsAllowList     *[]string          `json:"custom_claims_allowlist"`
	Enabled             *bool              `json:"enabled"`
	EmailOptional       *bool              `json:"email_optional"`
	Issuer              *string            `json:"issuer"`
	DiscoveryURL        *string            `json:"discovery_url"`
	SkipNonceCheck      *bool              `json:"skip_nonce_check"`
	AuthorizationURL    *string            `json:"authorization_url"`
	TokenURL            *string            `json:"token_url"`
	UserinfoURL         *string            `json:"userinfo_url"`
	JWKSURI             *string            `json:"jwks_uri"`
}

// apply sets what the request has, all but the client secret.
func (a *Attributes) apply(p *auth.CustomProvider) error {
	set(&p.Name, a.Name)
	set(&p.ClientID, a.ClientID)
	set(&p.AcceptableClientIDs, a.AcceptableClientIDs)
	set(&p.Scopes, a.Scopes)
	set(&p.PKCE, a.PKCE)
	set(&p.ClaimsAllowList, a.ClaimsAllowList)
	set(&p.Enabled, a.Enabled)
	set(&p.EmailOptional, a.EmailOptional)
	set(&p.Issuer, a.Issuer)
	set(&p.DiscoveryURL, a.DiscoveryURL)
	set(&p.SkipNonceCheck, a.SkipNonceCheck)
	set(&p.AuthorizationURL, a.AuthorizationURL)
	set(&p.TokenURL, a.TokenURL)
	set(&p.UserinfoURL, a.UserinfoURL)
	set(&p.JWKSURI, a.JWKSURI)
	if a.AttributeMapping != nil {
		mapping, err := auth.MergeMetadata(nil, *a.AttributeMapping) // for values that jsonb cannot hold
		if errors.Is(err, auth.ErrValidation) {
			return auth.ErrValidation.Saying("attribute_mapping is too large, or has a value that cannot be stored")
		}
		if err != nil {
			return err
		}
		p.AttributeMapping = mapping
	}
	if a.AuthorizationParams != nil {
		params, err := json.Marshal(*a.AuthorizationParams)
		if err != nil {
			return fmt.Errorf("encode parameters: %w", err)
		}
		p.AuthorizationParams = params
	}
	return nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// check returns auth.ErrValidation for a provider that cannot work or is too
// large.
func (s Service) check(p *auth.CustomProvider) error {
	if err := idp.Definition(p).Check(s.PlainHTTP); err != nil {
		if errors.Is(err, connector.ErrMisconfigured) {
			return auth.ErrValidation.Saying(fault.From(err).Message)
		}
		return err
	}
	switch {
	case p.Name == "" || utf8.RuneCountInString(p.Name) > maxName:
		return invalid("name must have 1 to %d characters", maxName)
	case p.ClientID == "" || utf8.RuneCountInString(p.ClientID) > maxClientID:
		return invalid("client_id must have 1 to %d characters", maxClientID)
	case !s.webAddress(p.JWKSURI):
		return invalid("jwks_uri must be an absolute https URL of at most %d characters", maxURI)
	}
	for name, list := range map[string][]string{
		"acceptable_client_ids": p.AcceptableClientIDs, "scopes": p.Scopes, "custom_claims_allowlist": p.ClaimsAllowList,
	} {
		if len(list) > maxEntries {
			return invalid("%s must have at most %d entries", name, maxEntries)
		}
		for _, entry := range list {
			if entry == "" || len(entry) > maxEntry || name == "scopes" && strings.ContainsAny(entry, " \t\r\n") {
				return invalid("%s: an entry is empty, too long or has white space", name)
			}
		}
	}
	return nil
}

// checkSecret checks a client secret that a request sets.
func checkSecret(clientSecret string) error {
	if clientSecret == "" || len(clientSecret) > maxSecret {
		return invalid("client_secret must have 1 to %d bytes", maxSecret)
	}
	return nil
}

func (s Service) webAddress(uri string) bool {
	u, err := url.Parse(uri)
	return uri == "" || err == nil && len(uri) <= maxURI && u.Hostname() != "" && u.User == nil &&
		(u.Scheme == "https" || u.Scheme == "http" && s.PlainHTTP)
}

func invalid(format string, args ...any) error {
	return auth.ErrValidation.Saying(fmt.Sprintf(format, args...))
}
