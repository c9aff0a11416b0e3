// Package oidc verifies ID tokens (OpenID Connect Core) and reads discovery
// documents (OpenID Connect Discovery). It keeps discovery documents and key
// sets in bounded caches. Documents at an address that a project chose are kept
// for that project alone.
package oidc

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
	"github.com/reevehq/reeve/internal/fault"
)

// Client calls OpenID providers. It is safe for concurrent use.
type Client struct {
	oauth       *oauth.Client
	now         func() time.Time
	discoveries *cache[Discovery]
	keys        *cache[keySet]
}

// New returns a Client that uses h, which must bound its requests in time and
// its answers in size.
func New(h *http.Client, now func() time.Time) *Client {
	c := &Client{oauth: oauth.New(h), now: now}
	c.discoveries = newCache(now, c.fetchDiscovery)
	c.keys = newCache(now, c.fetchKeys)
	return c
}

// Discovery is what Reeve needs of a discovery document.
type Discovery struct {
	Issuer      string `json:"issuer"`
	AuthURL     string `json:"authorization_endpoint"`
	TokenURL    string `json:"token_endpoint"`
	UserinfoURL string `json:"userinfo_endpoint"`
	KeysURL     string `json:"jwks_uri"`
	// EndSessionURL is the endpoint of RP-Initiated Logout 1.0; "" for none.
	EndSessionURL string   `json:"end_session_endpoint"`
	AuthMethods   []string `json:"token_endpoint_auth_methods_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
}

const secretPost = "client_secret_post"

// Style is how a client authenticates at the token endpoint: first by Post if
// the provider supports it, because providers differ in how they decode Basic.
func (d Discovery) Style() oauth.Style {
	if slices.Contains(d.AuthMethods, secretPost) {
		return oauth.PostFirst
	}
	return oauth.Either
}

// DiscoveryURL is where an issuer has its discovery document.
func DiscoveryURL(issuer string) string {
	return strings.TrimRight(issuer, "/") + "/.well-known/openid-configuration"
}

// Discover returns the discovery document of a project's issuer; address is
// where it is, DiscoveryURL(issuer) when empty. It returns
// connector.ErrMisconfigured if it is the document of another issuer or lacks
// something, and ErrUnavailable.
func (c *Client) Discover(ctx context.Context, project, issuer, address string) (Discovery, error) {
	if address == "" {
		address = DiscoveryURL(issuer)
	}
	d, err := c.discover(ctx, project, address, func(d Discovery) bool { return d.Issuer == issuer })
	if err == nil && d.Issuer != issuer {
		err = misconfigured("the discovery document is of issuer %.200q, not %.200q", d.Issuer, issuer)
	}
	if err != nil {
		return Discovery{}, err
	}
	return d, nil
}

// DiscoverAny is Discover for an issuer that is known by the address of its
// document alone.
func (c *Client) DiscoverAny(ctx context.Context, project, address string) (Discovery, error) {
	return c.discover(ctx, project, address, nil)
}

func (c *Client) discover(ctx context.Context, project, address string, suffices func(Discovery) bool) (Discovery, error) {
	d, err := c.discoveries.get(ctx, key{project, address}, suffices)
	if err != nil {
		return Discovery{}, connector.ErrUnavailable.Because(fault.From(err).Err)
	}
	for name, u := range map[string]string{
		"authorization_endpoint": d.AuthURL, "token_endpoint": d.TokenURL, "jwks_uri": d.KeysURL,
	} {
		if !sound(u, address) {
			return Discovery{}, misconfigured("the discovery document has no usable %s", name)
		}
	}
	if d.EndSessionURL != "" && !sound(d.EndSessionURL, address) {
		d.EndSessionURL = ""
	}
	if d.UserinfoURL != "" && !sound(d.UserinfoURL, address) {
		return Discovery{}, misconfigured("the discovery document has no usable userinfo_endpoint")
	}
	return d, nil
}

// sound reports whether an endpoint is an https URL, or an http URL in a
// document that came by http itself, as in development.
func sound(endpoint, document string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(endpoint) > maxURL {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && strings.HasPrefix(document, "http://")
}

func (c *Client) fetchDiscovery(ctx context.Context, address string) (Discovery, error) {
	var d Discovery
	err := c.oauth.GetJSON(ctx, oauth.Request{URL: address}, &d)
	return d.bounded(), err
}

// bounded leaves out what Reeve does not use: the document stays in a cache.
func (d Discovery) bounded() Discovery {
	for _, u := range []*string{&d.Issuer, &d.AuthURL, &d.TokenURL, &d.UserinfoURL, &d.KeysURL} {
		if len(*u) > maxURL {
			*u = ""
		}
	}
	var methods, supported []string
	if slices.Contains(d.AuthMethods, secretPost) {
		methods = []string{secretPost}
	}
	for _, a := range algorithms {
		if slices.Contains(d.Algorithms, a) {
			supported = append(supported, a)
		}
	}
	if len(d.Algorithms) > 0 && supported == nil {
		supported = []string{"none of Reeve's"}
	}
	d.AuthMethods, d.Algorithms = methods, supported
	return d
}
