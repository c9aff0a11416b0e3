package server_test

import (
	"net/http"
	"strings"

	"github.com/reevehq/reeve/internal/server/servertest"
)

const settingsRest = `phone_autoconfirm true, sms_provider string, saml_enabled false,
	saml_private_key_next_configured false, passkeys_enabled false`

// external is the map of providers with the enabled ones.
func external(on ...string) string {
	names := strings.Fields(`anonymous_users apple azure bitbucket discord facebook snapchat figma fly github gitlab google
		keycloak kakao linkedin linkedin_oidc notion spotify slack slack_oidc workos twitch twitter email phone zoom`)
	members := make([]string, len(names))
	for i, n := range names {
		members[i] = n + " false"
		for _, o := range on {
			if n == o {
				members[i] = n + " true"
			}
		}
	}
	return "external {" + strings.Join(members, ", ") + "}"
}

var discoveryFacts = []fact{
	{
		name: "health", status: 200, body: `{version text, name =GoTrue, description text}`,
		ask: func(c *call) *servertest.Answer { return c.bare(c.mail, http.MethodGet, "/health", nil) },
	},
	{
		name: "settings", status: 200,
		body: "{" + external("email") + ", disable_signup false, mailer_autoconfirm false, " + settingsRest + "}",
		ask:  func(c *call) *servertest.Answer { return c.do(c.mail, http.MethodGet, "/settings", nil) },
	},
	{
		name: "settings, everything the other way", status: 200,
		body: "{" + external() + ", disable_signup true, mailer_autoconfirm true, " + settingsRest + "}",
		ask: func(c *call) *servertest.Answer {
			p := c.reeve.Project(c.T, "other way", jsonObject{
				"disable_signup": true, "mailer_autoconfirm": true, "external_email_enabled": false,
			})
			return c.do(p, http.MethodGet, "/settings", nil)
		},
	},
	{
		name: "jwks", status: 200, header: map[string]string{"Cache-Control": "^public, max-age=600$"},
		body: `{keys [{kty =EC, crv =P-256, alg =ES256, kid text, use =sig, key_ops [=verify], ext true, x text, y text}]}`,
		ask:  func(c *call) *servertest.Answer { return c.bare(c.mail, http.MethodGet, "/.well-known/jwks.json", nil) },
	},
	{
		name: "jwks, HS256 only", status: 200, header: map[string]string{"Cache-Control": "^public, max-age=600$"},
		body: `{keys []}`,
		ask: func(c *call) *servertest.Answer {
			p := c.reeve.Project(c.T, "shared secret", nil)
			importSecret(c.T, p, "in_use")
			revokeOthers(c.T, p)
			return c.bare(p, http.MethodGet, "/.well-known/jwks.json", nil)
		},
	},
	{
		name: "openid-configuration", status: 200, header: map[string]string{"Cache-Control": "^public, max-age=600$"},
		body: `{issuer text, authorization_endpoint text, token_endpoint text, userinfo_endpoint text, jwks_uri text,
			scopes_supported [text], response_types_supported [=code], response_modes_supported [=query],
			grant_types_supported [text], subject_types_supported [=public],
			id_token_signing_alg_values_supported [=ES256], code_challenge_methods_supported [text],
			token_endpoint_auth_methods_supported [text],
			claims_supported [text]}`,
		ask: func(c *call) *servertest.Answer {
			return c.bare(c.mail, http.MethodGet, "/.well-known/openid-configuration", nil)
		},
	},
	{
		name: "unknown path", status: 404, code: "not_found", deviates: "errors are JSON",
		ask: func(c *call) *servertest.Answer { return c.do(c.mail, http.MethodGet, "/nope", nil) },
	},
	{
		name: "method that a path lacks", status: 405, code: "method_not_allowed", deviates: "errors are JSON",
		header: map[string]string{"Allow": "POST"},
		ask:    func(c *call) *servertest.Answer { return c.do(c.mail, http.MethodDelete, "/signup", nil) },
	},
}

// getSettings is a request that only needs a key.
func getSettings(headers func(c *call) []string, path ...string) func(c *call) *servertest.Answer {
	return func(c *call) *servertest.Answer {
		return c.bare(c.mail, http.MethodGet, "/settings"+strings.Join(path, ""), nil, headers(c)...)
	}
}

var settingsShape = "{" + external("email") + ", disable_signup false, mailer_autoconfirm false, " + settingsRest + "}"

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

var keyFacts = []fact{
	{
		name: "no key", status: 401, code: "no_api_key", deviates: "keys without a gateway",
		ask: getSettings(func(*call) []string { return nil }),
	},
	{
		name: "unknown key", status: 401, code: "invalid_api_key",
		ask: getSettings(func(*call) []string { return []string{"apikey", "sb_publishable_AAAAAAAAAAAAAAAAAAAAAA_AAAAAAAA"} }),
	},
	{
		name: "another project's key", status: 401, code: "invalid_api_key",
		ask: getSettings(func(c *call) []string { return []string{"apikey", c.auto.PublishableKey} }),
	},
	{
		name: "key in Authorization alone", status: 200, body: settingsShape,
		ask: getSettings(func(c *call) []string { return []string{"Authorization", "Bearer " + c.mail.PublishableKey} }),
	},
	{
		name: "key in both headers", status: 200, body: settingsShape,
		ask: getSettings(func(c *call) []string {
			return []string{"apikey", c.mail.PublishableKey, "Authorization", "Bearer " + c.mail.PublishableKey}
		}),
	},
	{
		name: "two keys", status: 401, code: "invalid_api_key",
		ask: getSettings(func(c *call) []string {
			return []string{"apikey", c.mail.PublishableKey, "Authorization", "Bearer " + c.mail.SecretKey}
		}),
	},
	{
		name: "secret key from a browser", status: 401, code: "secret_key_in_browser",
		ask: getSettings(func(c *call) []string { return []string{"apikey", c.mail.SecretKey, "User-Agent", firefox} }),
	},
	{
		name: "publishable key from a browser", status: 200, body: settingsShape,
		ask: getSettings(func(c *call) []string { return []string{"apikey", c.mail.PublishableKey, "User-Agent", firefox} }),
	},
}
