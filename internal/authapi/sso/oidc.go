package sso

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
	"github.com/reevehq/reeve/internal/connector/oidc"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
)

// OpenID speaks OpenID Connect with identity providers.
type OpenID struct {
	OIDC  *oidc.Client
	OAuth *oauth.Client
}

// NewOpenID returns an OpenID whose requests h makes.
func NewOpenID(h *http.Client, now func() time.Time) OpenID {
	return OpenID{OIDC: oidc.New(h, now), OAuth: oauth.New(h)}
}

// Bounds of an OIDCAttributes.
const (
	maxIssuer = 2048
	maxClient = 1024
	maxScopes = 20
)

// OIDCAttributes are the members of a connection that speaks OpenID Connect; nil keeps
// the value.
type OIDCAttributes struct {
	Issuer       *string                `json:"issuer"`
	ClientID     *string                `json:"client_id"`
	ClientSecret *string                `json:"client_secret"`
	Scopes       *[]string              `json:"scopes"`
	Mapping      *auth.AttributeMapping `json:"attribute_mapping"`
}

func oidcSecretPlace(id uuid.UUID) string { return "sso client secret/" + id.String() }

// apply sets what the request has; auth.ErrValidation.
func (a *OIDCAttributes) apply(t *tenants.Tenant, p *auth.SSOProvider, plainHTTP bool) error {
	o := p.OIDC
	if o == nil {
		return invalid("oidc: this connection speaks SAML")
	}
	if a.Issuer != nil {
		u, err := url.Parse(*a.Issuer)
		if err != nil || u.Scheme != "https" && !(plainHTTP && u.Scheme == "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || len(*a.Issuer) > maxIssuer {
			return invalid("oidc.issuer must be an https URL without query, of at most %d bytes", maxIssuer)
		}
		if o.Issuer != "" && o.Issuer != *a.Issuer {
			return auth.ErrOIDCIssuerMismatch
		}
		o.Issuer = *a.Issuer
	}
	if a.ClientID != nil {
		o.ClientID = strings.TrimSpace(*a.ClientID)
	}
	if a.ClientSecret != nil {
		if *a.ClientSecret == "" || len(*a.ClientSecret) > maxClient {
			return invalid("oidc.client_secret must have 1 to %d bytes", maxClient)
		}
		sealed, err := secret.SealWith(t.Secrets.OutboxKey, oidcSecretPlace(p.ID), []byte(*a.ClientSecret))
		if err != nil {
			return err
		}
		o.SealedSecret = sealed
	}
	if a.Scopes != nil {
		if len(*a.Scopes) > maxScopes || slices.ContainsFunc(*a.Scopes, func(s string) bool { return s == "" || len(s) > 200 || strings.ContainsAny(s, " \t\n\"\\") }) {
			return invalid("oidc.scopes can have at most %d names", maxScopes)
		}
		o.Scopes = slices.Clone(*a.Scopes)
	}
	if a.Mapping != nil {
		mapping, err := checkMapping(a.Mapping)
		if err != nil {
			return err
		}
		o.AttributeMapping = mapping
	}
	switch {
	case o.Issuer == "":
		return invalid("oidc.issuer must be given")
	case o.ClientID == "" || len(o.ClientID) > maxClient:
		return invalid("oidc.client_id must have 1 to %d bytes", maxClient)
	case len(o.SealedSecret) == 0:
		return invalid("oidc.client_secret must be given")
	}
	return nil
}

// client is the project's registration at the connection's provider.
func (s Service) client(sc *tenants.Scope, p *auth.SSOProvider) (connector.Client, error) {
	raw, err := secret.OpenWith(sc.Tenant.Secrets.OutboxKey, oidcSecretPlace(p.ID), p.OIDC.SealedSecret)
	if err != nil { // sealed for the project that this one was branched of
		return connector.Client{}, auth.ErrSSOProviderDisabled.Because(err).Saying("The connection's client secret cannot be read: give it again")
	}
	return connector.Client{Project: string(sc.Tenant.Ref), ID: p.OIDC.ClientID, Secret: string(raw)}, nil
}

// discover asks the issuer how it is spoken to. Its mistakes are auth.ErrOIDCProvider.
func (s Service) discover(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider) (oidc.Discovery, oauth.Endpoint, error) {
	d, err := s.OpenID.OIDC.Discover(ctx, string(sc.Tenant.Ref), p.OIDC.Issuer, "")
	if err != nil {
		return d, oauth.Endpoint{}, auth.ErrOIDCProvider.Because(err).Saying("The identity provider's discovery document cannot be used: " + fault.From(err).Message)
	}
	scopes := slices.Concat([]string{"openid", "email", "profile"}, p.OIDC.Scopes)
	return d, oauth.Endpoint{AuthURL: d.AuthURL, TokenURL: d.TokenURL, Style: d.Style(), Scopes: scopes, PKCE: true, Nonce: true}, nil
}

// kept is what a sign-in keeps for the provider's answer, sealed in the relay state.
type kept struct {
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
}

func keptPlace(id uuid.UUID) string { return "sso sign-in/" + id.String() }

func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// callbackURL is the redirect address of a connection. It is its own, so that a code that
// one provider issued is never redeemed at another's (RFC 9700, section 4.4).
func callbackURL(sc *tenants.Scope, p *auth.SSOProvider) string {
	return clientOf(sc, p.ID).RedirectURI
}

// clientOf are the addresses of a connection as an OpenID provider is told them.
func clientOf(sc *tenants.Scope, id uuid.UUID) auth.OIDCClient {
	at := sc.Tenant.Issuer() + "/sso/oidc/"
	return auth.OIDCClient{
		RedirectURI: at + "callback/" + id.String(), BackchannelLogoutURI: at + "backchannel-logout/" + id.String(), PostLogoutRedirectURI: at + "logged-out",
	}
}

// toOIDC is toProvider for a connection that speaks OpenID Connect.
func (s Service) toOIDC(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider, relay *auth.SSORelay, t *trail, flow *auth.FlowState) (string, error) {
	client, err := s.client(sc, p)
	if err != nil {
		return "", err
	}
	_, endpoint, err := s.discover(ctx, sc, p)
	if err != nil {
		return "", err
	}
	k := kept{Nonce: random(), Verifier: random()}
	address, err := endpoint.AuthorizeURL(client, connector.Start{RedirectURI: callbackURL(sc, p), State: relay.ID.String(), Nonce: k.Nonce, Verifier: k.Verifier})
	if err != nil {
		return "", err
	}
	raw, err := json.Marshal(k)
	if err != nil {
		return "", fmt.Errorf("encode sign-in: %w", err)
	}
	sealed, err := secret.SealWith(sc.Tenant.Secrets.OutboxKey, keptPlace(relay.ID), raw)
	if err != nil {
		return "", err
	}
	relay.RequestID = base64.StdEncoding.EncodeToString(sealed)
	t.Provider = &p.ID
	return address, s.write(ctx, sc, relay, t, flow)
}

// Answer is what an OpenID provider's redirect brings.
type Answer struct {
	Connection                              uuid.UUID // at whose address it arrived
	State, Code, Error, Description, Issuer string
}

// FinishOIDC ends a sign-in with the provider's answer. When it returns an error, the
// outcome is still where to tell it, or nil while that is unknown.
// auth.ErrSAMLRelayNotFound, auth.ErrSAMLRelayExpired, auth.ErrSSOProviderDisabled,
// auth.ErrOIDCProvider, auth.ErrOIDCToken, and those of FinishSAML about the user.
func (s Service) FinishOIDC(ctx context.Context, sc *tenants.Scope, a Answer) (*Outcome, error) {
	id, err := uuid.Parse(a.State)
	if err != nil {
		return nil, auth.ErrSAMLRelayNotFound.Because(err)
	}
	relay, p, t, err := s.begun(ctx, sc, id)
	if err == nil && (p.OIDC == nil || p.ID != a.Connection) {
		err = auth.ErrSAMLRelayNotFound
	}
	if err != nil {
		return nil, err
	}
	t.Provider = &p.ID
	out := &Outcome{RedirectTo: relay.RedirectTo, PKCE: relay.Flow != nil}
	if t.dry() {
		out.DryRun = t.id
	}
	said, err := s.acceptOIDC(ctx, sc, a, relay, p, t)
	if err == nil {
		out, err = s.complete(ctx, sc, p, relay, said, t)
	}
	s.keep(ctx, sc, t, out.user(), err)
	if err != nil {
		s.logRefusal(ctx, sc, p, t, err)
	}
	return out, err
}

func (s Service) logRefusal(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider, t *trail, err error) {
	sc.Log.Add(ctx, projectlog.Entry{
		Level: projectlog.Warning, Code: "oidc_refused", Message: "A sign-in by an enterprise connection was refused.",
		Detail: map[string]any{"provider": p.Provider(), "attempt": t.id.String(), "reason": reasonOf(err)},
	})
}

// acceptOIDC redeems the code and verifies what the provider says.
func (s Service) acceptOIDC(ctx context.Context, sc *tenants.Scope, a Answer, relay *auth.SSORelay, p *auth.SSOProvider, t *trail) (*said, error) {
	switch {
	case relay.RequestID == toChoose:
		return nil, auth.ErrSAMLRelayNotFound
	case s.Now().After(relay.CreatedAt.Add(relayTTL)):
		return nil, auth.ErrSAMLRelayExpired
	case !p.On() && !t.dry():
		return nil, auth.ErrSSOProviderDisabled
	}
	k, err := openKept(sc, relay)
	if err != nil {
		return nil, err
	}
	client, err := s.client(sc, p)
	if err != nil {
		return nil, t.step("client", err)
	}
	d, endpoint, err := s.discover(ctx, sc, p)
	if t.step("discovery", err) != nil {
		return nil, err
	}
	if err := t.step("answer", a.check(d)); err != nil {
		return nil, err
	}
	token, err := s.OpenID.OAuth.Exchange(ctx, endpoint, client, connector.Callback{RedirectURI: callbackURL(sc, p), Code: a.Code, Nonce: k.Nonce, Verifier: k.Verifier})
	if t.step("code", refusedOIDC(err)) != nil {
		return nil, refusedOIDC(err)
	}
	issuer := oidc.Issuer{URL: d.Issuer, KeysURL: d.KeysURL, Algorithms: d.Algorithms}
	verified, err := s.OpenID.OIDC.Verify(ctx, issuer, client, oidc.Check{Raw: token.ID, AccessToken: token.Access, Nonce: k.Nonce})
	if t.step("token", refusedOIDC(err)) != nil {
		return nil, refusedOIDC(err)
	}
	claims := map[string]any{}
	if err := verified.Claims(&claims); err != nil {
		return nil, t.step("token", refusedOIDC(err))
	}
	if err := s.complement(ctx, p, d, token, verified.Subject, claims); t.step("userinfo", err) != nil {
		return nil, err
	}
	out := saidByOIDC(p, relay, verified, claims, s.Now())
	if out.origin.Hint, err = sealHint(sc, &out.origin, token.ID); err != nil {
		return nil, err
	}
	if claims["email_verified"] == false || claims["email_verified"] == "false" {
		return nil, t.step("address", auth.ErrSAMLAssertionNoEmail.Saying("The identity provider says that the user's address is not verified"))
	}
	return out, nil
}

func openKept(sc *tenants.Scope, relay *auth.SSORelay) (k kept, err error) {
	sealed, err := base64.StdEncoding.DecodeString(relay.RequestID)
	if err != nil {
		return k, auth.ErrSAMLRelayNotFound.Because(err)
	}
	raw, err := secret.OpenWith(sc.Tenant.Secrets.OutboxKey, keptPlace(relay.ID), sealed)
	if err != nil {
		return k, auth.ErrSAMLRelayNotFound.Because(err)
	}
	return k, json.Unmarshal(raw, &k)
}

// check checks the redirect; iss is RFC 9207's.
func (a Answer) check(d oidc.Discovery) error {
	switch {
	case a.Error != "":
		return auth.ErrOIDCProvider.Saying("The identity provider did not sign the user in (" + clip(a.Error) + ": " + clip(a.Description) + ")")
	case a.Issuer != "" && a.Issuer != d.Issuer:
		return auth.ErrOIDCToken.Saying("The answer is of another identity provider")
	case a.Code == "" || len(a.Code) > 4096:
		return auth.ErrOIDCProvider.Saying("The identity provider sent no code")
	}
	return nil
}

// refusedOIDC is an error of the exchange in words of this flow.
func refusedOIDC(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, connector.ErrIDToken):
		return auth.ErrOIDCToken.Because(err).Saying("The identity provider's token is not valid: " + fault.From(err).Message)
	default:
		return auth.ErrOIDCProvider.Because(err).Saying("The identity provider refused the exchange: " + fault.From(err).Message)
	}
}

// complement adds what only the userinfo endpoint says, if the connection needs it:
// providers put as little as they may into ID tokens of the code flow (OpenID Connect
// Core, section 5.4).
func (s Service) complement(ctx context.Context, p *auth.SSOProvider, d oidc.Discovery, token *oauth.Token, subject string, claims map[string]any) error {
	if d.UserinfoURL == "" || token.Access == "" || !needsMore(p, claims) {
		return nil
	}
	more := map[string]any{}
	if err := s.OpenID.OAuth.GetJSON(ctx, oauth.Request{URL: d.UserinfoURL, Bearer: token.Access}, &more); err != nil {
		return refusedOIDC(err)
	}
	if more["sub"] != subject { // OpenID Connect Core, section 5.3.2
		return auth.ErrOIDCToken.Saying("The userinfo endpoint describes another user")
	}
	for name, value := range more {
		if _, ok := claims[name]; !ok {
			claims[name] = value
		}
	}
	return nil
}

// needsMore reports whether claims lack the address, the groups, or what the mapping reads.
func needsMore(p *auth.SSOProvider, claims map[string]any) bool {
	has := func(name string) bool {
		_, ok := claims[name]
		return ok
	}
	if _, ok := claims["email"].(string); !ok || p.Rules.GroupsAttribute != "" && !has(p.Rules.GroupsAttribute) {
		return true
	}
	var m auth.AttributeMapping
	_ = json.Unmarshal(p.Mapping(), &m) // SQL may have written anything
	for _, to := range m.Keys {
		if names := append([]string{to.Name}, to.Names...); !slices.ContainsFunc(names, has) {
			return true
		}
	}
	return false
}

// protocolClaims are no statements about the user.
var protocolClaims = []string{"iss", "aud", "exp", "iat", "nbf", "nonce", "at_hash", "c_hash", "azp", "jti", "auth_time", "sid", "acr", "amr"}

// saidByOIDC is what claims say.
func saidByOIDC(p *auth.SSOProvider, relay *auth.SSORelay, verified *oidc.Token, claims map[string]any, now time.Time) *said {
	sid, _ := claims["sid"].(string)
	if len(sid) > 2000 {
		sid = ""
	}
	out := &said{
		method: auth.MethodOIDC, issuer: verified.Issuer, once: onceOf("oidc", p.ID.String(), relay.ID.String()), until: now.Add(2 * relayTTL),
		origin:  auth.SSOOrigin{Provider: p.ID, Name: auth.SSOName{Value: verified.Subject}, SessionIndex: sid},
		subject: verified.Subject, all: map[string][]string{},
	}
	for name, value := range claims {
		if !slices.Contains(protocolClaims, name) {
			out.all[name] = texts(value)
		}
	}
	out.statements = func(names ...string) []string {
		for _, name := range names {
			if values := out.all[name]; name != "" && len(values) > 0 {
				return values
			}
		}
		return nil
	}
	out.address, _ = claims["email"].(string)
	out.factors = twoFactors(texts(claims["amr"]))
	return out
}

// twoFactors reports whether the methods of an amr claim are two factors: the provider
// says so, or one is known and one is had (RFC 8176).
func twoFactors(methods []string) bool {
	has := func(names ...string) bool {
		return slices.ContainsFunc(methods, func(m string) bool { return slices.Contains(names, m) })
	}
	return has("mfa") || has("pwd", "pin", "kba") && has("otp", "hwk", "swk", "sc", "sms", "tel")
}

// texts are the texts of a claim.
func texts(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case bool, float64, json.Number:
		return []string{fmt.Sprint(v)}
	case []any:
		var out []string
		for _, item := range v {
			if _, nested := item.([]any); !nested {
				out = append(out, texts(item)...)
			}
		}
		return out
	}
	return nil
}
