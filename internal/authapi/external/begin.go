package external

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/idp"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service signs users in at external providers.
type Service struct {
	idp.Service
	Providers idp.Providers
}

// stateTTL is how long a user may take at the provider, for consent, a forgotten
// password or a second factor.
const stateTTL = 15 * time.Minute

// Start is a request to sign in at a provider.
type Start struct {
	Provider   string
	Scopes     []string
	Params     url.Values // for the provider
	RedirectTo redirect.Asked
	PKCE       pkce.Challenge
	LinkTo     *uuid.UUID // the user who gets the identity; nil to sign in
	Session    uuid.UUID  // that asks for the identity; Nil if the access token names none
}

// kept is what a flow keeps until its callback, sealed.
type kept struct {
	Connector string    `json:"provider_token,omitempty"` // of connector.Beginner
	Session   uuid.UUID `json:"session_id,omitzero"`      // of Start
}

// Begun is where the browser continues, and the cookie that it brings back.
type Begun struct {
	URL    string
	State  uuid.UUID
	Cookie string
	Posted bool // the provider posts its answer from its own site
}

// Begin begins a sign-in. auth.ErrProviderUnknown, auth.ErrProviderOff, and the
// errors of connector.Connector.
func (s Service) Begin(ctx context.Context, sc *tenants.Scope, st Start) (*Begun, error) {
	p, err := s.Providers.Find(ctx, sc, st.Provider)
	if err != nil {
		return nil, err
	}
	f := auth.FlowState{
		// With the user, so that it ends with the user's other flows, for example
		// when the password changes.
		ID: uuid.New(), UserID: st.LinkTo, CodeChallenge: st.PKCE.CodeChallenge, CodeChallengeMethod: strings.ToLower(st.PKCE.CodeChallengeMethod),
		ProviderType: p.Name, AuthenticationMethod: auth.MethodOAuth, CreatedAt: s.Now(),
		RedirectTo: st.RedirectTo.Target(ctx, sc), LinkTo: st.LinkTo,
	}
	keep := kept{Session: st.Session}
	to, err := authorizeURL(ctx, p, &keep, connector.Start{
		RedirectURI: redirectURI(sc), State: f.ID.String(), Nonce: derive(sc, f.ID, "nonce"), Verifier: derive(sc, f.ID, "verifier"),
		Scopes: st.Scopes, Params: st.Params,
	})
	if err != nil {
		return nil, err
	}
	if keep != (kept{}) {
		if f.ProviderTokens, err = pkce.Seal(sc.Tenant, f.ID, keep); err != nil {
			return nil, err
		}
	}
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error { return tx.CreateFlowState(ctx, &f) })
	if err != nil {
		return nil, err
	}
	return &Begun{URL: to, State: f.ID, Cookie: derive(sc, f.ID, "browser"), Posted: p.PostsForm()}, nil
}

// authorizeURL returns the provider's address. keep gets what the connector needs
// again at the callback.
func authorizeURL(ctx context.Context, p *idp.Provider, keep *kept, st connector.Start) (to string, err error) {
	b, ok := p.Connector.(connector.Beginner)
	if !ok {
		return p.Connector.AuthorizeURL(ctx, p.Client, st)
	}
	to, keep.Connector, err = b.Begin(ctx, p.Client, st)
	return to, err
}

// redirectURI is the address that the project's developer registers at the
// providers.
func redirectURI(sc *tenants.Scope) string { return sc.Tenant.Issuer() + "/callback" }

// derive returns a secret of a flow for one use, as 43 unreserved characters.
func derive(sc *tenants.Scope, state uuid.UUID, use string) string {
	mac := hmac.New(sha256.New, sc.Tenant.Secrets.OTPKey)
	mac.Write([]byte("external provider\x00" + use + "\x00"))
	mac.Write(state[:])
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
