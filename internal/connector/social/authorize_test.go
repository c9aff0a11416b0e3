package social_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/connectortest"
)

// TestAuthorizeURL: where the browser is sent, and with what beside client,
// state and redirect URI.
func TestAuthorizeURL(t *testing.T) {
	t.Parallel()
	const snap = "https://auth.snapchat.com/oauth2/api/user."
	for name, c := range map[string]struct {
		provider, base, want, scopes string
		pkce, nonce                  bool
		extra                        string // fixed parameters
	}{
		"apple":         {provider: "apple", want: "https://appleid.apple.com/auth/authorize", scopes: "email name", nonce: true, extra: "response_mode=form_post"},
		"azure":         {provider: "azure", want: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize", scopes: "openid", pkce: true, nonce: true},
		"azure, tenant": {provider: "azure", base: "https://login.microsoftonline.com/contoso.example/", want: "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/authorize", scopes: "openid", pkce: true, nonce: true},
		"bitbucket":     {provider: "bitbucket", want: "https://bitbucket.org/site/oauth2/authorize", scopes: "account email"},
		"discord":       {provider: "discord", want: "https://discord.com/api/oauth2/authorize", scopes: "email identify"},
		"facebook":      {provider: "facebook", want: "https://www.facebook.com/dialog/oauth", scopes: "email"},
		"figma":         {provider: "figma", want: "https://www.figma.com/oauth", scopes: "current_user:read", pkce: true},
		"fly":           {provider: "fly", want: "https://api.fly.io/oauth/authorize", scopes: "read"},
		"github":        {provider: "github", want: "https://github.com/login/oauth/authorize", scopes: "user:email", pkce: true},
		"gitlab":        {provider: "gitlab", want: "https://gitlab.com/oauth/authorize", scopes: "read_user", pkce: true},
		"gitlab, own":   {provider: "gitlab", base: "https://git.example/x", want: "https://git.example/x/oauth/authorize", scopes: "read_user", pkce: true},
		"google":        {provider: "google", want: "https://accounts.google.com/o/oauth2/v2/auth", scopes: "openid email profile", pkce: true, nonce: true},
		// A URL that is set for a provider without one changes nothing.
		"google, URL":        {provider: "google", base: "https://evil.example", want: "https://accounts.google.com/o/oauth2/v2/auth", scopes: "openid email profile", pkce: true, nonce: true},
		"kakao":              {provider: "kakao", want: "https://kauth.kakao.com/oauth/authorize", scopes: "account_email profile_image profile_nickname"},
		"keycloak":           {provider: "keycloak", base: "https://id.example/realms/a", want: "https://id.example/realms/a/protocol/openid-connect/auth", scopes: "openid profile email", pkce: true, nonce: true},
		"linkedin":           {provider: "linkedin", want: "https://www.linkedin.com/oauth/v2/authorization", scopes: "r_emailaddress r_liteprofile"},
		"linkedin_oidc":      {provider: "linkedin_oidc", want: "https://www.linkedin.com/oauth/v2/authorization", scopes: "openid email profile", nonce: true},
		"notion":             {provider: "notion", want: "https://api.notion.com/v1/oauth/authorize", extra: "owner=user"},
		"slack":              {provider: "slack", want: "https://slack.com/oauth/authorize", scopes: "profile email openid", nonce: true},
		"slack_oidc":         {provider: "slack_oidc", want: "https://slack.com/openid/connect/authorize", scopes: "profile email openid", nonce: true},
		"snapchat":           {provider: "snapchat", want: "https://accounts.snapchat.com/accounts/oauth2/auth", scopes: snap + "external_id " + snap + "display_name " + snap + "bitmoji.avatar", pkce: true},
		"spotify":            {provider: "spotify", want: "https://accounts.spotify.com/authorize", scopes: "user-read-email", pkce: true},
		"twitch":             {provider: "twitch", want: "https://id.twitch.tv/oauth2/authorize", scopes: "user:read:email"},
		"vercel_marketplace": {provider: "vercel_marketplace", want: "https://api.vercel.com/oauth/v2/authorization"},
		"workos":             {provider: "workos", want: "https://api.workos.com/sso/authorize"},
		"x":                  {provider: "x", want: "https://x.com/i/oauth2/authorize", scopes: "users.email tweet.read users.read offline.access", pkce: true},
		"zoom":               {provider: "zoom", want: "https://zoom.us/oauth/authorize", pkce: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reg := registration()
			reg.BaseURL = c.base
			got, err := connectors(connectortest.New(t))[c.provider].AuthorizeURL(t.Context(), reg, connector.Start{
				RedirectURI: redirect, State: "the-state", Nonce: "the-nonce", Verifier: "the-verifier", Scopes: []string{"more"},
				Params: url.Values{"prompt": {"login"}, "state": {"evil"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(got)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			u.RawQuery = ""
			want, err := url.ParseQuery(c.extra)
			if err != nil {
				t.Fatal(err)
			}
			want.Set("client_id", "client-id")
			want.Set("redirect_uri", redirect)
			want.Set("response_type", "code")
			want.Set("state", "the-state")
			want.Set("prompt", "login")
			want.Set("scope", strings.TrimSpace(c.scopes+" more"))
			if c.nonce {
				want.Set("nonce", "the-nonce")
			}
			if c.pkce {
				want.Set("code_challenge", "sP6XQ2T7IHwj7eBkdcI9xyC8WxEik0RMQk0tVGDKZPI")
				want.Set("code_challenge_method", "S256")
			}
			if diff := cmp.Diff(want, q); u.String() != c.want || diff != "" {
				t.Errorf("%s, want %s (-want +got):\n%s", u, c.want, diff)
			}
		})
	}
}

// TestAddresses: an address that a project chose is checked.
func TestAddresses(t *testing.T) {
	t.Parallel()
	all := connectors(connectortest.New(t))
	for base, ok := range map[string]bool{
		"https://id.example/realms/a": true, "https://id.example/realms/a/": true, "http://localhost:8080": true,
		"": false, "id.example": false, "ftp://id.example": false, "https://user:pw@id.example": false, "https://id.example?a=b": false,
		"https://id.example?": false, "https://id.example#a": false, "javascript:alert(1)": false, "https://": false, "https://a b": false,
	} {
		reg := registration()
		reg.BaseURL = base
		_, err := all["keycloak"].AuthorizeURL(t.Context(), reg, connector.Start{})
		_, err2 := all["keycloak"].Exchange(t.Context(), reg, callback())
		_, err3 := all["keycloak"].(connector.IDTokenVerifier).VerifyIDToken(t.Context(), reg, connector.IDToken{Raw: "x"})
		for _, err := range []error{err, err2, err3} {
			if errors.Is(err, connector.ErrMisconfigured) == ok {
				t.Errorf("%q: %v", base, err)
			}
		}
	}
}

// TestWorkOS: an app names whom WorkOS asks.
func TestWorkOS(t *testing.T) {
	t.Parallel()
	params := url.Values{"workos_provider": {"GoogleOAuth"}, "organization": {"org_1"}}
	got, err := connectors(connectortest.New(t))["workos"].AuthorizeURL(t.Context(), registration(), connector.Start{Params: params})
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(got)
	if q := u.Query(); q.Get("provider") != "GoogleOAuth" || q.Get("organization") != "org_1" || q.Has("workos_provider") || !params.Has("workos_provider") {
		t.Error(got, params)
	}
}

func TestMissingRegistration(t *testing.T) {
	t.Parallel()
	for name, c := range connectors(connectortest.New(t)) {
		for _, reg := range []connector.Client{{ID: "x", BaseURL: "https://id.example"}, {Secret: "x", BaseURL: "https://id.example"}} {
			if got, err := c.AuthorizeURL(t.Context(), reg, connector.Start{}); !errors.Is(err, connector.ErrMisconfigured) {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	}
}
