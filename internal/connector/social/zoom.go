package social

import (
	"context"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

const zoomAPI = "https://api.zoom.us/v2"

// zoom says with verified, 1 or 0, whether the address is verified.
func (p *parts) zoom() connector.Connector {
	return &provider{
		parts: p,
		endpoint: constant(oauth.Endpoint{
			AuthURL:  "https://zoom.us/oauth/authorize",
			TokenURL: "https://zoom.us/oauth/token",
			Style:    oauth.Basic,
			PKCE:     true,
		}),
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			var u struct {
				ID       string         `json:"id"`
				First    string         `json:"first_name"`
				Last     string         `json:"last_name"`
				Email    string         `json:"email"`
				Verified connector.Flag `json:"verified"`
				Picture  string         `json:"pic_url"`
			}
			if err := p.get(ctx, s, zoomAPI+"/users/me", &u); err != nil {
				return connector.Claims{}, err
			}
			name := fullName(u.First, u.Last)
			return connector.Claims{
				Issuer: zoomAPI, Subject: u.ID, Name: name, FullName: name, Picture: u.Picture, AvatarURL: u.Picture,
				Email: u.Email, EmailVerified: bool(u.Verified),
			}, nil
		},
	}
}
