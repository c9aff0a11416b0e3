package social

import (
	"context"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

const flyAPI = "https://api.fly.io"

// fly gives an alias of the user's address, and says nothing about whether it
// is verified.
func (p *parts) fly() connector.Connector {
	return &provider{
		parts: p,
		endpoint: constant(oauth.Endpoint{
			AuthURL:  flyAPI + "/oauth/authorize",
			TokenURL: flyAPI + "/oauth/token",
			Style:    oauth.Either,
			Scopes:   []string{"read"},
		}),
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			var u struct {
				ResourceOwner connector.Text `json:"resource_owner_id"`
				UserID        connector.Text `json:"user_id"`
				UserName      string         `json:"user_name"`
				Email         string         `json:"email"`
				Organizations any            `json:"organizations"`
				Scope         any            `json:"scope"`
				Application   any            `json:"application"`
				CreatedAt     any            `json:"created_at"`
			}
			if err := p.get(ctx, s, flyAPI+"/oauth/token/info", &u); err != nil {
				return connector.Claims{}, err
			}
			return connector.Claims{
				Issuer: flyAPI, Subject: string(u.UserID), FullName: u.UserName, Email: u.Email,
				Custom: map[string]any{
					"resource_owner_id": string(u.ResourceOwner), "organizations": u.Organizations,
					"application": u.Application, "scope": u.Scope, "created_at": u.CreatedAt,
				},
			}, nil
		},
	}
}
