package social

import (
	"context"
	"net/url"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
	"github.com/reevehq/reeve/internal/connector/oidc"
)

const (
	snapchatToken  = "https://accounts.snapchat.com/accounts/oauth2/token" // also the issuer
	snapchatScopes = "https://auth.snapchat.com/oauth2/api/user."
)

// snapchat has addresses for few apps, and says nothing about whether they are
// verified.
func (p *parts) snapchat() connector.Connector {
	query := url.Values{"query": {"{me { externalId displayName bitmoji { avatar id } email } }"}}.Encode()
	tokens := idTokens{
		issuer: sameIssuer(oidc.Issuer{URL: snapchatToken, KeysURL: "https://accounts.snapchat.com/accounts/oauth2/jwks", Constant: true}),
		claims: snapchatClaims,
		native: oidc.HashedNonce,
	}
	return &idTokenProvider{tokens: tokens, provider: provider{
		parts: p,
		endpoint: constant(oauth.Endpoint{
			AuthURL:  "https://accounts.snapchat.com/accounts/oauth2/auth",
			TokenURL: snapchatToken,
			Style:    oauth.Either,
			Scopes:   []string{snapchatScopes + "external_id", snapchatScopes + "display_name", snapchatScopes + "bitmoji.avatar"},
			PKCE:     true,
		}),
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			var u struct {
				Data struct {
					Me struct {
						ID      string `json:"externalId"`
						Name    string `json:"displayName"`
						Email   string `json:"email"`
						Bitmoji struct {
							Avatar string `json:"avatar"`
						} `json:"bitmoji"`
					} `json:"me"`
				} `json:"data"`
			}
			if err := p.get(ctx, s, "https://kit.snapchat.com/v1/me?"+query, &u); err != nil {
				return connector.Claims{}, err
			}
			me := u.Data.Me
			return connector.Claims{
				Issuer: snapchatToken, Subject: me.ID, Name: me.Name, FullName: me.Name, Slug: me.Name,
				Picture: me.Bitmoji.Avatar, AvatarURL: me.Bitmoji.Avatar, Email: me.Email,
			}, nil
		},
	}}
}

func snapchatClaims(t *oidc.Token) (connector.Claims, error) {
	var c struct {
		Name    string `json:"name"`
		Picture string `json:"picture"`
		Email   string `json:"email"`
	}
	if err := t.Claims(&c); err != nil {
		return connector.Claims{}, err
	}
	return connector.Claims{Issuer: t.Issuer, Subject: t.Subject, Name: c.Name, Picture: c.Picture, Email: c.Email}, nil
}
