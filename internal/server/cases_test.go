package server_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// guard is what a tenant route requires of a caller besides the project's API
// key.
type guard int

const (
	open    guard = iota // works without a key
	keyed                // any key
	signed               // a user's access token
	byAdmin              // a secret key
)

// tenantRoute is a route of the tenant plane for the suites. body is valid;
// more are the other members that the route reads, each with a value of the
// right type.
type tenantRoute struct {
	method, path string
	guard        guard
	query        string
	body         map[string]any // nil: the route reads none
	more         map[string]any
	form         bool // the route reads forms too
	early        int  // the status with which the sample is refused before the database is asked
}

const (
	annID       = "0a0a0a0a-1111-4222-8333-444444444444" // in both projects
	annEmail    = "ann@example.com"
	annPassword = "correct horse 1"
)

// tenantRoutes are all of them: TestEveryRouteHasACase checks that.
var tenantRoutes = append(slices.Clip(scimRoutes()), []tenantRoute{
	{method: "GET", path: "/health", guard: open},
	{method: "GET", path: "/.well-known/jwks.json", guard: open},
	{method: "GET", path: "/.well-known/openid-configuration", guard: open},
	{method: "GET", path: "/verify", guard: open, query: "?type=signup&token=00"},
	{method: "HEAD", path: "/verify", guard: open, query: "?type=signup&token=00"},
	{method: "POST", path: "/verify/link", guard: open, body: map[string]any{"type": "signup", "token": "00"}, form: true},
	{method: "GET", path: "/session/report", guard: open, query: "?token=00"},
	{method: "POST", path: "/session/report", guard: open, body: map[string]any{"token": "00"}, form: true},
	{method: "GET", path: "/authorize", guard: open, query: "?provider=nope", early: 400},
	{method: "GET", path: "/callback", guard: open, query: "?state=" + annID + "&code=00"},
	{method: "POST", path: "/callback", guard: open, body: map[string]any{"state": annID, "code": "00"}, form: true},
	{method: "GET", path: "/sso/saml/metadata", guard: open, early: 404},
	{method: "POST", path: "/sso/saml/acs", guard: open, body: map[string]any{"SAMLResponse": "AAAA", "RelayState": annID}, form: true, early: 303},
	{method: "GET", path: "/sso/saml/slo", guard: open, query: "?SAMLRequest=AAAA", early: 400},
	{
		method: "POST", path: "/sso/saml/slo", guard: open, body: map[string]any{"SAMLRequest": "AAAA"},
		more: map[string]any{"SAMLResponse": "", "RelayState": ""}, form: true, early: 400,
	},
	{method: "GET", path: "/sso/saml/slo/{logout_id}", guard: open},
	{method: "GET", path: "/sso/oidc/callback/{id}", guard: open, query: "?state=" + annID + "&code=00"},
	{method: "POST", path: "/sso/oidc/backchannel-logout/{id}", guard: open, body: map[string]any{"logout_token": "x"}, form: true},
	{method: "GET", path: "/sso/oidc/logged-out", guard: open, query: "?state=" + annID},
	{method: "GET", path: "/sso/choose/{choice_id}", guard: open},
	{method: "POST", path: "/sso/choose/{choice_id}", guard: open, body: map[string]any{"provider_id": annID}, form: true},
	{method: "GET", path: "/sso/domains/verify", guard: open, query: "?connection=" + annID + "&domain=acme.example&until=1&token=x"},
	{
		method: "POST", path: "/sso/domains/verify", guard: open, form: true,
		body: map[string]any{"connection": annID, "domain": "acme.example", "until": "1", "token": "x"},
	},
	{method: "GET", path: "/settings", guard: keyed},
	{method: "GET", path: "/.well-known/revoked-sessions", guard: keyed},
	{
		method: "POST", path: "/signup", guard: keyed, body: map[string]any{"email": "someone@example.com", "password": annPassword},
		more: map[string]any{"phone": "", "channel": "", "data": map[string]any{}, "code_challenge": "", "code_challenge_method": ""},
	},
	{
		method: "POST", path: "/verify", guard: keyed, body: map[string]any{"type": "signup", "token_hash": "00"},
		more: map[string]any{"token": "", "email": "", "phone": "", "redirect_to": ""},
	},
	{
		method: "POST", path: "/token", guard: keyed, query: "?grant_type=password",
		body: map[string]any{"email": "nobody@example.com", "password": "wrong"}, more: map[string]any{"phone": ""},
	},
	{method: "POST", path: "/token", guard: keyed, query: "?grant_type=refresh_token", body: map[string]any{"refresh_token": "x"}},
	{method: "POST", path: "/token", guard: keyed, query: "?grant_type=pkce", body: map[string]any{"auth_code": "x", "code_verifier": "y"}},
	{
		method: "POST", path: "/token", guard: keyed, query: "?grant_type=id_token", body: map[string]any{"provider": "google", "id_token": "x"}, early: 400,
		more: map[string]any{"access_token": "", "nonce": "", "issuer": "", "link_identity": false},
	},
	{
		method: "POST", path: "/otp", guard: keyed, body: map[string]any{"email": "linked-in@example.com"},
		more: map[string]any{"phone": "", "channel": "", "create_user": true, "data": map[string]any{}, "code_challenge": "", "code_challenge_method": ""},
	},
	{
		method: "POST", path: "/magiclink", guard: keyed, body: map[string]any{"email": "linked-in@example.com"},
		more: map[string]any{"data": map[string]any{}, "code_challenge": "", "code_challenge_method": ""},
	},
	{
		method: "POST", path: "/recover", guard: keyed, body: map[string]any{"email": annEmail},
		more: map[string]any{"phone": "", "code_challenge": "", "code_challenge_method": ""},
	},
	{
		method: "POST", path: "/resend", guard: keyed, body: map[string]any{"type": "signup", "email": annEmail},
		more: map[string]any{"phone": "", "code_challenge": "", "code_challenge_method": ""},
	},
	{method: "GET", path: "/user", guard: signed},
	{
		method: "PUT", path: "/user", guard: signed, body: map[string]any{"data": map[string]any{"a": "b"}},
		more: map[string]any{
			"email": annEmail, "phone": "", "channel": "", "password": "", "current_password": "", "nonce": "", "code_challenge": "", "code_challenge_method": "",
		},
	},
	{method: "GET", path: "/user/identities/authorize", guard: signed, query: "?provider=nope"},
	{method: "DELETE", path: "/user/identities/{id}", guard: signed},
	{method: "GET", path: "/user/sessions", guard: signed},
	{method: "DELETE", path: "/user/sessions/{id}", guard: signed},
	{method: "GET", path: "/reauthenticate", guard: signed},
	{method: "POST", path: "/logout", guard: signed},
	{method: "POST", path: "/factors", guard: signed, body: map[string]any{"factor_type": "totp", "friendly_name": "phone"}, more: map[string]any{"issuer": "", "phone": ""}},
	{method: "POST", path: "/factors/{id}/challenge", guard: signed, body: map[string]any{}, more: map[string]any{"channel": ""}},
	{method: "POST", path: "/factors/{id}/verify", guard: signed, body: map[string]any{"challenge_id": annID, "code": "000000"}, more: map[string]any{"webauthn": map[string]any{"type": "create"}}},
	{method: "DELETE", path: "/factors/{id}", guard: signed},
	{method: "GET", path: "/factors/recovery-codes", guard: signed},
	{method: "POST", path: "/factors/recovery-codes", guard: signed, body: map[string]any{}, more: map[string]any{"friendly_name": ""}},
	{method: "POST", path: "/factors/recovery-codes/verify", guard: signed, body: map[string]any{"code": "aaaa-bbbb-cccc-dddd"}},
	{method: "POST", path: "/factors/recovery-codes/regenerate", guard: signed},
	{method: "DELETE", path: "/factors/recovery-codes", guard: signed},
	{
		method: "POST", path: "/sso", guard: keyed, body: map[string]any{"domain": "acme.example"}, early: 404,
		more: map[string]any{"provider_id": "", "redirect_to": "", "skip_http_redirect": true, "code_challenge": "", "code_challenge_method": ""},
	},
	{method: "POST", path: "/passkeys/authentication/options", guard: keyed, early: 404},
	{
		method: "POST", path: "/passkeys/authentication/verify", guard: keyed, early: 404,
		body: map[string]any{"challenge_id": annID, "credential": map[string]any{"id": "AA"}},
	},
	{method: "POST", path: "/passkeys/registration/options", guard: signed},
	{
		method: "POST", path: "/passkeys/registration/verify", guard: signed,
		body: map[string]any{"challenge_id": annID, "credential": map[string]any{"id": "AA"}},
	},
	{method: "GET", path: "/passkeys", guard: signed},
	{method: "PATCH", path: "/passkeys/{id}", guard: signed, body: map[string]any{"friendly_name": "phone"}},
	{method: "DELETE", path: "/passkeys/{id}", guard: signed},
	{method: "GET", path: "/admin/users", guard: byAdmin},
	{
		method: "POST", path: "/admin/users", guard: byAdmin, body: map[string]any{"email": "another@example.com"},
		more: map[string]any{
			"id": annID, "phone": "", "password": "", "password_hash": "", "email_confirm": true, "phone_confirm": false,
			"user_metadata": map[string]any{}, "app_metadata": map[string]any{}, "role": "", "ban_duration": "",
		},
	},
	{method: "GET", path: "/admin/users/{id}", guard: byAdmin},
	{
		method: "PUT", path: "/admin/users/{id}", guard: byAdmin, body: map[string]any{"user_metadata": map[string]any{"a": "b"}},
		more: map[string]any{
			"email": annEmail, "phone": "", "password": "", "password_hash": "", "email_confirm": true, "phone_confirm": false,
			"app_metadata": map[string]any{}, "role": "", "ban_duration": "",
		},
	},
	{method: "DELETE", path: "/admin/users/{id}", guard: byAdmin, body: map[string]any{"should_soft_delete": false}},
	{method: "GET", path: "/admin/users/{id}/factors", guard: byAdmin},
	{method: "PUT", path: "/admin/users/{id}/factors/{factor_id}", guard: byAdmin, body: map[string]any{"friendly_name": "phone"}},
	{method: "DELETE", path: "/admin/users/{id}/factors/{factor_id}", guard: byAdmin},
	{method: "DELETE", path: "/admin/users/{id}/factors/recovery-codes", guard: byAdmin},
	{method: "GET", path: "/admin/users/{id}/sessions", guard: byAdmin},
	{method: "DELETE", path: "/admin/users/{id}/sessions", guard: byAdmin},
	{method: "DELETE", path: "/admin/users/{id}/sessions/{session_id}", guard: byAdmin},
	{method: "POST", path: "/admin/users/{id}/logout", guard: byAdmin},
	{method: "GET", path: "/admin/users/{id}/passkeys", guard: byAdmin},
	{method: "DELETE", path: "/admin/users/{id}/passkeys/{passkey_id}", guard: byAdmin},
	{method: "GET", path: "/admin/audit", guard: byAdmin},
	{method: "GET", path: "/admin/custom-providers", guard: byAdmin},
	{
		method: "POST", path: "/admin/custom-providers", guard: byAdmin,
		body: map[string]any{
			"provider_type": "oidc", "identifier": "custom:second", "name": "Second", "client_id": "id", "client_secret": "secret", "issuer": "https://id.example.com",
		},
		more: customProviderMembers,
	},
	{method: "GET", path: "/admin/custom-providers/{identifier}", guard: byAdmin},
	{
		method: "PUT", path: "/admin/custom-providers/{identifier}", guard: byAdmin, body: map[string]any{"name": "First"},
		more: customProviderMembers,
	},
	{method: "DELETE", path: "/admin/custom-providers/{identifier}", guard: byAdmin},
	{method: "GET", path: "/admin/sso/providers", guard: byAdmin},
	{method: "POST", path: "/admin/sso/providers", guard: byAdmin, body: map[string]any{"type": "saml"}, more: ssoProviderMembers, early: 404},
	{method: "GET", path: "/admin/sso/providers/{id}", guard: byAdmin},
	{method: "PUT", path: "/admin/sso/providers/{id}", guard: byAdmin, body: map[string]any{"disabled": true}, more: ssoProviderMembers},
	{method: "DELETE", path: "/admin/sso/providers/{id}", guard: byAdmin},
	{method: "GET", path: "/admin/sso/providers/{id}/attempts", guard: byAdmin},
	{method: "GET", path: "/admin/sso/providers/{id}/domains", guard: byAdmin},
	{method: "POST", path: "/admin/sso/providers/{id}/domains", guard: byAdmin, body: map[string]any{"domain": "acme.example"}},
	{method: "DELETE", path: "/admin/sso/providers/{id}/domains/{domain}", guard: byAdmin},
	{method: "POST", path: "/admin/sso/providers/{id}/domains/{domain}/check", guard: byAdmin},
	{method: "POST", path: "/admin/sso/providers/{id}/domains/{domain}/mail", guard: byAdmin, body: map[string]any{"mailbox": "admin"}},
	{method: "POST", path: "/admin/sso/providers/{id}/domains/{domain}/consent", guard: byAdmin, body: map[string]any{"provider_id": annID}},
	{method: "GET", path: "/admin/sso/setup-links", guard: byAdmin},
	{method: "POST", path: "/admin/sso/setup-links", guard: byAdmin, body: map[string]any{"intents": []any{"sso"}, "name": "Acme"}, more: setupLinkMembers, early: 404},
	{method: "DELETE", path: "/admin/sso/setup-links/{link_id}", guard: byAdmin, early: 404},
	{method: "GET", path: "/admin/sso/keys", guard: byAdmin, early: 404},
	{method: "POST", path: "/admin/sso/keys", guard: byAdmin, body: map[string]any{}, early: 404},
	{method: "DELETE", path: "/admin/sso/keys/{key_id}", guard: byAdmin, early: 404},
	{method: "GET", path: "/admin/sso/providers/{id}/scim/tokens", guard: byAdmin},
	{method: "POST", path: "/admin/sso/providers/{id}/scim/tokens", guard: byAdmin, body: map[string]any{"expires_at": "2099-01-01T00:00:00Z"}},
	{method: "DELETE", path: "/admin/sso/providers/{id}/scim/tokens/{token_id}", guard: byAdmin},
	{method: "GET", path: "/admin/sso/providers/{id}/scim/log", guard: byAdmin},
	{method: "POST", path: "/admin/sso/providers/{id}/scim/log/{entry}/replay", guard: byAdmin},
	{
		method: "POST", path: "/admin/generate_link", guard: byAdmin, body: map[string]any{"type": "invite", "email": "linked@example.com"},
		more: map[string]any{"new_email": "", "password": "", "data": map[string]any{}, "redirect_to": ""},
	},
	{
		method: "POST", path: "/invite", guard: byAdmin, body: map[string]any{"email": "invited@example.com"},
		more: map[string]any{"data": map[string]any{}},
	},
}...)

// scimRoutes are those of directories. Who has no token of a connection is refused
// whatever else is wrong; package authapi/scim tries them with one.
func scimRoutes() (list []tenantRoute) {
	add := func(method, path string, body map[string]any) {
		list = append(list, tenantRoute{method: method, path: "/scim/v2" + path, guard: open, body: body, early: 401})
	}
	user, group := map[string]any{"userName": "ann"}, map[string]any{"displayName": "staff"}
	patch := map[string]any{"Operations": []any{map[string]any{"op": "add", "path": "externalId", "value": "x"}}}
	for at, body := range map[string]map[string]any{"/Users": user, "/Groups": group} {
		add("GET", at, nil)
		add("POST", at, body)
		add("POST", at+"/.search", map[string]any{"filter": "id pr"})
		add("GET", at+"/{id}", nil)
		add("PUT", at+"/{id}", body)
		add("PATCH", at+"/{id}", patch)
		add("DELETE", at+"/{id}", nil)
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		add(method, "/Me", nil)
	}
	for _, at := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/{id}", "/Schemas", "/Schemas/{id}"} {
		add("GET", at, nil)
	}
	add("POST", "/.search", nil)
	add("POST", "/Bulk", map[string]any{"Operations": []any{}})
	return list
}

// setupLinkMembers are the members of a setup link.
var setupLinkMembers = map[string]any{"provider_id": annID, "name": "Acme", "domains": []any{}, "expires_in": 60}

// ssoProviderMembers are the members of a connection.
var ssoProviderMembers = map[string]any{
	"resource_id": "acme", "disabled": false, "metadata_url": "", "metadata_xml": "", "domains": []any{}, "attribute_mapping": map[string]any{},
	"name_id_format": "", "name": "", "rules": map[string]any{}, "oidc": map[string]any{},
}

// customProviderMembers are optional members of a custom provider.
var customProviderMembers = map[string]any{
	"acceptable_client_ids": []any{}, "scopes": []any{}, "pkce_enabled": true, "attribute_mapping": map[string]any{},
	"authorization_params": map[string]any{}, "custom_claims_allowlist": []any{}, "enabled": true, "email_optional": false, "discovery_url": "",
	"skip_nonce_check": false, "authorization_url": "", "token_url": "", "userinfo_url": "", "jwks_uri": "",
}

// at is the route's path with the ids and the query.
func (r tenantRoute) at() string {
	return strings.NewReplacer("{id}", annID, "{session_id}", annID, "{passkey_id}", annID, "{factor_id}", annID, "{logout_id}", annID, "{key_id}", annID, "{link_id}", annID, "{choice_id}", annID, "{domain}", "acme.example", "{identifier}", "custom:first", "{token_id}", annID, "{entry}", "1").Replace(r.path) + r.query
}

func (r tenantRoute) String() string { return r.method + " " + r.path + r.query }

// members are all members of the body that the route reads.
func (r tenantRoute) members() map[string]any {
	out := maps.Clone(r.body)
	maps.Copy(out, r.more)
	return out
}

// TestEveryRouteHasACase fails when a route is mounted that the isolation and
// bad-input suites do not test, or tenant routes differ by address.
func TestEveryRouteHasACase(t *testing.T) {
	t.Parallel()
	tried := map[string]bool{}
	for _, r := range tenantRoutes {
		tried[r.method+" "+strings.NewReplacer("{id}", ":id", "{session_id}", ":session_id", "{passkey_id}", ":passkey_id", "{factor_id}", ":factor_id", "{logout_id}", ":logout_id", "{key_id}", ":key_id", "{link_id}", ":link_id", "{choice_id}", ":choice_id", "{domain}", ":domain", "{identifier}", ":identifier", "{token_id}", ":token_id", "{entry}", ":entry").Replace(r.path)] = true
	}
	byKey, byPath := []string{}, []string{}
	for _, r := range servertest.Start(t).Server.Routes() {
		route := r.Method + " " + r.Path
		if path, ok := strings.CutPrefix(r.Path, "/auth/v1"); ok {
			byKey = append(byKey, r.Method+" "+path)
			continue
		}
		if path, ok := strings.CutPrefix(r.Path, "/p/:ref/auth/v1"); ok {
			byPath = append(byPath, r.Method+" "+path)
			continue
		}
		// The dashboard's files, and what it asks before anybody signs in
		// (TestFirstRun, TestDashboardConfig).
		known := []string{"GET /", "GET /healthz", "GET /readyz", "GET /assets/*path", "GET /dashboard/config", "POST /dashboard/first-run", "POST /dashboard/invitation", "POST /dashboard/invitation/sign-up"}
		for _, of := range dashboardRoutes {
			known = append(known, of[0]+" /dashboard/session"+of[1])
		}
		management := strings.HasPrefix(r.Path, "/v1/") || strings.HasPrefix(r.Path, "/v2/")
		if !management && !slices.Contains(known, route) {
			t.Errorf("%s belongs to no plane that is tried", route)
		}
	}
	slices.Sort(byKey)
	slices.Sort(byPath)
	if len(byKey) == 0 || !slices.Equal(byKey, byPath) {
		t.Errorf("routes by key %v\nroutes by path %v", byKey, byPath)
	}
	for _, route := range byKey {
		if !tried[route] {
			t.Errorf("%s has no case in tenantRoutes", route)
		}
	}
}
