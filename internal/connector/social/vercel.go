package social

import (
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
	"github.com/reevehq/reeve/internal/connector/oidc"
)

const vercelIssuer = "https://marketplace.vercel.com"

// vercelMarketplace says nothing about whether the address is verified. Vercel
// documents no authorization endpoint for the marketplace; its users come with
// an ID token.
func (p *parts) vercelMarketplace() connector.Connector {
	tokens := idTokens{
		issuer: sameIssuer(oidc.Issuer{URL: vercelIssuer, KeysURL: vercelIssuer + "/.well-known/jwks", Constant: true}),
		claims: vercelClaims,
		code:   oidc.ExactIfPresent,
		native: oidc.HashedNonce,
	}
	return &idTokenProvider{tokens: tokens, provider: provider{
		parts: p,
		endpoint: constant(oauth.Endpoint{
			AuthURL:  "https://api.vercel.com/oauth/v2/authorization",
			TokenURL: "https://api.vercel.com/oauth/v2/accessToken",
		}),
		describe: p.fromIDToken(tokens),
	}}
}

func vercelClaims(t *oidc.Token) (connector.Claims, error) {
	var c struct {
		GlobalID string `json:"global_user_id"`
		Email    string `json:"user_email"`
		Name     string `json:"user_name"`
		Avatar   string `json:"user_avatar_url"`
	}
	if err := t.Claims(&c); err != nil {
		return connector.Claims{}, err
	}
	subject := t.Subject
	if c.GlobalID != "" {
		subject = "global_user_id:" + c.GlobalID
	}
	return connector.Claims{Issuer: t.Issuer, Subject: subject, Name: c.Name, Picture: c.Avatar, Email: c.Email}, nil
}
