package social

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
	"github.com/reevehq/reeve/internal/connector/oidc"
)

const (
	facebookIssuer  = "https://www.facebook.com"
	facebookLimited = "https://limited.facebook.com"
	facebookProfile = "https://graph.facebook.com/me?fields=email,first_name,last_name,name,picture"
)

// facebook documents that it returns no address unless it is valid, which it
// takes for one that the user has confirmed. Its ID tokens are those of Limited
// Login.
func (p *parts) facebook() connector.Connector {
	tokens := idTokens{
		issuer: func(_ context.Context, _ connector.Client, raw string) (oidc.Issuer, error) {
			issuer := facebookIssuer
			if oidc.UnverifiedIssuer(raw) == facebookLimited {
				issuer = facebookLimited
			}
			return oidc.Issuer{URL: issuer, KeysURL: issuer + "/.well-known/oauth/openid/jwks/", Constant: true}, nil
		},
		claims: facebookClaims,
		// The reference does not check a nonce here, so apps may pass none.
		native: oidc.LooseIfGiven,
	}
	return &idTokenProvider{tokens: tokens, provider: provider{
		parts: p,
		endpoint: constant(oauth.Endpoint{
			AuthURL:  "https://www.facebook.com/dialog/oauth",
			TokenURL: "https://graph.facebook.com/oauth/access_token",
			Scopes:   []string{"email"},
		}),
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			var u struct {
				ID      connector.Text `json:"id"`
				Email   string         `json:"email"`
				First   string         `json:"first_name"`
				Last    string         `json:"last_name"`
				Name    string         `json:"name"`
				Picture struct {
					Data struct {
						URL string `json:"url"`
					} `json:"data"`
				} `json:"picture"`
			}
			proof := facebookProof(s.client.Secret, s.token.Access)
			if err := p.get(ctx, s, facebookProfile+"&appsecret_proof="+url.QueryEscape(proof), &u); err != nil {
				return connector.Claims{}, err
			}
			name := fullName(u.First, u.Last)
			return connector.Claims{
				Issuer: facebookProfile, Subject: string(u.ID), Name: name, FullName: name, Nickname: u.Name, Slug: u.Name,
				Picture: u.Picture.Data.URL, AvatarURL: u.Picture.Data.URL, Email: u.Email, EmailVerified: true,
			}, nil
		},
	}}
}

// facebookProof shows that the app that asks knows its secret.
func facebookProof(secret, token string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return hex.EncodeToString(mac.Sum(nil))
}

func facebookClaims(t *oidc.Token) (connector.Claims, error) {
	var c struct {
		Email   string `json:"email"`
		Name    string `json:"name"`
		Picture string `json:"picture"`
	}
	if err := t.Claims(&c); err != nil {
		return connector.Claims{}, err
	}
	return connector.Claims{
		Issuer: t.Issuer, Subject: t.Subject, Name: c.Name, Picture: c.Picture, Email: c.Email, EmailVerified: true,
	}, nil
}
