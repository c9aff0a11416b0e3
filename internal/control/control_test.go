// Package control_test tests the Management API as a whole: every route as
// every kind of caller, and with input that no well-meaning client sends.
package control_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/advisor"
	"github.com/reevehq/reeve/internal/control/apikey"
	"github.com/reevehq/reeve/internal/control/authconfig"
	"github.com/reevehq/reeve/internal/control/billing"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/customprovider"
	"github.com/reevehq/reeve/internal/control/database"
	controlhook "github.com/reevehq/reeve/internal/control/hook"
	"github.com/reevehq/reeve/internal/control/hosted"
	"github.com/reevehq/reeve/internal/control/inbox"
	"github.com/reevehq/reeve/internal/control/logs"
	"github.com/reevehq/reeve/internal/control/org"
	"github.com/reevehq/reeve/internal/control/permission"
	"github.com/reevehq/reeve/internal/control/profile"
	"github.com/reevehq/reeve/internal/control/project"
	"github.com/reevehq/reeve/internal/control/setuplink"
	"github.com/reevehq/reeve/internal/control/signingkey"
	"github.com/reevehq/reeve/internal/control/sso"
	"github.com/reevehq/reeve/internal/control/thirdparty"
	"github.com/reevehq/reeve/internal/control/usage"
	"github.com/reevehq/reeve/internal/control/user"
	"github.com/reevehq/reeve/internal/hook"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/outbound"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// world is a world with every resource.
func world(t *testing.T) *controltest.World {
	t.Helper()
	tenant := flowtest.New(t, func(c *tenants.Config) { c.SAMLEnabled = true }).A
	return controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		open := func(context.Context, tenants.Ref, authz.Actor) (*tenants.Scope, error) { return tenant.Scope(), nil }
		return append(everything(w),
			&user.Handler{Service: &user.Service{DB: w.DB, Authz: w.Authz, Now: controltest.Now, Accounts: accounts{}, Open: open}},
			&customprovider.Handler{Service: &customprovider.Service{Authz: w.Authz, Open: open, Providers: providers{}}},
			&sso.Handler{Service: &sso.Service{
				Authz: w.Authz, Open: open, Connections: connections{}, Domains: domains{}, Directory: directory{}, Page: func(tenants.Ref, uuid.UUID) string { return "" }, Now: controltest.Now,
			}},
			&setuplink.Handler{Service: &setuplink.Service{Authz: w.Authz, Open: open, Links: links{}}})
	})
}

// accounts writes the rows of users and nothing else; the rules are the tenant
// plane's, see the tests of internal/server.
type accounts struct{ user.Accounts }

func (accounts) Create(ctx context.Context, sc *tenants.Scope, a user.Attributes) (*auth.User, error) {
	u := auth.NewUser(controltest.Now())
	u.Email = a.Email
	return u, sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error { return tx.CreateUser(ctx, u) })
}

func (a accounts) Invite(ctx context.Context, sc *tenants.Scope, email, _ string, _ map[string]any) (*auth.User, error) {
	return a.Create(ctx, sc, user.Attributes{Email: email})
}

func (accounts) Update(context.Context, *tenants.Scope, uuid.UUID, user.Attributes, *time.Time) (*auth.User, error) {
	return nil, auth.ErrUserNotFound
}

func (accounts) EndSessions(context.Context, *tenants.Scope, uuid.UUID) error {
	return auth.ErrUserNotFound
}

// providers has none, and stores none; the rules are the tenant plane's, see
// TestCustomProviders of internal/server.
type providers struct{ customprovider.Providers }

func (providers) List(context.Context, *tenants.Scope) ([]auth.CustomProvider, error) {
	return nil, nil
}

func (providers) Create(_ context.Context, _ *tenants.Scope, b customprovider.CreateBody) (*auth.CustomProvider, error) {
	return &auth.CustomProvider{Type: b.Type, Identifier: b.Identifier}, nil
}

// connections has none, and stores none; the rules are the tenant plane's, see
// TestSSOConnections of internal/server.
type connections struct{ sso.Connections }

func (connections) List(context.Context, *tenants.Scope) ([]auth.SSOProvider, error) { return nil, nil }

func (connections) Provider(context.Context, *tenants.Scope, uuid.UUID) (*auth.SSOProvider, error) {
	return nil, auth.ErrSSOProviderNotFound
}

func (connections) Create(context.Context, *tenants.Scope, auth.SSOKind, uuid.UUID, sso.Change) (*auth.SSOProvider, error) {
	return &auth.SSOProvider{Kind: auth.SSOKindSAML, SAML: &auth.SAMLProvider{}}, nil
}

func (connections) Update(context.Context, *tenants.Scope, uuid.UUID, sso.Change) (*auth.SSOProvider, error) {
	return nil, auth.ErrSSOProviderNotFound
}

func (connections) Delete(context.Context, *tenants.Scope, uuid.UUID) (*auth.SSOProvider, error) {
	return nil, auth.ErrSSOProviderNotFound
}

func (connections) Attempts(context.Context, *tenants.Scope, uuid.UUID, time.Time, int) ([]auth.SSOAttempt, error) {
	return nil, auth.ErrSSOProviderNotFound
}

func (connections) DryRun(context.Context, *tenants.Scope, uuid.UUID, string) (string, error) {
	return "", auth.ErrSSOProviderNotFound
}

func (connections) Keys(context.Context, *tenants.Scope) ([]sso.Key, error) { return nil, nil }

func (connections) AddKey(context.Context, *tenants.Scope) ([]sso.Key, error) { return nil, nil }

func (connections) RemoveKey(context.Context, *tenants.Scope, uuid.UUID) ([]sso.Key, error) {
	return nil, auth.ErrSAMLKeyNotFound
}

// links has none, and stores none; the rules are the tenant plane's, see TestSetupLink of
// internal/server.
type links struct{ setuplink.Links }

func (links) List(context.Context, *tenants.Scope) ([]auth.SetupLink, error) { return nil, nil }

func (links) Create(_ context.Context, _ *tenants.Scope, r *auth.SetupLinkRequest) (*auth.NewSetupLink, error) {
	return &auth.NewSetupLink{SetupLink: auth.SetupLink{Name: r.Name, Intents: r.Intents}}, nil
}

func (links) Revoke(context.Context, *tenants.Scope, uuid.UUID) (*auth.SetupLink, error) {
	return nil, auth.ErrSetupLinkNotFound
}

// domains and directory know no connection.
type domains struct{ sso.Domains }

func (domains) Claims(context.Context, *tenants.Scope, uuid.UUID) ([]auth.SSOClaim, error) {
	return nil, auth.ErrSSOProviderNotFound
}

func (domains) Claim(context.Context, *tenants.Scope, uuid.UUID, string) (*auth.SSOClaim, error) {
	return nil, auth.ErrSSOProviderNotFound
}

func (domains) CheckClaim(context.Context, *tenants.Scope, uuid.UUID, string) (*auth.SSOClaim, error) {
	return nil, auth.ErrClaimNotFound
}

func (domains) MailClaim(context.Context, *tenants.Scope, uuid.UUID, string, string) error {
	return auth.ErrClaimNotFound
}

func (domains) DropClaim(context.Context, *tenants.Scope, uuid.UUID, string) error {
	return auth.ErrClaimNotFound
}

func (domains) Consent(context.Context, *tenants.Scope, uuid.UUID, uuid.UUID, string) (*auth.SSOClaim, error) {
	return nil, auth.ErrClaimConsent
}

type directory struct{ sso.Directory }

func (directory) Tokens(context.Context, *tenants.Scope, uuid.UUID) ([]auth.SCIMToken, error) {
	return nil, auth.ErrSSOProviderNotFound
}

func (directory) NewToken(context.Context, *tenants.Scope, uuid.UUID, *time.Time) (auth.SCIMToken, string, error) {
	return auth.SCIMToken{}, "", auth.ErrSSOProviderNotFound
}

func (directory) RevokeToken(context.Context, *tenants.Scope, uuid.UUID, uuid.UUID) error {
	return auth.ErrSCIMTokenNotFound
}

func (directory) Log(context.Context, *tenants.Scope, uuid.UUID, int64, bool, int) ([]auth.SCIMLogEntry, error) {
	return nil, auth.ErrSSOProviderNotFound
}

func (directory) Replay(context.Context, *tenants.Scope, uuid.UUID, int64) (int, any, error) {
	return 0, nil, auth.ErrSCIMLogNotFound
}

func everything(w *controltest.World) []controltest.Mounter {
	rows := &controltest.Rows{World: w}
	return []controltest.Mounter{
		&org.Handler{Service: &org.Service{DB: w.DB, Authz: w.Authz, Now: controltest.Now}},
		&permission.Handler{Authz: w.Authz},
		&project.Handler{Service: &project.Service{
			DB: w.DB, Authz: w.Authz, Provision: rows, Servers: rows, URL: controltest.URL, Now: controltest.Now, Log: w.Log,
		}},
		&apikey.Handler{Service: &apikey.Service{DB: w.DB, Authz: w.Authz, Now: controltest.Now, Log: w.Log}},
		&signingkey.Handler{Service: &signingkey.Service{DB: w.DB, Authz: w.Authz}},
		&thirdparty.Handler{Service: &thirdparty.Service{DB: w.DB, Authz: w.Authz, Ours: func(string) bool { return false }, Now: time.Now}},
		&authconfig.Handler{Service: &authconfig.Service{DB: w.DB, Authz: w.Authz, CheckTemplate: message.NewChecker(1).Check, Trials: w.Trials(), Now: controltest.Now}},
		&controlhook.Handler{Service: &controlhook.Service{
			DB: w.DB, Authz: w.Authz, Hooks: hook.New(hook.Options{Client: outbound.New(outbound.Options{}).HTTP(hook.Timeout), Now: controltest.Now}), Now: controltest.Now,
			Changed: func(tenants.Change) {},
			Tenant: func(_ context.Context, ref tenants.Ref) (*tenants.Tenant, error) {
				return &tenants.Tenant{Ref: ref, Config: tenants.DefaultConfig()}, nil
			},
			Open: func(_ context.Context, ref tenants.Ref, _ authz.Actor) (*tenants.Scope, error) {
				return &tenants.Scope{Tenant: &tenants.Tenant{Ref: ref, Config: tenants.DefaultConfig()}}, nil
			},
		}},
		&inbox.Handler{Service: &inbox.Service{DB: w.DB, Authz: w.Authz}},
		&usage.Handler{Service: &usage.Service{DB: w.DB, Authz: w.Authz, Now: controltest.Now}},
		&logs.Handler{Service: &logs.Service{DB: w.DB, Authz: w.Authz}},
		&billing.Handler{Service: &billing.Service{
			DB: w.DB, Authz: w.Authz, Now: time.Now,
			Ledgers: &billing.Ledgers{DB: w.DB, Tenant: func(context.Context, tenants.Ref) (*tenants.Tenant, error) {
				return &tenants.Tenant{Status: tenants.StatusPaused}, nil
			}},
		}},
		&hosted.Handler{Authz: w.Authz},
		&advisor.Handler{DB: w.DB, Authz: w.Authz, Inspect: rows.Inspect},
		&database.Handler{Service: &database.Service{Authz: w.Authz, Now: controltest.Now, Session: rows.Session, Catalogs: rows.Inspect}},
		&profile.Handler{User: func(context.Context, uuid.UUID) (auth.User, error) {
			return auth.User{Email: "jane@example.com"}, nil
		}},
	}
}

// route is a route, and the least role that may use it.
type route struct {
	method, path, body string
	least              int // index into roles
	open               bool
}

const (
	readOnly = iota
	developer
	administrator
	owner
)

// id is an object that does not exist: 404 for members who may look.
const id = "22222222-2222-4222-8222-222222222222"

var routes = []route{
	{method: "GET", path: "/v1/organizations", open: true},
	{method: "POST", path: "/v1/organizations", body: `{"name":"New"}`, open: true},
	{method: "GET", path: "/v1/organizations/{slug}"},
	{method: "PATCH", path: "/v1/organizations/{slug}", body: `{"name":"Other"}`, least: administrator},
	{method: "DELETE", path: "/v1/organizations/{slug}", least: owner},
	{method: "GET", path: "/v1/organizations/{slug}/permissions"},
	{method: "GET", path: "/v1/projects/{ref}/permissions"},
	{method: "GET", path: "/v1/permissions", open: true},
	{method: "GET", path: "/v1/organizations/{slug}/projects"},
	{method: "GET", path: "/v1/organizations/{slug}/projects/cards"},
	{method: "GET", path: "/v1/projects", open: true},
	{method: "POST", path: "/v1/projects", body: `{"name":"New","organization_slug":"{slug}"}`, least: administrator},
	{method: "GET", path: "/v1/projects/{ref}"},
	{method: "PATCH", path: "/v1/projects/{ref}", body: `{"name":"Other"}`, least: administrator},
	{method: "GET", path: "/v1/projects/{ref}/config/auth/history"},
	{method: "GET", path: "/v1/projects/{ref}/config/auth/history/{version}"},
	{method: "POST", path: "/v1/projects/{ref}/config/auth/history/{version}/rollback", least: developer},
	{method: "POST", path: "/v1/projects/{ref}/branch", body: `{"name":"New"}`, least: administrator},
	{method: "GET", path: "/v1/projects/{ref}/branch"},
	{method: "POST", path: "/v1/projects/{ref}/reset", least: administrator},
	{method: "POST", path: "/v1/projects/{ref}/pause", least: administrator},
	{method: "POST", path: "/v1/projects/{ref}/restore", least: administrator},
	{method: "DELETE", path: "/v1/projects/{ref}", least: administrator},
	{method: "PATCH", path: "/v1/projects/{ref}/database/password", body: `{"password":"correct horse"}`, least: administrator},
	{method: "GET", path: "/v1/projects/{ref}/health?services=auth"},
	{method: "GET", path: "/v1/projects/{ref}/api-keys"},
	{method: "POST", path: "/v1/projects/{ref}/api-keys", body: `{"type":"secret","name":"new_key"}`, least: developer},
	{method: "GET", path: "/v1/projects/{ref}/api-keys/usage"},
	{method: "GET", path: "/v1/projects/{ref}/api-keys/{id}/usage"},
	{method: "GET", path: "/v1/projects/{ref}/api-keys/{id}"},
	{method: "PATCH", path: "/v1/projects/{ref}/api-keys/{id}", body: `{"name":"other"}`, least: developer},
	{method: "POST", path: "/v1/projects/{ref}/api-keys/{id}/rotate", body: `{}`, least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/api-keys/{id}", least: developer},
	{method: "GET", path: "/v1/projects/{ref}/api-keys/legacy"},
	{method: "PUT", path: "/v1/projects/{ref}/api-keys/legacy?enabled=true", least: developer},
	{method: "GET", path: "/v1/projects/{ref}/config/auth"},
	{method: "PATCH", path: "/v1/projects/{ref}/config/auth", body: `{"jwt_exp":60}`, least: developer},
	{method: "GET", path: "/v1/projects/{ref}/config/auth/templates/{kind}"},
	{method: "POST", path: "/v1/projects/{ref}/config/auth/templates/{kind}/preview", body: `{"subject":"x"}`},
	{method: "POST", path: "/v1/projects/{ref}/config/auth/templates/{kind}/test", body: `{"subject":"x"}`, least: developer},
	{method: "POST", path: "/v1/projects/{ref}/config/auth/providers/{name}/test", body: `{}`, least: developer},
	{method: "POST", path: "/v1/projects/{ref}/config/auth/smtp/test", body: `{"config":{"smtp_host":"127.0.0.1","smtp_port":"1","smtp_admin_email":"a@example.com"}}`, least: developer},
	{method: "GET", path: "/v1/projects/{ref}/config/auth/settings"},
	{method: "POST", path: "/v1/projects/{ref}/config/auth/test-redirect", body: `{"redirect_to":"https://x.example.com"}`},
	{method: "GET", path: "/v1/projects/{ref}/config/auth/signing-keys"},
	{method: "POST", path: "/v1/projects/{ref}/config/auth/signing-keys", body: `{"algorithm":"ES256"}`, least: administrator},
	{method: "GET", path: "/v1/projects/{ref}/config/auth/signing-keys/legacy"},
	{method: "POST", path: "/v1/projects/{ref}/config/auth/signing-keys/legacy", least: administrator},
	{method: "GET", path: "/v1/projects/{ref}/config/auth/third-party-auth"},
	{method: "POST", path: "/v1/projects/{ref}/config/auth/third-party-auth", body: `{"custom_jwks":{"keys":[{"kty":"EC","x":"n3q7VGSjLDUqbYWrQ2SwoOsLmgcVXlRmaAAzWIJMHDk","y":"0u0-cwue_FLQO9fvSLijFUFSTnV7x5QEq8_GmY24Z9o","crv":"P-256"}]}}`, least: developer},
	{method: "GET", path: "/v1/projects/{ref}/config/auth/third-party-auth/{id}"},
	{method: "DELETE", path: "/v1/projects/{ref}/config/auth/third-party-auth/{id}", least: developer},
	{method: "GET", path: "/v1/projects/{ref}/config/auth/signing-keys/rotation"},
	{method: "PATCH", path: "/v1/projects/{ref}/config/auth/signing-keys/rotation", body: `{"days":90}`, least: administrator},
	{method: "POST", path: "/v1/projects/{ref}/config/auth/signing-keys/rotation/advance", body: `{"step":"publish"}`, least: administrator},
	{method: "GET", path: "/v1/projects/{ref}/config/auth/signing-keys/{id}"},
	{method: "PATCH", path: "/v1/projects/{ref}/config/auth/signing-keys/{id}", body: `{"status":"revoked"}`, least: administrator},
	{method: "DELETE", path: "/v1/projects/{ref}/config/auth/signing-keys/{id}", least: administrator},
	{method: "GET", path: "/v2/projects/{ref}/config"},
	{method: "GET", path: "/v1/projects/{ref}/billing/addons"},
	{method: "GET", path: "/v1/projects/{ref}/billing/users", least: administrator},
	{method: "GET", path: "/v1/projects/{ref}/billing/recount", least: administrator},
	{method: "GET", path: "/v1/organizations/{slug}/billing/usage", least: administrator},
	{method: "GET", path: "/v1/organizations/{slug}/billing/plans"},
	{method: "GET", path: "/v1/organizations/{slug}/entitlements"},
	{method: "GET", path: "/v1/projects/{ref}/postgrest"},
	{method: "GET", path: "/v1/projects/{ref}/config/storage"},
	{method: "GET", path: "/v1/projects/{ref}/ssl-enforcement"},
	{method: "GET", path: "/v1/projects/{ref}/network-restrictions"},
	{method: "GET", path: "/v1/projects/{ref}/config/database/postgres"},
	{method: "GET", path: "/v1/projects/{ref}/functions"},
	{method: "GET", path: "/v1/projects/{ref}/secrets"},
	{method: "GET", path: "/v1/projects/{ref}/storage/buckets"},
	{method: "GET", path: "/v1/projects/{ref}/analytics/endpoints/logs"},
	{method: "GET", path: "/v1/projects/{ref}/analytics/endpoints/logs.all"},
	{method: "GET", path: "/v1/projects/{ref}/branches"},
	{method: "POST", path: "/v1/projects/{ref}/branches", body: `{"branch_name":"New"}`, least: administrator},
	{method: "DELETE", path: "/v1/projects/{ref}/branches", least: administrator},
	{method: "GET", path: "/v1/projects/{ref}/branches/{name}"},
	{method: "GET", path: "/v1/projects/{ref}/config/database/pooler"},
	{method: "GET", path: "/v1/branches/{ref}"},
	{method: "PATCH", path: "/v1/branches/{ref}", body: `{"branch_name":"New"}`, least: administrator},
	{method: "DELETE", path: "/v1/branches/{ref}", least: administrator},
	{method: "POST", path: "/v1/branches/{ref}/reset", least: administrator},
	{method: "GET", path: "/v1/projects/{ref}/advisors/security"},
	{method: "GET", path: "/v1/projects/{ref}/advisors/performance"},
	{method: "POST", path: "/v1/projects/{ref}/database/query", body: `{"query":"SELECT 1"}`, least: developer},
	{method: "GET", path: "/v1/projects/{ref}/database/tables"},
	{method: "POST", path: "/v1/projects/{ref}/database/query/detailed", body: `{"query":"SELECT 1"}`, least: developer},
	{method: "POST", path: "/v1/projects/{ref}/database/query/read-only", body: `{"query":"SELECT 1"}`},
	{method: "GET", path: "/v1/projects/{ref}/types/typescript"},
	{method: "GET", path: "/v1/projects/{ref}/database/migrations"},
	{method: "POST", path: "/v1/projects/{ref}/database/migrations", body: `{"query":"SELECT 1","rollback":"SELECT 1"}`, least: developer},
	{method: "PUT", path: "/v1/projects/{ref}/database/migrations", body: `{"query":"SELECT 1","rollback":"SELECT 1"}`, least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/database/migrations?gte=1", least: developer},
	{method: "GET", path: "/v1/projects/{ref}/database/migrations/{version}"},
	{method: "PATCH", path: "/v1/projects/{ref}/database/migrations/{version}", body: `{"name":"other"}`, least: developer},
	{method: "GET", path: "/v1/profile", open: true},
	{method: "GET", path: "/v1/projects/{ref}/inbox", least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/inbox", least: developer},
	{method: "GET", path: "/v1/projects/{ref}/auth/hooks"},
	{method: "GET", path: "/v1/projects/{ref}/auth/hooks/{point}/calls"},
	{method: "POST", path: "/v1/projects/{ref}/auth/hooks/{point}/test", least: developer},
	{method: "GET", path: "/v1/projects/{ref}/logs"},
	{method: "GET", path: "/v1/projects/{ref}/logs/tail?seconds=1"},
	{method: "GET", path: "/v1/projects/{ref}/config/auth/rate-limits"},
	{method: "GET", path: "/v1/projects/{ref}/events"},
	{method: "GET", path: "/v1/projects/{ref}/usage"},
	{method: "GET", path: "/v1/projects/{ref}/analytics/endpoints/usage.api-counts"},
	{method: "GET", path: "/v1/projects/{ref}/analytics/endpoints/usage.api-requests-count"},
	{method: "GET", path: "/v1/organizations/{slug}/usage"},
	{method: "GET", path: "/v1/projects/{ref}/auth/custom-providers"},
	{method: "POST", path: "/v1/projects/{ref}/auth/custom-providers", body: `{"provider_type":"oidc","identifier":"custom:acme"}`, least: developer},
	{method: "GET", path: "/v1/projects/{ref}/auth/custom-providers/{id}"},
	{method: "PATCH", path: "/v1/projects/{ref}/auth/custom-providers/{id}", body: `{"name":"Other"}`, least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/auth/custom-providers/{id}", least: developer},
	{method: "GET", path: "/v1/projects/{ref}/config/auth/sso/providers"},
	{method: "POST", path: "/v1/projects/{ref}/config/auth/sso/providers", body: `{"type":"saml","metadata_url":"https://idp.example.com"}`, least: developer},
	{method: "GET", path: "/v1/projects/{ref}/config/auth/sso/providers/{id}"},
	{method: "PUT", path: "/v1/projects/{ref}/config/auth/sso/providers/{id}", body: `{"domains":["acme.example"]}`, least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/config/auth/sso/providers/{id}", least: developer},
	{method: "GET", path: "/v1/projects/{ref}/sso"},
	{method: "GET", path: "/v1/projects/{ref}/sso/connections"},
	{method: "POST", path: "/v1/projects/{ref}/sso/connections", body: `{"metadata_url":"https://idp.example.com"}`, least: developer},
	{method: "GET", path: "/v1/projects/{ref}/sso/connections/{id}"},
	{method: "PATCH", path: "/v1/projects/{ref}/sso/connections/{id}", body: `{"enabled":false}`, least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/sso/connections/{id}", least: developer},
	{method: "POST", path: "/v1/projects/{ref}/sso/connections/{id}/refresh", least: developer},
	{method: "POST", path: "/v1/projects/{ref}/sso/connections/{id}/test", least: developer},
	{method: "GET", path: "/v1/projects/{ref}/sso/connections/{id}/attempts"},
	{method: "GET", path: "/v1/projects/{ref}/sso/connections/{id}/attempts/{attempt_id}"},
	{method: "GET", path: "/v1/projects/{ref}/sso/connections/{id}/domains"},
	{method: "POST", path: "/v1/projects/{ref}/sso/connections/{id}/domains", body: `{"domain":"acme.example"}`, least: developer},
	{method: "POST", path: "/v1/projects/{ref}/sso/connections/{id}/domains/{domain}/check", least: developer},
	{method: "POST", path: "/v1/projects/{ref}/sso/connections/{id}/domains/{domain}/mail", body: `{"mailbox":"admin"}`, least: developer},
	{method: "POST", path: "/v1/projects/{ref}/sso/connections/{id}/domains/{domain}/consent", body: `{"connection_id":"{id}"}`, least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/sso/connections/{id}/domains/{domain}", least: developer},
	{method: "GET", path: "/v1/projects/{ref}/sso/connections/{id}/scim/tokens"},
	{method: "POST", path: "/v1/projects/{ref}/sso/connections/{id}/scim/tokens", body: `{}`, least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/sso/connections/{id}/scim/tokens/{token_id}", least: developer},
	{method: "GET", path: "/v1/projects/{ref}/sso/connections/{id}/scim/log"},
	{method: "POST", path: "/v1/projects/{ref}/sso/connections/{id}/scim/log/{entry}/replay", least: developer},
	{method: "GET", path: "/v1/projects/{ref}/sso/keys"},
	{method: "POST", path: "/v1/projects/{ref}/sso/keys", least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/sso/keys/{id}", least: developer},
	{method: "GET", path: "/v1/projects/{ref}/sso/setup-links"},
	{method: "POST", path: "/v1/projects/{ref}/sso/setup-links", body: `{"name":"Acme","intents":["sso"]}`, least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/sso/setup-links/{id}", least: developer},
	{method: "GET", path: "/v1/projects/{ref}/auth/users"},
	{method: "POST", path: "/v1/projects/{ref}/auth/users", body: `{"email":"ann@example.com"}`, least: developer},
	{method: "POST", path: "/v1/projects/{ref}/auth/users/invite", body: `{"email":"bob@example.com"}`, least: developer},
	{method: "POST", path: "/v1/projects/{ref}/auth/users/bulk", body: `{"action":"sign_out","ids":["{id}"]}`, least: developer},
	{method: "GET", path: "/v1/projects/{ref}/auth/users/export"},
	{method: "GET", path: "/v1/projects/{ref}/auth/users/{id}"},
	{method: "GET", path: "/v1/projects/{ref}/auth/users/{id}/timeline"},
	{method: "PATCH", path: "/v1/projects/{ref}/auth/users/{id}", body: `{"role":"authenticated"}`, least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/auth/users/{id}", least: developer},
	{method: "POST", path: "/v1/projects/{ref}/auth/users/{id}/ban", body: `{"duration":"24h"}`, least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/auth/users/{id}/ban", least: developer},
	{method: "POST", path: "/v1/projects/{ref}/auth/users/{id}/mail", body: `{"type":"recovery"}`, least: developer},
	{method: "POST", path: "/v1/projects/{ref}/auth/users/{id}/link", body: `{"type":"recovery"}`, least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/auth/users/{id}/sessions", least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/auth/users/{id}/sessions/{session_id}", least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/auth/users/{id}/identities/{identity_id}", least: developer},
	{method: "PATCH", path: "/v1/projects/{ref}/auth/users/{id}/factors/{factor_id}", body: `{"friendly_name":"phone"}`, least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/auth/users/{id}/factors/{factor_id}", least: developer},
	{method: "DELETE", path: "/v1/projects/{ref}/auth/users/{id}/passkeys/{passkey_id}", least: developer},
}

func (r route) fill(slug, ref string) route {
	replace := strings.NewReplacer("{version}", "1", "{point}", "custom_access_token", "{kind}", "invite", "/providers/{name}", "/providers/google", "{slug}", slug, "{ref}", ref, "{id}", id)
	r.path, r.body = replace.Replace(r.path), replace.Replace(r.body)
	return r
}

// send returns the answer and fails the test on anything that no request may
// cause.
func send(t *testing.T, w *controltest.World, token string, r route) controltest.Response {
	t.Helper()
	got := w.Do(t, token, r.method, r.path, r.body)
	if got.Status >= 500 {
		t.Errorf("%s %s answers %d: %s", r.method, r.path, got.Status, got.Body)
	}
	return got
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Exec(t, "UPDATE organizations SET max_projects = 10000")
	for _, route := range routes {
		created := w.Project(t, w.Acme, "Shop")
		ref := string(created.Project.Ref)
		r := route.fill("acme", ref)
		t.Run(r.method+" "+route.path, func(t *testing.T) {
			t.Run("nobody", func(t *testing.T) {
				send(t, w, "", r).Refused(t, 401, "unauthorized", "")
				send(t, w, "sbp_"+strings.Repeat("0", 40), r).Refused(t, 401, "unauthorized", "")
				send(t, w, created.SecretKey, r).Refused(t, 401, "unauthorized", "")
			})
			if !route.open {
				t.Run("another organization's owner", func(t *testing.T) {
					foreign := send(t, w, w.Stranger, r)
					foreign.Want(t, 404)
					// The answer must be that of an object that does not exist.
					missing := send(t, w, w.Stranger, route.fill("nowhere", strings.Repeat("a", 20)))
					if string(foreign.Body) != string(missing.Body) {
						t.Errorf("a foreign object answers %s, a missing one %s", foreign.Body, missing.Body)
					}
				})
			}
			for role, token := range []string{w.ReadOnly, w.Developer, w.Administrator} {
				if role < route.least {
					send(t, w, token, r).Refused(t, 403, "forbidden", "")
				}
			}
			got := send(t, w, []string{w.ReadOnly, w.Developer, w.Administrator, w.Owner}[route.least], r)
			if strings.Contains(route.path, "{id}") || strings.Contains(route.path, "/branches/{name}") || strings.Contains(route.path, "/migrations/{version}") || route.method+route.path == "GET/v1/projects/{ref}/config/auth/signing-keys/legacy" {
				got.Want(t, 404)
			} else if strings.HasSuffix(route.path, "/reset") || strings.HasPrefix(route.path, "/v1/branches/") {
				got.Refused(t, 400, "project_not_branch", "")
			} else if route.method+route.path == "DELETE/v1/organizations/{slug}" {
				got.Refused(t, 409, "organization_not_empty", "")
			} else if route.method+route.path == "DELETE/v1/projects/{ref}/branches" {
				got.Refused(t, 400, "branching_always_enabled", "")
			} else if strings.HasSuffix(route.path, "/billing/users") || strings.HasSuffix(route.path, "/billing/recount") {
				got.Refused(t, 409, "project_paused", "") // there is no database here
			} else if strings.Contains(route.path, "/endpoints/logs") {
				got.Refused(t, 400, "logs_sql_not_supported", "")
			} else if got.Status >= 300 {
				t.Errorf("the least role that may gets %d: %s", got.Status, got.Body)
			}
		})
	}
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	w := world(t)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct{ Schema map[string]any }
			}
			Responses map[string]any
		}
	}
	w.Do(t, "", "GET", "/v1/openapi.json", "").Want(t, 200).Into(t, &doc)
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("openapi = %q", doc.OpenAPI)
	}
	described, tested := 0, map[string]bool{}
	for _, r := range routes {
		path, _, _ := strings.Cut(r.path, "?")
		tested[r.method+" "+path] = true
		op, ok := doc.Paths[path][strings.ToLower(r.method)]
		if !ok {
			t.Errorf("%s %s is not described", r.method, path)
		}
		if _, ok := op.Responses["422"]; ok {
			t.Errorf("%s %s is described with a 422", r.method, path)
		}
	}
	for path, item := range doc.Paths {
		if strings.HasPrefix(path, setuplink.OpenPath) {
			continue // needs no actor
		}
		for method := range item {
			described++
			if !tested[strings.ToUpper(method)+" "+path] {
				t.Errorf("%s %s is not in the table of routes", method, path)
			}
		}
	}
	if described != len(routes) {
		t.Errorf("%d operations are described, %d are tested", described, len(routes))
	}
}

func TestHostileInput(t *testing.T) {
	t.Parallel()
	w := world(t)
	created := w.Project(t, w.Acme, "Shop")
	ref := string(created.Project.Ref)
	bodies := []string{
		`null`, `[]`, `1`, `"x"`, `{"":1}`, `{"name":null}`, `{"name":1}`, `{"name":["x"]}`, `{"name":{}}`,
		`{"name":"","organization_slug":"acme"}`, `{"name":"\ud800","organization_slug":"acme"}`,
		`{"type":"secret","name":"good_name","description":5}`, `{"type":"secret","name":"good_name","secret_jwt_template":[]}`,
		`{"algorithm":"ES256","private_jwk":{}}`, `{"algorithm":"ES256","private_jwk":{"kty":"EC"}}`,
		`{"algorithm":"HS256","private_jwk":{"kty":"oct","k":"!!"}}`, `{"status":"in_use"}`, `{"status":5}`,
		`{"jwt_exp":1e300}`, `{"jwt_exp":-1}`, `{"jwt_exp":1.5}`, `{"jwt_exp":{}}`, `{"site_url":"%zz"}`,
		`{"name":"` + strings.Repeat("x", 100_000) + `","organization_slug":"acme"}`,
		strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000),
	}
	for _, route := range routes {
		for _, body := range bodies {
			if strings.Contains(route.path, "/logs/tail") {
				break // it takes its time
			}
			r := route.fill("acme", ref)
			r.body = body
			if route.method == "DELETE" && strings.HasSuffix(route.path, "{ref}") {
				continue
			}
			send(t, w, w.Owner, r)
		}
		for _, odd := range []string{"%00", "%ff", "..%2f", strings.Repeat("a", 5000), "'", "%F0%9F%92%A9"} {
			if !strings.Contains(route.path, "{") {
				continue
			}
			for _, r := range []struct{ slug, ref, id string }{{odd, odd, id}, {"acme", ref, odd}} {
				path := strings.NewReplacer("{version}", "1", "{point}", "custom_access_token", "{kind}", "invite", "/providers/{name}", "/providers/google", "{slug}", r.slug, "{ref}", r.ref, "{id}", r.id).Replace(route.path)
				if path == strings.NewReplacer("{version}", "1", "{point}", "custom_access_token", "{kind}", "invite", "/providers/{name}", "/providers/google", "{slug}", "acme", "{ref}", ref).Replace(route.path) {
					continue
				}
				got := w.Do(t, w.Owner, route.method, path, strings.ReplaceAll(route.body, "{slug}", "acme"))
				if got.Status >= 500 || got.Status < 400 {
					t.Errorf("%s %s answers %d: %s", route.method, path, got.Status, got.Body)
				}
			}
		}
	}
}

func TestWire(t *testing.T) {
	t.Parallel()
	w := world(t)
	cases := map[string]struct {
		method, path, body string
		headers            []string
		status             int
		code, message      string
	}{
		"unknown path":     {method: "GET", path: "/v1/nothing", status: 404, code: "not_found"},
		"trailing slash":   {method: "GET", path: "/v1/projects/", status: 404, code: "not_found"},
		"wrong method":     {method: "PUT", path: "/v1/projects", status: 405, code: "method_not_allowed"},
		"no body":          {method: "POST", path: "/v1/organizations", status: 400, code: "validation_failed"},
		"broken JSON":      {method: "POST", path: "/v1/organizations", body: `{"name":`, status: 400, code: "bad_json"},
		"two values":       {method: "POST", path: "/v1/organizations", body: `{"name":"x"}{}`, status: 400, code: "bad_json"},
		"no object":        {method: "POST", path: "/v1/organizations", body: `[]`, status: 400, code: "validation_failed", message: "body: "},
		"unknown field":    {method: "POST", path: "/v1/organizations", body: `{"name":"x","foo":1}`, status: 400, code: "validation_failed", message: "foo: unknown field"},
		"missing field":    {method: "POST", path: "/v1/organizations", body: `{}`, status: 400, code: "validation_failed", message: "name: is required"},
		"wrong type":       {method: "POST", path: "/v1/organizations", body: `{"name":5}`, status: 400, code: "validation_failed", message: "name: "},
		"too long":         {method: "POST", path: "/v1/organizations", body: `{"name":"` + strings.Repeat("x", 257) + `"}`, status: 400, code: "validation_failed", message: "name: "},
		"only spaces":      {method: "POST", path: "/v1/organizations", body: `{"name":"   "}`, status: 400, code: "validation_failed", message: "name: "},
		"control char":     {method: "POST", path: "/v1/organizations", body: `{"name":"a\nb"}`, status: 400, code: "validation_failed", message: "name: "},
		"NUL":              {method: "POST", path: "/v1/organizations", body: `{"name":"a\u0000b"}`, status: 400, code: "validation_failed", message: "name: must not hold NUL"},
		"NUL in a name":    {method: "POST", path: "/v1/organizations", body: `{"a\u0000b":1}`, status: 400, code: "validation_failed"},
		"NUL in the query": {method: "GET", path: "/v1/organizations?x=%00", status: 400, code: "validation_failed"},
		"bad query":        {method: "GET", path: "/v1/organizations/acme/projects?limit=x", status: 400, code: "validation_failed", message: "limit: "},
		"too large":        {method: "POST", path: "/v1/organizations", body: `{"name":"` + strings.Repeat("x", 1<<20) + `"}`, status: 413, code: "body_too_large"},
		"form": {
			method: "POST", path: "/v1/organizations", body: "name=x",
			headers: []string{"Content-Type", "application/x-www-form-urlencoded"}, status: 415, code: "unsupported_media_type",
		},
		"no media type": {
			method: "POST", path: "/v1/organizations", body: `{"name":"x"}`,
			headers: []string{"Content-Type", ""}, status: 415, code: "unsupported_media_type",
		},
		"text": {
			method: "POST", path: "/v1/organizations", body: `{"name":"x"}`,
			headers: []string{"Content-Type", "text/plain"}, status: 415, code: "unsupported_media_type",
		},
		"odd media type": {
			method: "POST", path: "/v1/organizations", body: "{}",
			headers: []string{"Content-Type", ";;"}, status: 415, code: "unsupported_media_type",
		},
		"empty idempotency key": {
			method: "POST", path: "/v1/organizations", body: `{"name":"x"}`,
			headers: []string{"Idempotency-Key", ""}, status: 400, code: "validation_failed", message: "Idempotency-Key",
		},
		"long idempotency key": {
			method: "POST", path: "/v1/organizations", body: `{"name":"x"}`,
			headers: []string{"Idempotency-Key", strings.Repeat("k", 256)}, status: 400, code: "validation_failed", message: "Idempotency-Key",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := w.Do(t, w.Owner, c.method, c.path, c.body, c.headers...)
			got.Refused(t, c.status, c.code, c.message)
			if got.Header.Get("X-Request-Id") == "" {
				t.Error("the answer has no X-Request-Id")
			}
		})
	}
}

func TestAccessTokens(t *testing.T) {
	t.Parallel()
	w := world(t)
	hex := strings.TrimPrefix(w.Owner, "sbp_")
	cases := map[string]struct {
		authorization string
		status        int
	}{
		"live":              {"Bearer " + w.Owner, 200},
		"lower-case scheme": {"bearer " + w.Owner, 200},
		"no scheme":         {w.Owner, 401},
		"basic":             {"Basic " + w.Owner, 401},
		"empty":             {"Bearer ", 401},
		"upper-case hex":    {"Bearer sbp_" + strings.ToUpper(hex), 401},
		"one digit short":   {"Bearer " + w.Owner[:43], 401},
		"one digit more":    {"Bearer " + w.Owner + "0", 401},
		"other prefix":      {"Bearer sbq_" + hex, 401},
		"NUL":               {"Bearer " + w.Owner[:43] + "\x00", 401},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.Do(t, "", "GET", "/v1/organizations", "", "Authorization", c.authorization).Want(t, c.status)
		})
	}
	t.Run("expired", func(t *testing.T) {
		t.Parallel()
		past := controltest.Now().AddDate(-10, 0, 0)
		token, err := w.DB.CreateAccessTokenUntil(t.Context(), w.OwnerID, "old", &past)
		if err != nil {
			t.Fatal(err)
		}
		got := w.Do(t, token, "GET", "/v1/organizations", "")
		got.Refused(t, 401, "unauthorized", "")
		if got.Header.Get("WWW-Authenticate") != "Bearer" {
			t.Error("no WWW-Authenticate")
		}
	})
	t.Run("last use is noted once a minute", func(t *testing.T) {
		t.Parallel()
		_, token := w.Member(t, w.Acme, "read_only")
		used := func() (at string) {
			w.Do(t, token, "GET", "/v1/organizations", "").Want(t, http.StatusOK)
			hash := w.DB.Hasher().Hash(token)
			err := w.DB.Pool().QueryRow(t.Context(), "SELECT last_used_at::text FROM access_tokens WHERE hash = $1", hash[:]).Scan(&at)
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		first := used()
		if again := used(); again != first {
			t.Errorf("noted again: %s, then %s", first, again)
		}
		hash := w.DB.Hasher().Hash(token)
		w.Exec(t, "UPDATE access_tokens SET last_used_at = last_used_at - interval '2 minutes' WHERE hash = $1", hash[:])
		if later := used(); later < first {
			t.Errorf("not noted after two minutes: %s", later)
		}
	})
}
