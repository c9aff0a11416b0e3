// Package connector defines what Reeve needs of an external identity provider
// (OAuth 2.0, RFC 6749; OpenID Connect Core 1.0), and holds what the providers'
// packages below it share. A connector sends the browser to its provider,
// redeems the code that comes back, and describes the user. It owns no state of
// a sign-in, no user and no session, and it decides nothing about linking.
package connector

import (
	"context"
	"net/url"

	"github.com/reevehq/reeve/internal/fault"
)

// Connector is one kind of identity provider. It serves all projects, so it is
// safe for concurrent use and gets the project's registration with each call.
type Connector interface {
	// AuthorizeURL returns the address at the provider to which the browser is
	// sent. It returns ErrUnavailable if the provider must be asked for it and
	// does not answer.
	AuthorizeURL(ctx context.Context, c Client, s Start) (string, error)
	// Exchange redeems the code of a callback and returns who signed in. It
	// returns ErrExchange, ErrProfile or ErrUnavailable.
	Exchange(ctx context.Context, c Client, cb Callback) (*Login, error)
}

// Beginner is implemented by connectors whose provider must be told of a sign-in
// before the browser is sent there, as by OAuth 1.0a (RFC 5849). Begin takes the
// place of AuthorizeURL, which fails.
type Beginner interface {
	// Begin returns the address, and a secret that must come back as
	// Callback.Kept. It returns ErrUnavailable or ErrMisconfigured.
	Begin(ctx context.Context, c Client, s Start) (address, kept string, err error)
}

// IDTokenVerifier is implemented by connectors whose ID tokens an app may
// present by itself, as native sign-in does.
type IDTokenVerifier interface {
	// VerifyIDToken checks signature, issuer, audience, expiry, nonce and at_hash.
	// It returns ErrIDToken or ErrUnavailable.
	VerifyIDToken(ctx context.Context, c Client, t IDToken) (*Profile, error)
}

// FormPoster is implemented by connectors whose provider answers the browser
// with a form that is posted from its own site (OAuth 2.0 Form Post Response
// Mode).
type FormPoster interface{ PostsForm() bool }

// Client is a project's registration at a provider.
type Client struct {
	Project string   // the project's ref; part of every cache key
	ID      string   // client_id
	MoreIDs []string // further client ids that ID tokens may be issued to
	Secret  string
	BaseURL string // of providers that have an address at each customer, without trailing slash; else ""
	// SkipNonceCheck accepts ID tokens whatever their nonce is.
	SkipNonceCheck bool
}

// Start begins a sign-in at a provider.
type Start struct {
	RedirectURI string
	State       string
	// Nonce binds an ID token to this sign-in (OpenID Connect Core, section
	// 15.5.2), and Verifier a code (PKCE, RFC 7636, S256). Connectors use them
	// where the provider supports them.
	Nonce    string
	Verifier string
	Scopes   []string   // in addition to those that the connector needs
	Params   url.Values // further parameters that the app asked for; they never replace the protocol's own
}

// Callback is what the browser brought back.
type Callback struct {
	RedirectURI string
	Code        string // of OAuth 1.0a: oauth_verifier
	Kept        string // what Beginner.Begin returned
	Nonce       string
	Verifier    string
	User        string // the form member "user" of a posted callback: JSON of Apple's, unsigned
}

// IDToken is an ID token that an app presents.
type IDToken struct {
	Raw         string
	AccessToken string // checked against at_hash if the token has one
	Nonce       string // as the app knows it; the token has its SHA-256 in hex
	Issuer      string // the issuer that the app names; "" for the connector's own
}

// Login is a successful sign-in at a provider.
type Login struct {
	Profile
	AccessToken  string
	RefreshToken string // "" where the provider issues none
}

// Profile is a provider's description of a user.
type Profile struct {
	// Subject identifies the user at the provider for ever. It is never empty.
	Subject string
	Email   string // as the provider sends it; "" for none
	// EmailVerified says that the provider has verified that the user owns the
	// address. It is false unless the provider says so, or documents it.
	EmailVerified bool
	// Data are the members of identity_data, in the reference's names: iss, sub,
	// email, email_verified, name, full_name, user_name, preferred_username,
	// nickname, avatar_url, picture, provider_id, custom_claims and others.
	Data map[string]any
}

// The errors of connectors. What the provider answered is in the wrapped error,
// without secrets, for the log of the project; it is not shown to users.
var (
	// ErrExchange is returned when the provider refuses the code or its answer
	// cannot be read.
	ErrExchange = fault.New(fault.Internal, "unexpected_failure", "Unable to exchange external code")
	// ErrProfile is returned when the provider does not say who the user is.
	ErrProfile = fault.New(fault.Internal, "unexpected_failure", "Error getting user profile from external provider")
	// ErrIDToken is returned for an ID token that is not valid for the client.
	ErrIDToken = fault.New(fault.Invalid, "bad_jwt", "The ID token is not valid")
	// ErrUnavailable is returned when the provider cannot be reached in time.
	ErrUnavailable = fault.New(fault.Unavailable, "provider_unavailable", "The identity provider cannot be reached at the moment")
	// ErrMisconfigured is returned for a registration that cannot work, for
	// example a client secret that is no key.
	ErrMisconfigured = fault.New(fault.Invalid, "validation_failed", "The identity provider is not set up correctly")
)
