package social

import (
	"context"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

const spotifyAPI = "https://api.spotify.com/v1"

// spotify documents that the address is not verified.
func (p *parts) spotify() connector.Connector {
	return &provider{
		parts: p,
		endpoint: constant(oauth.Endpoint{
			AuthURL:  "https://accounts.spotify.com/authorize",
			TokenURL: "https://accounts.spotify.com/api/token",
			Style:    oauth.Basic,
			Scopes:   []string{"user-read-email"},
			PKCE:     true,
		}),
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			var u struct {
				ID     string `json:"id"`
				Name   string `json:"display_name"`
				Email  string `json:"email"`
				Images []struct {
					URL string `json:"url"`
				} `json:"images"`
			}
			if err := p.get(ctx, s, spotifyAPI+"/me", &u); err != nil {
				return connector.Claims{}, err
			}
			claims := connector.Claims{Issuer: spotifyAPI, Subject: u.ID, Name: u.Name, FullName: u.Name, Email: u.Email}
			if len(u.Images) > 0 {
				claims.Picture, claims.AvatarURL = u.Images[0].URL, u.Images[0].URL
			}
			return claims, nil
		},
	}
}
