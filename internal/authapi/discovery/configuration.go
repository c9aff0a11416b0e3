package discovery

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Paths below an issuer. OpenID Connect Discovery 1.0, section 4, fixes the
// path of the configuration; the configuration names the other.
const (
	configurationPath = "/.well-known/openid-configuration"
	jwksPath          = "/.well-known/jwks.json"
)

// Configuration is the metadata of a project as an OpenID provider (OpenID Connect
// Discovery 1.0, section 3), with the members of the reference. Gateways that
// check access tokens read issuer and jwks_uri. The endpoints are where the
// reference has its OAuth server; the document must name them.
type Configuration struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	UserInfoEndpoint      string   `json:"userinfo_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	Scopes                []string `json:"scopes_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	SigningAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	TokenAuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	Claims                []string `json:"claims_supported"`
}

// SetHeaders implements web.HeaderSetter.
func (*Configuration) SetHeaders(h http.Header) { cacheable(h) }

func (h Handler) configuration(_ context.Context, sc *tenants.Scope, _ *web.None) (*Configuration, error) {
	issuer := sc.Tenant.Issuer()
	return &Configuration{
		Issuer:                issuer,
		AuthorizationEndpoint: issuer + "/oauth/authorize",
		TokenEndpoint:         issuer + "/oauth/token",
		UserInfoEndpoint:      issuer + "/oauth/userinfo",
		JWKSURI:               issuer + jwksPath,
		Scopes:                []string{"openid", "profile", "email", "phone"},
		ResponseTypes:         []string{"code"},
		ResponseModes:         []string{"query"},
		GrantTypes:            []string{"authorization_code", "refresh_token"},
		SubjectTypes:          []string{"public"},
		SigningAlgorithms:     token.Algorithms(sc.Tenant),
		TokenAuthMethods:      []string{"client_secret_basic", "client_secret_post", "none"},
		ChallengeMethods:      []string{"S256", "plain"},
		Claims: []string{
			"sub", "aud", "iss", "exp", "iat", "auth_time", "nonce", "email", "email_verified", "phone_number", "phone_number_verified",
			"name", "picture", "preferred_username", "updated_at",
		},
	}, nil
}
