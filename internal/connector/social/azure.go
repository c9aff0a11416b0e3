package social

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
	"github.com/reevehq/reeve/internal/connector/oidc"
)

const (
	azureHost = "https://login.microsoftonline.com/"
	// azureConsumers is the tenant of personal Microsoft accounts.
	azureConsumers = "9188040d-6c67-4c5b-b112-36a304b66dad"
)

var azureTenant = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// azure says with the optional claim xms_edov that the owner of an address'
// domain is verified. Without the claim an address does not count as verified:
// the administrators of any tenant can give a user any address.
func (p *parts) azure() connector.Connector {
	a := &azureConnector{}
	tokens := idTokens{issuer: a.issuer, claims: azureClaims, native: oidc.HashedNonce}
	a.idTokenProvider = idTokenProvider{tokens: tokens, provider: provider{
		parts: p,
		base:  azureHost + "common",
		endpoint: func(base string) oauth.Endpoint {
			return oauth.Endpoint{
				AuthURL:  base + "/oauth2/v2.0/authorize",
				TokenURL: base + "/oauth2/v2.0/token",
				Scopes:   []string{"openid"},
				PKCE:     true, Nonce: true,
			}
		},
		describe: p.fromIDToken(tokens),
	}}
	return a
}

type azureConnector struct{ idTokenProvider }

// issuer returns the issuer of a token if the project's address admits its
// tenant. All issuers of the public cloud share their keys; the keys name whose
// they are.
func (a *azureConnector) issuer(ctx context.Context, c connector.Client, raw string) (oidc.Issuer, error) {
	base, err := a.address(c)
	if err != nil {
		return oidc.Issuer{}, err
	}
	chosen, public := strings.CutPrefix(base, azureHost)
	several := chosen == "common" || chosen == "organizations" || chosen == "consumers"
	if !public || !several && !azureTenant.MatchString(chosen) {
		return a.discovered(ctx, c, base)
	}
	issuer := oidc.UnverifiedIssuer(raw)
	rest, _ := strings.CutPrefix(issuer, azureHost)
	tenant, version, _ := strings.Cut(rest, "/")
	switch {
	case issuer != azureHost+tenant+"/"+version || version != "v2.0" || !azureTenant.MatchString(tenant):
		return oidc.Issuer{}, connector.ErrIDToken.Because(errors.New("its issuer is no tenant of Azure"))
	case !several && tenant != chosen,
		chosen == "consumers" && tenant != azureConsumers,
		chosen == "organizations" && tenant == azureConsumers:
		return oidc.Issuer{}, connector.ErrIDToken.Because(fmt.Errorf("its tenant %s is not the one of the project", tenant))
	}
	return oidc.Issuer{
		URL: issuer, KeysURL: azureHost + "common/discovery/v2.0/keys", KeyIssuer: azureHost + "{tenantid}/v2.0", Constant: true,
	}, nil
}

// discovered is for a tenant that is named by its domain, and for other clouds.
func (a *azureConnector) discovered(ctx context.Context, c connector.Client, base string) (oidc.Issuer, error) {
	d, err := a.oidc.DiscoverAny(ctx, c.Project, oidc.DiscoveryURL(base+"/v2.0"))
	if err != nil {
		return oidc.Issuer{}, err
	}
	if strings.Contains(d.Issuer, "{") {
		return oidc.Issuer{}, connector.ErrMisconfigured.Because(errors.New("the URL of azure must name a tenant"))
	}
	return oidc.Issuer{URL: d.Issuer, KeysURL: d.KeysURL, Algorithms: d.Algorithms}, nil
}

// azureProtocol are the claims that are of the protocol, or have a member of
// their own.
var azureProtocol = []string{
	"aio", "at_hash", "aud", "c_hash", "exp", "iat", "iss", "jti", "name", "nbf", "nonce", "preferred_username", "rh", "sub", "uti", "ver",
}

func azureClaims(t *oidc.Token) (connector.Claims, error) {
	var c struct {
		Email    string         `json:"email"`
		Name     string         `json:"name"`
		UserName string         `json:"preferred_username"`
		Owner    connector.Flag `json:"xms_edov"`
		Tenant   string         `json:"tid"`
	}
	custom := map[string]any{}
	if err := errors.Join(t.Claims(&c), t.Claims(&custom)); err != nil {
		return connector.Claims{}, connector.ErrProfile.Because(err)
	}
	if c.Tenant != "" && !strings.Contains(t.Issuer, c.Tenant) {
		return connector.Claims{}, connector.ErrIDToken.Because(errors.New("its issuer is not its tenant"))
	}
	for _, name := range azureProtocol {
		delete(custom, name)
	}
	return connector.Claims{
		Issuer: t.Issuer, Subject: t.Subject, PreferredUsername: c.UserName, FullName: c.Name,
		Email: c.Email, EmailVerified: bool(c.Owner), Custom: custom,
	}, nil
}
