package social

import (
	"context"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

const slackAPI = "https://slack.com/api"

// slackOIDC is Sign in with Slack.
func (p *parts) slackOIDC() connector.Connector {
	return p.slackAt("https://slack.com/openid/connect/authorize", slackAPI+"/openid.connect.token")
}

// slack is the older flow, for apps that were registered for it.
func (p *parts) slack() connector.Connector {
	return p.slackAt("https://slack.com/oauth/authorize", slackAPI+"/oauth.access")
}

// slackAt says with email_verified whether the address is verified.
func (p *parts) slackAt(authorize, token string) connector.Connector {
	return &provider{
		parts: p,
		endpoint: constant(oauth.Endpoint{
			AuthURL:  authorize,
			TokenURL: token,
			Scopes:   []string{"profile", "email", "openid"},
			Nonce:    true,
		}),
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			var u struct {
				UserID   string         `json:"https://slack.com/user_id"`
				TeamID   string         `json:"https://slack.com/team_id"`
				Name     string         `json:"name"`
				Picture  string         `json:"picture"`
				Email    string         `json:"email"`
				Verified connector.Flag `json:"email_verified"`
			}
			// Slack's errors have status 200 and no user.
			if err := p.get(ctx, s, slackAPI+"/openid.connect.userInfo", &u); err != nil {
				return connector.Claims{}, err
			}
			return connector.Claims{
				Issuer: slackAPI, Subject: u.UserID, Name: u.Name, FullName: u.Name, Picture: u.Picture, AvatarURL: u.Picture,
				Email: u.Email, EmailVerified: bool(u.Verified), Custom: map[string]any{"https://slack.com/team_id": u.TeamID},
			}, nil
		},
	}
}
