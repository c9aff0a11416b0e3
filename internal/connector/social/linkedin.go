package social

import (
	"context"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
	"github.com/reevehq/reeve/internal/connector/oidc"
)

const (
	linkedinAPI    = "https://api.linkedin.com"
	linkedinIssuer = "https://www.linkedin.com"
)

func linkedinEndpoint(nonce bool, scopes ...string) func(string) oauth.Endpoint {
	return constant(oauth.Endpoint{
		AuthURL:  linkedinIssuer + "/oauth/v2/authorization",
		TokenURL: linkedinIssuer + "/oauth/v2/accessToken",
		Scopes:   scopes,
		Nonce:    nonce,
	})
}

// linkedinOIDC says with email_verified whether the address is verified, as a
// text or a boolean. It does not document that it returns a nonce.
func (p *parts) linkedinOIDC() connector.Connector {
	tokens := idTokens{
		issuer: sameIssuer(oidc.Issuer{URL: linkedinIssuer, KeysURL: linkedinIssuer + "/oauth/openid/jwks", Constant: true}),
		claims: linkedinClaims,
		code:   oidc.ExactIfPresent,
	}
	return &provider{
		parts:    p,
		endpoint: linkedinEndpoint(true, "openid", "email", "profile"),
		describe: p.fromIDToken(tokens),
	}
}

func linkedinClaims(t *oidc.Token) (connector.Claims, error) {
	var c struct {
		Email    string         `json:"email"`
		Verified connector.Flag `json:"email_verified"`
		Given    string         `json:"given_name"`
		Family   string         `json:"family_name"`
		Locale   connector.Text `json:"locale"`
		Picture  string         `json:"picture"`
	}
	if err := t.Claims(&c); err != nil {
		return connector.Claims{}, err
	}
	return connector.Claims{
		Issuer: t.Issuer, Subject: t.Subject, Name: fullName(c.Given, c.Family), GivenName: c.Given, FamilyName: c.Family,
		Locale: string(c.Locale), Picture: c.Picture, Email: c.Email, EmailVerified: bool(c.Verified),
	}, nil
}

// linkedinName is a name in several languages.
type linkedinName struct {
	Localized map[string]string `json:"localized"`
	Preferred struct {
		Country  string `json:"country"`
		Language string `json:"language"`
	} `json:"preferredLocale"`
}

func (n linkedinName) text() string {
	return n.Localized[n.Preferred.Language+"_"+n.Preferred.Country]
}

// linkedin is the API before OpenID Connect, which LinkedIn gives to no new app.
// It gives the user's primary address, and does not say whether it is verified.
func (p *parts) linkedin() connector.Connector {
	return &provider{
		parts:    p,
		endpoint: linkedinEndpoint(false, "r_emailaddress", "r_liteprofile"),
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			var u struct {
				ID      string       `json:"id"`
				First   linkedinName `json:"firstName"`
				Last    linkedinName `json:"lastName"`
				Picture struct {
					Display struct {
						Elements []struct {
							Identifiers []struct {
								Identifier string `json:"identifier"`
							} `json:"identifiers"`
						} `json:"elements"`
					} `json:"displayImage~"`
				} `json:"profilePicture"`
			}
			const profile = "/v2/me?projection=(id,firstName,lastName,profilePicture(displayImage~:playableStreams))"
			if err := p.get(ctx, s, linkedinAPI+profile, &u); err != nil {
				return connector.Claims{}, err
			}
			var list struct {
				Elements []struct {
					Handle struct {
						Email string `json:"emailAddress"`
					} `json:"handle~"`
				} `json:"elements"`
			}
			if err := p.get(ctx, s, linkedinAPI+"/v2/emailAddress?q=members&projection=(elements*(handle~))", &list); err != nil {
				return connector.Claims{}, err
			}
			name := fullName(u.First.text(), u.Last.text())
			claims := connector.Claims{Issuer: linkedinAPI, Subject: u.ID, Name: name, FullName: name}
			if len(list.Elements) > 0 {
				claims.Email = list.Elements[0].Handle.Email
			}
			if e := u.Picture.Display.Elements; len(e) > 0 && len(e[0].Identifiers) > 0 {
				claims.Picture = e[0].Identifiers[0].Identifier
				claims.AvatarURL = claims.Picture
			}
			return claims, nil
		},
	}
}
