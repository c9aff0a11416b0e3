package social

import (
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
	"github.com/reevehq/reeve/internal/connector/oidc"
)

const googleIssuer = "https://accounts.google.com"

// google says with email_verified whether an address is verified.
func (p *parts) google() connector.Connector {
	tokens := idTokens{
		issuer: sameIssuer(oidc.Issuer{URL: googleIssuer, KeysURL: "https://www.googleapis.com/oauth2/v3/certs", Constant: true}),
		claims: googleClaims,
		native: oidc.HashedNonce,
	}
	return &idTokenProvider{tokens: tokens, provider: provider{
		parts: p,
		endpoint: constant(oauth.Endpoint{
			AuthURL:  "https://accounts.google.com/o/oauth2/v2/auth",
			TokenURL: "https://oauth2.googleapis.com/token",
			Scopes:   []string{"openid", "email", "profile"},
			PKCE:     true, Nonce: true,
		}),
		describe: p.fromIDToken(tokens),
	}}
}

func googleClaims(t *oidc.Token) (connector.Claims, error) {
	var c struct {
		Name         string         `json:"name"`
		Picture      string         `json:"picture"`
		Email        string         `json:"email"`
		Verified     connector.Flag `json:"email_verified"`
		HostedDomain string         `json:"hd"`
	}
	if err := t.Claims(&c); err != nil {
		return connector.Claims{}, err
	}
	claims := connector.Claims{
		// Some tokens name the issuer without a scheme.
		Issuer: googleIssuer, Subject: t.Subject, Name: c.Name, FullName: c.Name, Picture: c.Picture, AvatarURL: c.Picture,
		Email: c.Email, EmailVerified: bool(c.Verified),
	}
	if c.HostedDomain != "" {
		claims.Custom = map[string]any{"hd": c.HostedDomain}
	}
	return claims, nil
}
