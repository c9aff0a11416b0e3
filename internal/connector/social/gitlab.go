package social

import (
	"context"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

// gitlab says with confirmed_at when the user's primary address was confirmed.
// Only that address is used: of the others GitLab does not say it.
func (p *parts) gitlab() connector.Connector {
	return &provider{
		parts: p,
		base:  "https://gitlab.com",
		endpoint: func(base string) oauth.Endpoint {
			return oauth.Endpoint{
				AuthURL:  base + "/oauth/authorize",
				TokenURL: base + "/oauth/token",
				Scopes:   []string{"read_user"},
				PKCE:     true,
			}
		},
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			var u struct {
				ID          connector.Text `json:"id"`
				Email       string         `json:"email"`
				Name        string         `json:"name"`
				Avatar      string         `json:"avatar_url"`
				ConfirmedAt string         `json:"confirmed_at"`
			}
			if err := p.get(ctx, s, s.base+"/api/v4/user", &u); err != nil {
				return connector.Claims{}, err
			}
			return connector.Claims{
				Issuer: s.base, Subject: string(u.ID), Name: u.Name, FullName: u.Name, Picture: u.Avatar, AvatarURL: u.Avatar,
				Email: u.Email, EmailVerified: u.ConfirmedAt != "",
			}, nil
		},
	}
}
