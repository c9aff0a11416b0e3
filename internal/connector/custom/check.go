package custom

import (
	"fmt"
	"net/url"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

// Bounds of a definition.
const (
	maxURL     = 2048
	maxEntries = 50  // of each list
	maxText    = 512 // bytes of an entry
)

// Check returns connector.ErrMisconfigured, saying what is wrong, for a
// definition that cannot work. It asks no provider. Plain http is for
// development; allowHTTP accepts it.
func (d Definition) Check(allowHTTP bool) error {
	addresses := []struct {
		name, value string
		required    bool
	}{
		{"issuer", d.Issuer, d.Type == OIDC},
		{"discovery_url", d.DiscoveryURL, false},
		{"authorization_url", d.AuthURL, d.Type == OAuth2},
		{"token_url", d.TokenURL, d.Type == OAuth2},
		{"userinfo_url", d.UserinfoURL, d.Type == OAuth2},
	}
	if d.Type != OAuth2 && d.Type != OIDC {
		return wrong("provider_type must be oauth2 or oidc")
	}
	for _, a := range addresses {
		switch {
		case a.value == "" && a.required:
			return wrong("%s is required", a.name)
		case a.value != "" && !address(a.value, allowHTTP):
			return wrong("%s must be an absolute https URL without user, fragment or more than %d characters", a.name, maxURL)
		}
	}
	for name, n := range map[string]int{
		"scopes": len(d.Scopes), "authorization_params": len(d.AuthorizationParams),
		"attribute_mapping": len(d.AttributeMapping), "custom_claims_allowlist": len(d.ClaimsAllowList),
	} {
		if n > maxEntries {
			return wrong("%s must have at most %d entries", name, maxEntries)
		}
	}
	for name, value := range d.AuthorizationParams {
		if oauth.Reserved(name) {
			return wrong("authorization_params must not have %s", name)
		}
		if name == "" || len(name)+len(value) > maxText {
			return wrong("authorization_params: names and values must be short")
		}
	}
	return nil
}

func address(s string, allowHTTP bool) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && u.Hostname() != "" && u.User == nil && u.Fragment == "" && len(s) <= maxURL &&
		(u.Scheme == "https" || u.Scheme == "http" && allowHTTP)
}

func wrong(format string, args ...any) error {
	return connector.ErrMisconfigured.Saying(fmt.Sprintf(format, args...))
}
