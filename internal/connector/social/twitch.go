package social

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

const twitchAPI = "https://api.twitch.tv"

// twitch documents that it gives the user's verified address only.
func (p *parts) twitch() connector.Connector {
	return &provider{
		parts: p,
		endpoint: constant(oauth.Endpoint{
			AuthURL:  "https://id.twitch.tv/oauth2/authorize",
			TokenURL: "https://id.twitch.tv/oauth2/token",
			Scopes:   []string{"user:read:email"},
		}),
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			var u struct {
				Data []struct {
					ID           string `json:"id"`
					Login        string `json:"login"`
					DisplayName  string `json:"display_name"`
					Type         string `json:"type"`
					Broadcaster  string `json:"broadcaster_type"`
					Description  string `json:"description"`
					ProfileImage string `json:"profile_image_url"`
					OfflineImage string `json:"offline_image_url"`
					ViewCount    int64  `json:"view_count"`
					Email        string `json:"email"`
				} `json:"data"`
			}
			err := p.oauth.GetJSON(ctx, oauth.Request{
				URL: twitchAPI + "/helix/users", Bearer: s.token.Access, Header: http.Header{"Client-Id": {s.client.ID}},
			}, &u)
			if err != nil {
				return connector.Claims{}, err
			}
			if len(u.Data) == 0 {
				return connector.Claims{}, missing("user")
			}
			me := u.Data[0]
			return connector.Claims{
				Issuer: twitchAPI, Subject: me.ID, Name: me.Login, FullName: me.Login, Nickname: me.DisplayName, Slug: me.DisplayName,
				Picture: me.ProfileImage, AvatarURL: me.ProfileImage, Email: me.Email, EmailVerified: true,
				Custom: map[string]any{
					"broadcaster_type": me.Broadcaster, "description": me.Description, "type": me.Type,
					"offline_image_url": me.OfflineImage, "view_count": me.ViewCount,
				},
			}, nil
		},
	}
}
