package social

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
	"github.com/reevehq/reeve/internal/connector/oidc"
)

const (
	appleIssuer      = "https://appleid.apple.com"
	appleOtherIssuer = "https://account.apple.com"
	appleSecretTTL   = 5 * time.Minute // of a client secret signed here
)

// appleConnector adds to a provider that Apple answers with a form.
type appleConnector struct{ idTokenProvider }

// PostsForm implements connector.FormPoster.
func (*appleConnector) PostsForm() bool { return true }

// apple says with email_verified whether an address is verified, as a text or a
// boolean. It sends the name once, with the first callback, and unsigned, so
// nothing but the name is taken from there.
func (p *parts) apple() connector.Connector {
	tokens := idTokens{
		issuer: func(_ context.Context, _ connector.Client, raw string) (oidc.Issuer, error) {
			i := oidc.Issuer{URL: appleIssuer, KeysURL: appleIssuer + "/auth/keys", Constant: true}
			if oidc.UnverifiedIssuer(raw) == appleOtherIssuer {
				i.URL = appleOtherIssuer
			}
			return i, nil
		},
		claims: appleClaims,
		native: oidc.HashedNonce,
	}
	describe := p.fromIDToken(tokens)
	return &appleConnector{idTokenProvider{tokens: tokens, provider: provider{
		parts: p,
		endpoint: constant(oauth.Endpoint{
			AuthURL:  appleIssuer + "/auth/authorize",
			TokenURL: appleIssuer + "/auth/token",
			Scopes:   []string{"email", "name"},
			Nonce:    true,
			Params:   url.Values{"response_mode": {"form_post"}},
		}),
		secret: func(c connector.Client) (string, error) { return appleSecret(c, p.now()) },
		describe: func(ctx context.Context, s *signIn) (connector.Claims, error) {
			claims, err := describe(ctx, s)
			if name := appleName(s.callback.User); name != "" {
				claims.Name, claims.FullName = name, name
			}
			return claims, err
		},
	}}}
}

func appleClaims(t *oidc.Token) (connector.Claims, error) {
	var c struct {
		Email    string          `json:"email"`
		Verified connector.Flag  `json:"email_verified"`
		Private  *connector.Flag `json:"is_private_email"`
		AuthTime *float64        `json:"auth_time"`
	}
	if err := t.Claims(&c); err != nil {
		return connector.Claims{}, err
	}
	custom := map[string]any{}
	if c.Private != nil {
		custom["is_private_email"] = bool(*c.Private)
	}
	if c.AuthTime != nil {
		custom["auth_time"] = *c.AuthTime
	}
	return connector.Claims{
		Issuer: t.Issuer, Subject: t.Subject, Email: c.Email, EmailVerified: bool(c.Verified), Custom: custom,
	}, nil
}

// appleName reads the name from the form member "user"; "" for none.
func appleName(user string) string {
	var u struct {
		Name struct {
			First string `json:"firstName"`
			Last  string `json:"lastName"`
		} `json:"name"`
	}
	if len(user) > 4096 || json.Unmarshal([]byte(user), &u) != nil {
		return ""
	}
	return fullName(u.Name.First, u.Name.Last)
}

// appleKey is a client secret in the form of the key that signs it: a JSON
// object with the contents of the .p8 file.
type appleKey struct {
	TeamID     string `json:"team_id"`
	KeyID      string `json:"key_id"`
	PrivateKey string `json:"private_key"`
}

// appleSecret returns the client secret of a registration: the stored JWT, or
// one that is signed with the stored key. It returns connector.ErrMisconfigured
// for a secret that is neither, and for a JWT that has expired.
func appleSecret(c connector.Client, now time.Time) (string, error) {
	if !strings.HasPrefix(strings.TrimSpace(c.Secret), "{") {
		if at, ok := AppleSecretExpiry(c.Secret); ok && now.After(at) {
			return "", connector.ErrMisconfigured.Because(errors.New("the client secret of apple has expired"))
		}
		return c.Secret, nil
	}
	var k appleKey
	if err := json.Unmarshal([]byte(c.Secret), &k); err != nil {
		return "", badAppleKey
	}
	block, _ := pem.Decode([]byte(k.PrivateKey))
	if block == nil || k.TeamID == "" || k.KeyID == "" {
		return "", badAppleKey
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || private.Curve != elliptic.P256() {
		return "", badAppleKey
	}
	t := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.RegisteredClaims{
		Issuer: k.TeamID, Subject: c.ID, Audience: jwt.ClaimStrings{appleIssuer},
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(appleSecretTTL)),
	})
	t.Header["kid"] = k.KeyID
	signed, err := t.SignedString(private)
	if err != nil {
		return "", badAppleKey
	}
	return signed, nil
}

var badAppleKey = connector.ErrMisconfigured.Because(
	errors.New("the client secret of apple is neither a JWT nor an object with team_id, key_id and private_key"))

// AppleSecretExpiry returns when a client secret for Apple expires: Apple
// accepts a JWT for six months at most. ok is false for a secret that is no JWT
// with an expiry, such as a key.
func AppleSecretExpiry(secret string) (at time.Time, ok bool) {
	t, _, err := jwt.NewParser().ParseUnverified(secret, &jwt.RegisteredClaims{})
	if err != nil {
		return time.Time{}, false
	}
	expiry, err := t.Claims.GetExpirationTime()
	if err != nil || expiry == nil {
		return time.Time{}, false
	}
	return expiry.Time, true
}
