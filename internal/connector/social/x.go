package social

import (
	"context"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

const xAPI = "https://api.x.com"

// x gives an address as confirmed_email, which it documents to be one that the
// user has confirmed. Many users have none.
func (p *parts) x() connector.Connector {
	return &provider{
		parts: p,
		endpoint: constant(oauth.Endpoint{
			AuthURL:  "https://x.com/i/oauth2/authorize",
			TokenURL: xAPI + "/2/oauth2/token",
			Style:    oauth.Basic,
			Scopes:   []string{"users.email", "tweet.read", "users.read", "offline.access"},
			PKCE:     true,
		}),
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			var u struct {
				Data struct {
					ID        string `json:"id"`
					Name      string `json:"name"`
					Username  string `json:"username"`
					Email     string `json:"confirmed_email"`
					Image     string `json:"profile_image_url"`
					URL       string `json:"url"`
					CreatedAt string `json:"created_at"`
				} `json:"data"`
			}
			const fields = "?user.fields=id,name,username,confirmed_email,profile_image_url,url,created_at"
			if err := p.get(ctx, s, xAPI+"/2/users/me"+fields, &u); err != nil {
				return connector.Claims{}, err
			}
			me := u.Data
			return connector.Claims{
				Issuer: xAPI, Subject: me.ID, Name: me.Name, FullName: me.Name, PreferredUsername: me.Username, UserName: me.Username,
				Picture: me.Image, AvatarURL: me.Image, Profile: "https://x.com/" + me.Username, Website: me.URL,
				Email: me.Email, EmailVerified: true, Custom: map[string]any{"created_at": me.CreatedAt},
			}, nil
		},
	}
}
