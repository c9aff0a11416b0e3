package social

import (
	"context"
	"errors"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

const githubAPI = "https://api.github.com"

// github lists a user's addresses, each with whether it is verified. The list
// has the private addresses too, which the profile hides.
func (p *parts) github() connector.Connector {
	return &provider{
		parts: p,
		endpoint: constant(oauth.Endpoint{
			AuthURL:  "https://github.com/login/oauth/authorize",
			TokenURL: "https://github.com/login/oauth/access_token",
			Scopes:   []string{"user:email"},
			PKCE:     true,
		}),
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			var u struct {
				ID     connector.Text `json:"id"`
				Login  string         `json:"login"`
				Name   string         `json:"name"`
				Avatar string         `json:"avatar_url"`
				Email  string         `json:"email"`
			}
			if err := p.get(ctx, s, githubAPI+"/user", &u); err != nil {
				return connector.Claims{}, err
			}
			var list []struct {
				Email    string `json:"email"`
				Primary  bool   `json:"primary"`
				Verified bool   `json:"verified"`
			}
			all := []email{}
			err := p.get(ctx, s, githubAPI+"/user/emails", &list)
			var status *oauth.StatusError
			switch {
			case errors.As(err, &status) && (status.Status == 403 || status.Status == 404) && errors.Is(err, connector.ErrProfile):
				// A GitHub App without the permission for addresses. The profile's
				// public address remains, of which GitHub says nothing.
				all = append(all, email{address: u.Email})
			case err != nil:
				return connector.Claims{}, err
			}
			for _, e := range list {
				all = append(all, email{e.Email, e.Verified, e.Primary})
			}
			best := choose(all)
			return connector.Claims{
				Issuer: githubAPI, Subject: string(u.ID), Name: u.Name, FullName: u.Name,
				PreferredUsername: u.Login, UserName: u.Login, AvatarURL: u.Avatar,
				Email: best.address, EmailVerified: best.verified,
			}, nil
		},
	}
}
