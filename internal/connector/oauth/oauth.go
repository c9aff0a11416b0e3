// Package oauth is a client's side of the authorization code grant (RFC 6749,
// section 4.1) with PKCE (RFC 7636), and of the JSON documents that the access
// token gives access to. It does not know any provider, and keeps no state.
package oauth

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"github.com/reevehq/reeve/internal/connector"
)

// Style is how a client authenticates at the token endpoint (RFC 6749, section
// 2.3.1).
type Style int

// The styles.
const (
	Post  Style = iota // client_secret_post
	Basic              // client_secret_basic
	// Either tries Basic and, if the provider refuses the client (not the code),
	// Post.
	Either
	// PostFirst tries Post, then Basic. Providers that know both may accept only
	// the one that the client is registered for.
	PostFirst
)

// tries are the ways of a style, in their order.
func (s Style) tries() []oauth2.AuthStyle {
	switch s {
	case Basic:
		return []oauth2.AuthStyle{oauth2.AuthStyleInHeader}
	case Either:
		return []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams}
	case PostFirst:
		return []oauth2.AuthStyle{oauth2.AuthStyleInParams, oauth2.AuthStyleInHeader}
	default:
		return []oauth2.AuthStyle{oauth2.AuthStyleInParams}
	}
}

// Endpoint describes how a provider implements the grant.
type Endpoint struct {
	AuthURL, TokenURL string
	Style             Style
	Scopes            []string
	Separator         string // between scopes; a space when empty
	PKCE              bool   // S256
	Nonce             bool   // OpenID Connect
	Params            url.Values
}

// Client calls providers. It is safe for concurrent use.
type Client struct{ http *http.Client }

// New returns a Client that uses h, which must bound its requests in time and
// its answers in size. The Client follows no redirect: its requests carry
// secrets.
func New(h *http.Client) *Client {
	c := *h
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{http: &c}
}

// reserved are parameters of an authorization request that an app cannot
// choose: they belong to the protocol.
var reserved = []string{
	"client_id", "client_secret", "code_challenge", "code_challenge_method", "nonce", "redirect_uri", "registration",
	"request", "request_uri", "response_mode", "response_type", "scope", "state",
}

// Reserved reports whether a parameter of an authorization request belongs to
// the protocol.
func Reserved(name string) bool { return slices.Contains(reserved, strings.ToLower(name)) }

// AuthorizeURL returns the address of an authorization request. It returns
// connector.ErrMisconfigured without a client id or secret, and for an endpoint
// that is no http or https URL.
func (e Endpoint) AuthorizeURL(c connector.Client, s connector.Start) (string, error) {
	if c.ID == "" {
		return "", connector.ErrMisconfigured.Saying("Unsupported provider: missing OAuth client ID")
	}
	if c.Secret == "" {
		return "", connector.ErrMisconfigured.Saying("Unsupported provider: missing OAuth secret")
	}
	u, err := url.Parse(e.AuthURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", connector.ErrMisconfigured
	}
	q := u.Query()
	for name, values := range s.Params {
		if !Reserved(name) {
			q[name] = slices.Clone(values)
		}
	}
	for name, values := range e.Params {
		q[name] = slices.Clone(values)
	}
	q.Set("response_type", "code")
	q.Set("client_id", c.ID)
	q.Set("redirect_uri", s.RedirectURI)
	q.Set("state", s.State)
	if scopes := e.scopes(s.Scopes); scopes != "" {
		q.Set("scope", scopes)
	}
	if e.Nonce && s.Nonce != "" {
		q.Set("nonce", s.Nonce)
	}
	if e.PKCE && s.Verifier != "" {
		q.Set("code_challenge", oauth2.S256ChallengeFromVerifier(s.Verifier))
		q.Set("code_challenge_method", "S256")
	}
	// Apple shows a + in a scope as it is.
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	return u.String(), nil
}

// scopes joins the endpoint's scopes and further ones, each once.
func (e Endpoint) scopes(more []string) string {
	var out []string
	for _, scope := range slices.Concat(e.Scopes, more) {
		if scope = strings.TrimSpace(scope); scope != "" && !slices.Contains(out, scope) {
			out = append(out, scope)
		}
	}
	separator := e.Separator
	if separator == "" {
		separator = " "
	}
	return strings.Join(out, separator)
}

// Token is the answer of a token endpoint.
type Token struct {
	Access  string
	Refresh string
	ID      string // the ID token; "" for none
	answer  *oauth2.Token
}

// Extra returns a further member of the answer; nil if it is missing.
func (t *Token) Extra(name string) any { return t.answer.Extra(name) }

// Exchange redeems a code. It returns connector.ErrExchange or ErrUnavailable.
func (c *Client) Exchange(ctx context.Context, e Endpoint, reg connector.Client, cb connector.Callback) (*Token, error) {
	config := oauth2.Config{
		ClientID: reg.ID, ClientSecret: reg.Secret, RedirectURL: cb.RedirectURI,
		Endpoint: oauth2.Endpoint{TokenURL: e.TokenURL},
	}
	var options []oauth2.AuthCodeOption
	if e.PKCE && cb.Verifier != "" {
		options = append(options, oauth2.VerifierOption(cb.Verifier))
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, c.http)
	var answer *oauth2.Token
	var err error
	for _, config.Endpoint.AuthStyle = range e.Style.tries() {
		if answer, err = config.Exchange(ctx, cb.Code, options...); !clientRefused(err) {
			break
		}
	}
	if err != nil {
		return nil, exchangeFault(e.TokenURL, err, reg.Secret, cb.Code, cb.Verifier, cb.Nonce)
	}
	t := &Token{Access: answer.AccessToken, Refresh: answer.RefreshToken, answer: answer}
	t.ID, _ = answer.Extra("id_token").(string)
	return t, nil
}
