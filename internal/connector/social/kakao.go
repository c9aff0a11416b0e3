package social

import (
	"context"
	"errors"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
	"github.com/reevehq/reeve/internal/connector/oidc"
)

const (
	kakaoIssuer = "https://kauth.kakao.com"
	kakaoAPI    = "https://kapi.kakao.com"
)

type kakaoUser struct {
	ID      connector.Text `json:"id"`
	Account struct {
		Profile struct {
			Nickname string `json:"nickname"`
			Image    string `json:"profile_image_url"`
		} `json:"profile"`
		Email    string `json:"email"`
		Valid    bool   `json:"is_email_valid"`
		Verified bool   `json:"is_email_verified"`
	} `json:"kakao_account"`
}

// kakao says with is_email_valid and is_email_verified whether the address is
// verified, in the profile but not in ID tokens. For an ID token that comes with
// its access token, the profile is asked.
func (p *parts) kakao() connector.Connector {
	tokens := idTokens{
		issuer: sameIssuer(oidc.Issuer{URL: kakaoIssuer, KeysURL: kakaoIssuer + "/.well-known/jwks.json", Constant: true}),
		claims: kakaoClaims,
		native: oidc.HashedNonce,
	}
	return &idTokenProvider{
		tokens: tokens,
		provider: provider{
			parts: p,
			endpoint: constant(oauth.Endpoint{
				AuthURL:  kakaoIssuer + "/oauth/authorize",
				TokenURL: kakaoIssuer + "/oauth/token",
				Scopes:   []string{"account_email", "profile_image", "profile_nickname"},
			}),
			describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
				u, err := p.kakaoUser(ctx, s.token.Access)
				if err != nil {
					return connector.Claims{}, err
				}
				profile := u.Account.Profile
				return connector.Claims{
					Issuer: kakaoAPI, Subject: string(u.ID), Name: profile.Nickname, FullName: profile.Nickname,
					PreferredUsername: profile.Nickname, UserName: profile.Nickname, AvatarURL: profile.Image,
					Email: u.Account.Email, EmailVerified: u.Account.Valid && u.Account.Verified,
				}, nil
			},
		},
		complete: func(ctx context.Context, _ connector.Client, t connector.IDToken, claims *connector.Claims) error {
			if t.AccessToken == "" || claims.Email == "" {
				return nil
			}
			u, err := p.kakaoUser(ctx, t.AccessToken)
			switch {
			case err != nil:
				return err
			case string(u.ID) != claims.Subject:
				return connector.ErrIDToken.Because(errors.New("the access token is of another user"))
			}
			claims.EmailVerified = u.Account.Email == claims.Email && u.Account.Valid && u.Account.Verified
			return nil
		},
	}
}

func (p *parts) kakaoUser(ctx context.Context, token string) (u kakaoUser, err error) {
	err = p.oauth.GetJSON(ctx, oauth.Request{URL: kakaoAPI + "/v2/user/me", Bearer: token}, &u)
	return u, err
}

func kakaoClaims(t *oidc.Token) (connector.Claims, error) {
	var c struct {
		Email    string `json:"email"`
		Nickname string `json:"nickname"`
		Picture  string `json:"picture"`
	}
	if err := t.Claims(&c); err != nil {
		return connector.Claims{}, err
	}
	return connector.Claims{
		Issuer: t.Issuer, Subject: t.Subject, Name: c.Nickname, PreferredUsername: c.Nickname, Picture: c.Picture, Email: c.Email,
	}, nil
}
