package social

import (
	"context"
	"net/http"
	"net/url"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

const notionAPI = "https://api.notion.com/v1"

// notion says nothing about whether the address is verified. The user is the
// owner of the access token's bot.
func (p *parts) notion() connector.Connector {
	return &provider{
		parts: p,
		endpoint: constant(oauth.Endpoint{
			AuthURL:  notionAPI + "/oauth/authorize",
			TokenURL: notionAPI + "/oauth/token",
			Style:    oauth.Basic,
			Params:   url.Values{"owner": {"user"}},
		}),
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			var u struct {
				Bot struct {
					Owner struct {
						User struct {
							ID     string `json:"id"`
							Name   string `json:"name"`
							Avatar string `json:"avatar_url"`
							Person struct {
								Email string `json:"email"`
							} `json:"person"`
						} `json:"user"`
					} `json:"owner"`
				} `json:"bot"`
			}
			err := p.oauth.GetJSON(ctx, oauth.Request{
				URL: notionAPI + "/users/me", Bearer: s.token.Access, Header: http.Header{"Notion-Version": {"2021-08-16"}},
			}, &u)
			if err != nil {
				return connector.Claims{}, err
			}
			owner := u.Bot.Owner.User
			return connector.Claims{
				Issuer: "https://api.notion.com", Subject: owner.ID, Name: owner.Name, FullName: owner.Name,
				Picture: owner.Avatar, AvatarURL: owner.Avatar, Email: owner.Person.Email,
			}, nil
		},
	}
}
