package social

import (
	"context"
	"strings"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
	"github.com/reevehq/reeve/internal/connector/oidc"
)

const keycloakPath = "/protocol/openid-connect"

type keycloakUser struct {
	Subject  string         `json:"sub"`
	Name     string         `json:"name"`
	Email    string         `json:"email"`
	Verified connector.Flag `json:"email_verified"`
}

func (u keycloakUser) claims(issuer string) connector.Claims {
	return connector.Claims{
		Issuer: issuer, Subject: u.Subject, Name: u.Name, FullName: u.Name, Email: u.Email, EmailVerified: bool(u.Verified),
	}
}

// keycloak says with email_verified whether the address is verified. Its
// address is that of a realm.
func (p *parts) keycloak() connector.Connector {
	k := &idTokenProvider{provider: provider{
		parts:    p,
		required: true,
		endpoint: func(base string) oauth.Endpoint {
			return oauth.Endpoint{
				AuthURL:  base + keycloakPath + "/auth",
				TokenURL: base + keycloakPath + "/token",
				// Without openid, Keycloak refuses the token at its userinfo endpoint.
				Scopes: []string{"openid", "profile", "email"},
				PKCE:   true, Nonce: true,
			}
		},
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			var u keycloakUser
			if err := p.get(ctx, s, s.base+keycloakPath+"/userinfo", &u); err != nil {
				return connector.Claims{}, err
			}
			return u.claims(s.base), nil
		},
	}}
	k.tokens = idTokens{
		issuer: func(_ context.Context, c connector.Client, _ string) (oidc.Issuer, error) {
			base, err := k.address(c)
			return oidc.Issuer{URL: strings.TrimRight(base, "/"), KeysURL: base + keycloakPath + "/certs"}, err
		},
		claims: func(t *oidc.Token) (connector.Claims, error) {
			var u keycloakUser
			if err := t.Claims(&u); err != nil {
				return connector.Claims{}, err
			}
			return u.claims(t.Issuer), nil
		},
		native: oidc.HashedNonce,
	}
	return k
}
