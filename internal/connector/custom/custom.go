// Package custom has the connector of identity providers that a project defines
// itself: OAuth 2.0 with a userinfo endpoint, or OpenID Connect. It does not own
// how definitions are stored, or who may change them.
package custom

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
	"github.com/reevehq/reeve/internal/connector/oidc"
)

// Type is the protocol of a provider.
type Type string

// The types, as they are stored.
const (
	OAuth2 Type = "oauth2"
	OIDC   Type = "oidc"
)

// Definition is what a project says of a provider, beside its registration
// there: client id, further ids, secret and whether the nonce is checked are in
// connector.Client.
type Definition struct {
	Type   Type
	Scopes []string
	PKCE   bool // S256
	// AuthorizationParams are added to each authorization request.
	AuthorizationParams map[string]string
	// AttributeMapping has claims of OpenID Connect Core, section 5.1, and where
	// their values come from: a text names a member of the provider's description,
	// with dots into inner objects; any other value is itself the claim.
	AttributeMapping map[string]any
	// ClaimsAllowList are members that are kept as custom_claims.
	ClaimsAllowList []string

	Issuer       string // of OIDC
	DiscoveryURL string // of OIDC; "" for the one that the issuer implies

	AuthURL, TokenURL, UserinfoURL string // of OAuth2
}

// Providers makes connectors of definitions. They share its caches, whose keys
// have the project.
type Providers struct {
	oauth *oauth.Client
	oidc  *oidc.Client
}

// New returns Providers that use h, which must bound its requests in time and
// its answers in size.
func New(h *http.Client, now func() time.Time) *Providers {
	return &Providers{oauth: oauth.New(h), oidc: oidc.New(h, now)}
}

// Connector returns the connector of a provider. It implements
// connector.IDTokenVerifier if the type is OIDC. It is cheap: make one for each
// use.
func (p *Providers) Connector(d Definition) connector.Connector {
	c := &provider{p, d}
	if d.Type == OIDC {
		return &openIDProvider{c}
	}
	return c
}

type provider struct {
	*Providers
	Definition
}

// endpoints are those of the definition or of the discovery document.
type endpoints struct {
	oauth.Endpoint
	userinfo string
	issuer   oidc.Issuer
}

func (p *provider) endpoints(ctx context.Context, c connector.Client) (endpoints, error) {
	e := endpoints{
		Endpoint: oauth.Endpoint{
			AuthURL: p.AuthURL, TokenURL: p.TokenURL, Style: oauth.Either, Scopes: p.Scopes, PKCE: p.PKCE, Params: url.Values{},
		},
		userinfo: p.UserinfoURL,
	}
	for name, value := range p.AuthorizationParams {
		if !oauth.Reserved(name) {
			e.Params.Set(name, value)
		}
	}
	if p.Type != OIDC {
		return e, nil
	}
	d, err := p.oidc.Discover(ctx, c.Project, p.Issuer, p.DiscoveryURL)
	if err != nil {
		return endpoints{}, err
	}
	e.AuthURL, e.TokenURL, e.Style, e.Nonce = d.AuthURL, d.TokenURL, d.Style(), true
	e.userinfo = d.UserinfoURL
	e.issuer = oidc.Issuer{URL: d.Issuer, KeysURL: d.KeysURL, Algorithms: d.Algorithms}
	if !slices.Contains(e.Scopes, "openid") {
		e.Scopes = slices.Concat([]string{"openid"}, e.Scopes)
	}
	return e, nil
}

// AuthorizeURL implements connector.Connector.
func (p *provider) AuthorizeURL(ctx context.Context, c connector.Client, s connector.Start) (string, error) {
	e, err := p.endpoints(ctx, c)
	if err != nil {
		return "", err
	}
	return e.AuthorizeURL(c, s)
}

// Exchange implements connector.Connector.
func (p *provider) Exchange(ctx context.Context, c connector.Client, cb connector.Callback) (*connector.Login, error) {
	e, err := p.endpoints(ctx, c)
	if err != nil {
		return nil, err
	}
	token, err := p.oauth.Exchange(ctx, e.Endpoint, c, cb)
	if err != nil {
		return nil, err
	}
	said, err := p.describe(ctx, e, c, cb, token)
	if err != nil {
		return nil, err
	}
	profile, err := said.claims(p.Definition).ToProfile()
	if err != nil {
		return nil, err
	}
	return &connector.Login{Profile: *profile, AccessToken: token.Access, RefreshToken: token.Refresh}, nil
}

// describe returns what the provider says of the user: by the ID token, and by
// the userinfo endpoint if there is no ID token or it lacks something.
func (p *provider) describe(ctx context.Context, e endpoints, c connector.Client, cb connector.Callback, token *oauth.Token) (description, error) {
	said := description{}
	if p.Type == OIDC && token.ID != "" {
		verified, err := p.oidc.Verify(ctx, e.issuer, c, oidc.Check{Raw: token.ID, AccessToken: token.Access, Nonce: cb.Nonce})
		switch {
		case errors.Is(err, connector.ErrIDToken):
			return nil, connector.ErrProfile.Because(err)
		case err != nil:
			return nil, err
		}
		if err := verified.Claims(&said); err != nil {
			return nil, connector.ErrProfile.Because(err)
		}
		if e.userinfo == "" || said.suffices(p.Definition) {
			return said, nil
		}
	}
	if e.userinfo == "" {
		return nil, connector.ErrProfile.Because(errors.New("the provider has neither an ID token nor a userinfo endpoint"))
	}
	more := description{}
	request := oauth.Request{URL: e.userinfo, Bearer: token.Access, Secrets: []string{c.Secret}}
	if err := p.oauth.GetJSON(ctx, request, &more); err != nil {
		return nil, err
	}
	// Section 5.3.2: an answer about another user must not be used.
	if len(said) > 0 && said.text("sub") != more.text("sub") {
		return nil, connector.ErrProfile.Because(errors.New("the userinfo endpoint describes another user than the ID token"))
	}
	if said.text("email") != "" && said.text("email") != more.text("email") {
		delete(more, "email_verified") // it is said of another address
	}
	for name, value := range more {
		if _, known := said[name]; !known {
			said[name] = value
		}
	}
	return said, nil
}

type openIDProvider struct{ *provider }

// VerifyIDToken implements connector.IDTokenVerifier.
func (p *openIDProvider) VerifyIDToken(ctx context.Context, c connector.Client, t connector.IDToken) (*connector.Profile, error) {
	if t.Issuer != "" && t.Issuer != p.Issuer {
		return nil, connector.ErrIDToken.Saying("Provided issuer does not match ID token issuer")
	}
	e, err := p.endpoints(ctx, c)
	if err != nil {
		return nil, err
	}
	check := oidc.Check{Raw: t.Raw, AccessToken: t.AccessToken, Nonce: t.Nonce, Rule: oidc.HashedNonce}
	verified, err := p.oidc.Verify(ctx, e.issuer, c, check)
	if err != nil {
		return nil, err
	}
	said := description{}
	if err := verified.Claims(&said); err != nil {
		return nil, err
	}
	return said.claims(p.Definition).ToProfile()
}
