package social

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

const (
	discordAPI = "https://discord.com/api"
	discordCDN = "https://cdn.discordapp.com"
)

type discordUser struct {
	ID            string `json:"id"`
	Username      string `json:"username"`
	Discriminator string `json:"discriminator"` // "0" for users with a unique name
	GlobalName    string `json:"global_name"`
	Avatar        string `json:"avatar"`
	Email         string `json:"email"`
	Verified      bool   `json:"verified"`
}

// discord says with verified whether the address is verified.
func (p *parts) discord() connector.Connector {
	return &provider{
		parts: p,
		endpoint: constant(oauth.Endpoint{
			AuthURL:  discordAPI + "/oauth2/authorize",
			TokenURL: discordAPI + "/oauth2/token",
			Scopes:   []string{"email", "identify"},
		}),
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			var u discordUser
			if err := p.get(ctx, s, discordAPI+"/users/@me", &u); err != nil {
				return connector.Claims{}, err
			}
			avatar := u.avatarURL()
			return connector.Claims{
				Issuer: discordAPI, Subject: u.ID, Name: u.Username + "#" + u.Discriminator, FullName: u.Username,
				Picture: avatar, AvatarURL: avatar, Email: u.Email, EmailVerified: u.Verified,
				Custom: map[string]any{"global_name": u.GlobalName},
			}, nil
		},
	}
}

// avatarURL is the address of the user's picture, or of the one that Discord
// shows for users without.
func (u discordUser) avatarURL() string {
	if u.Avatar != "" {
		extension := "png"
		if strings.HasPrefix(u.Avatar, "a_") { // animated
			extension = "gif"
		}
		return fmt.Sprintf("%s/avatars/%s/%s.%s", discordCDN, url.PathEscape(u.ID), url.PathEscape(u.Avatar), extension)
	}
	if n, err := strconv.Atoi(u.Discriminator); err == nil && n > 0 {
		return fmt.Sprintf("%s/embed/avatars/%d.png", discordCDN, n%5)
	}
	id, _ := strconv.ParseUint(u.ID, 10, 64)
	return fmt.Sprintf("%s/embed/avatars/%d.png", discordCDN, (id>>22)%6)
}
