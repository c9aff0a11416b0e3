// Package social has the connectors of the social identity providers, a file
// each, over the shared parts in the packages oauth and oidc. Their scopes and
// the members of identity_data are those of the reference. An address counts as
// verified only if the provider says so for this user, or documents that it
// gives verified addresses only; each provider's file says which.
package social

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
	"github.com/reevehq/reeve/internal/connector/oidc"
)

// parts is what all connectors share.
type parts struct {
	oauth *oauth.Client
	oidc  *oidc.Client
	now   func() time.Time
}

func newParts(h *http.Client, now func() time.Time) *parts {
	return &parts{oauth: oauth.New(h), oidc: oidc.New(h, now), now: now}
}

// provider is a Connector over an endpoint and a description of the user.
type provider struct {
	*parts
	// base is the address of a provider that has one at each customer; a project's
	// own replaces it. It is "" for a provider without, and required where a
	// project must choose one.
	base     string
	required bool
	endpoint func(base string) oauth.Endpoint
	// describe says who signed in.
	describe func(ctx context.Context, s *signIn) (connector.Claims, error)
	// start changes a request before it is made; nil for nothing.
	start func(s connector.Start) connector.Start
	// secret returns the client secret to send; nil for the registration's.
	secret func(c connector.Client) (string, error)
}

// signIn is a sign-in whose code is redeemed.
type signIn struct {
	client   connector.Client
	callback connector.Callback
	token    *oauth.Token
	base     string
}

func constant(e oauth.Endpoint) func(string) oauth.Endpoint {
	return func(string) oauth.Endpoint { return e }
}

// AuthorizeURL implements connector.Connector.
func (p *provider) AuthorizeURL(_ context.Context, c connector.Client, s connector.Start) (string, error) {
	base, err := p.address(c)
	if err != nil {
		return "", err
	}
	if p.start != nil {
		s = p.start(s)
	}
	return p.endpoint(base).AuthorizeURL(c, s)
}

// Exchange implements connector.Connector.
func (p *provider) Exchange(ctx context.Context, c connector.Client, cb connector.Callback) (*connector.Login, error) {
	base, err := p.address(c)
	if err != nil {
		return nil, err
	}
	if p.secret != nil {
		if c.Secret, err = p.secret(c); err != nil {
			return nil, err
		}
	}
	token, err := p.oauth.Exchange(ctx, p.endpoint(base), c, cb)
	if err != nil {
		return nil, err
	}
	claims, err := p.describe(ctx, &signIn{client: c, callback: cb, token: token, base: base})
	if err != nil {
		return nil, err
	}
	profile, err := claims.ToProfile()
	if err != nil {
		return nil, err
	}
	return &connector.Login{Profile: *profile, AccessToken: token.Access, RefreshToken: token.Refresh}, nil
}

// address returns the provider's address for a project, without trailing slash.
// It returns connector.ErrMisconfigured for one that is none.
func (p *provider) address(c connector.Client) (string, error) {
	base := strings.TrimRight(c.BaseURL, "/")
	if base == "" || p.base == "" && !p.required {
		if p.required {
			return "", connector.ErrMisconfigured.Saying("Unsupported provider: missing URL")
		}
		return p.base, nil
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" ||
		u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(base, "#") {
		return "", connector.ErrMisconfigured.Saying("Unsupported provider: the URL is not valid")
	}
	return base, nil
}

// get reads a document of the provider with the user's access token.
func (p *parts) get(ctx context.Context, s *signIn, address string, into any) error {
	return p.oauth.GetJSON(ctx, oauth.Request{URL: address, Bearer: s.token.Access, Secrets: []string{s.client.Secret}}, into)
}

// idTokens describes the ID tokens of a provider.
type idTokens struct {
	// issuer is the issuer of a token; raw is not verified.
	issuer func(ctx context.Context, c connector.Client, raw string) (oidc.Issuer, error)
	claims func(t *oidc.Token) (connector.Claims, error)
	code   oidc.NonceRule // of a token that came with a code
	native oidc.NonceRule // of a token that an app presents
}

func sameIssuer(i oidc.Issuer) func(context.Context, connector.Client, string) (oidc.Issuer, error) {
	return func(context.Context, connector.Client, string) (oidc.Issuer, error) { return i, nil }
}

// idTokenProvider is a provider whose ID tokens an app may present by itself.
type idTokenProvider struct {
	provider
	tokens idTokens
	// complete adds what needs the access token; nil for nothing.
	complete func(ctx context.Context, c connector.Client, t connector.IDToken, claims *connector.Claims) error
}

// VerifyIDToken implements connector.IDTokenVerifier.
func (p *idTokenProvider) VerifyIDToken(ctx context.Context, c connector.Client, t connector.IDToken) (*connector.Profile, error) {
	issuer, err := p.tokens.issuer(ctx, c, t.Raw)
	if err != nil {
		return nil, err
	}
	if t.Issuer != "" && t.Issuer != issuer.URL {
		return nil, connector.ErrIDToken.Saying("Provided issuer does not match ID token issuer")
	}
	check := oidc.Check{Raw: t.Raw, AccessToken: t.AccessToken, Nonce: t.Nonce, Rule: p.tokens.native}
	verified, err := p.oidc.Verify(ctx, issuer, c, check)
	if err != nil {
		return nil, err
	}
	claims, err := p.tokens.claims(verified)
	if err == nil && p.complete != nil {
		err = p.complete(ctx, c, t, &claims)
	}
	if err != nil {
		return nil, err
	}
	return claims.ToProfile()
}

// fromIDToken describes the user by the ID token that came with the code.
func (p *parts) fromIDToken(tokens idTokens) func(context.Context, *signIn) (connector.Claims, error) {
	return func(ctx context.Context, s *signIn) (connector.Claims, error) {
		if s.token.ID == "" {
			return connector.Claims{}, missing("ID token")
		}
		issuer, err := tokens.issuer(ctx, s.client, s.token.ID)
		if err != nil {
			return connector.Claims{}, asProfile(err)
		}
		check := oidc.Check{Raw: s.token.ID, AccessToken: s.token.Access, Nonce: s.callback.Nonce, Rule: tokens.code}
		verified, err := p.oidc.Verify(ctx, issuer, s.client, check)
		if err != nil {
			return connector.Claims{}, asProfile(err)
		}
		claims, err := tokens.claims(verified)
		return claims, asProfile(err)
	}
}
