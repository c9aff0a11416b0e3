package social

import (
	"context"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

const bitbucketAPI = "https://api.bitbucket.org/2.0"

// bitbucket says with is_confirmed whether an address is verified.
func (p *parts) bitbucket() connector.Connector {
	return &provider{
		parts: p,
		endpoint: constant(oauth.Endpoint{
			AuthURL:  "https://bitbucket.org/site/oauth2/authorize",
			TokenURL: "https://bitbucket.org/site/oauth2/access_token",
			Style:    oauth.Basic,
			Scopes:   []string{"account", "email"},
		}),
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			var u struct {
				ID     string `json:"uuid"`
				Name   string `json:"display_name"`
				Avatar struct {
					Href string `json:"href"`
				} `json:"avatar"` // in API answers it is below links
				Links struct {
					Avatar struct {
						Href string `json:"href"`
					} `json:"avatar"`
				} `json:"links"`
			}
			if err := p.get(ctx, s, bitbucketAPI+"/user", &u); err != nil {
				return connector.Claims{}, err
			}
			var list struct {
				Values []struct {
					Email     string `json:"email"`
					Primary   bool   `json:"is_primary"`
					Confirmed bool   `json:"is_confirmed"`
				} `json:"values"`
			}
			if err := p.get(ctx, s, bitbucketAPI+"/user/emails", &list); err != nil {
				return connector.Claims{}, err
			}
			all := []email{}
			for _, e := range list.Values {
				all = append(all, email{e.Email, e.Confirmed, e.Primary})
			}
			best := choose(all)
			avatar := u.Links.Avatar.Href
			if avatar == "" {
				avatar = u.Avatar.Href
			}
			return connector.Claims{
				Issuer: bitbucketAPI, Subject: u.ID, Name: u.Name, FullName: u.Name, Picture: avatar, AvatarURL: avatar,
				Email: best.address, EmailVerified: best.verified,
			}, nil
		},
	}
}
