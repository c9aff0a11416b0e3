package social

import (
	"context"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

const figmaAPI = "https://api.figma.com"

// figma says nothing about whether the address is verified.
func (p *parts) figma() connector.Connector {
	return &provider{
		parts: p,
		endpoint: constant(oauth.Endpoint{
			AuthURL:  "https://www.figma.com/oauth",
			TokenURL: figmaAPI + "/v1/oauth/token",
			Style:    oauth.Basic,
			// The scope of /v1/me. The reference's, file_read, does not exist any more.
			Scopes: []string{"current_user:read"},
			PKCE:   true,
		}),
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			var u struct {
				ID     connector.Text `json:"id"`
				Email  string         `json:"email"`
				Handle string         `json:"handle"`
				Image  string         `json:"img_url"`
			}
			if err := p.get(ctx, s, figmaAPI+"/v1/me", &u); err != nil {
				return connector.Claims{}, err
			}
			return connector.Claims{
				Issuer: figmaAPI, Subject: string(u.ID), Name: u.Handle, FullName: u.Handle, AvatarURL: u.Image, Email: u.Email,
			}, nil
		},
	}
}
