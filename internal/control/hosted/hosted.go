// Package hosted answers the routes of the hosted service that clients read on
// their way to something else, for features that Reeve does not have: the answer
// is that of a project in which the feature is off, empty or cannot be changed.
// Nothing is stored, so there are no routes that change any of it.
package hosted

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the routes.
type Handler struct {
	Authz *authz.Authorizer
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	control.Register(api, control.Operation{
		ID: "get-organization-entitlements", Method: http.MethodGet, Path: "/v1/organizations/{slug}/entitlements",
		Summary: "Features that the organization's projects have", Tag: "Organizations",
	}, h.entitlements)
	fixed(api, h, "get-postgrest-config", "/postgrest", "Configuration of PostgREST: it does not run", PostgREST{})
	fixed(api, h, "get-storage-config", "/config/storage", "Configuration of Storage: it does not run", Storage{
		External: StorageExternal{UpstreamTarget: "main"},
	})
	fixed(api, h, "get-ssl-enforcement", "/ssl-enforcement",
		"Whether the project demands TLS of its database's clients: no, that is configured on the Postgres server", SSLEnforcement{Applied: true})
	fixed(api, h, "get-network-restrictions", "/network-restrictions",
		"Networks that may connect to the database: no project restricts them, that is configured on the Postgres server", NetworkRestrictions{
			Entitlement: "disallowed", Status: "applied", Config: Networks{IPv4: []string{"0.0.0.0/0"}, IPv6: []string{"::/0"}},
		})
	fixed(api, h, "get-postgres-config", "/config/database/postgres",
		"Settings of Postgres that the project overrides: none", PostgresConfig{})
	fixed(api, h, "list-functions", "/functions", "List the Edge Functions of a project: there are none", []Function{})
	fixed(api, h, "list-storage-buckets", "/storage/buckets", "List the buckets of a project: Storage does not run", []Bucket{})
	fixed(api, h, "list-secrets", "/secrets", "List the secrets of a project's Edge Functions: there are none", []FunctionSecret{})
	for _, path := range []string{"logs", "logs.all"} {
		control.Register(api, control.Operation{
			ID: "query-" + path, Method: http.MethodGet, Path: "/v1/projects/{ref}/analytics/endpoints/" + path,
			Summary: "Query the logs of a project by SQL: refused, they are at /v1/projects/{ref}/logs", Tag: "Hosted service",
		}, h.logs)
	}
}

// errLogsSQL is the answer to a query of logs in SQL.
var errLogsSQL = fault.New(fault.Invalid, "logs_sql_not_supported",
	"The log of a project is not a table: read GET /v1/projects/{ref}/logs, which filters by time, level, user and request id")

type refInput struct {
	Ref string `path:"ref"`
}

type logsInput struct {
	Ref   string `path:"ref"`
	SQL   string `query:"sql" maxLength:"20000"`
	Start string `query:"iso_timestamp_start" maxLength:"64"`
	End   string `query:"iso_timestamp_end" maxLength:"64"`
}

type slugInput struct {
	Slug string `path:"slug"`
}

// fixed registers a route below a project that has the same answer for all.
func fixed[T any](api control.API, h *Handler, id, path, summary string, answer T) {
	op := control.Operation{ID: id, Method: http.MethodGet, Path: "/v1/projects/{ref}" + path, Summary: summary, Tag: "Hosted service"}
	control.Register(api, op, func(ctx context.Context, actor control.Actor, in *refInput) (*T, error) {
		if _, err := h.Authz.Project(ctx, actor, authz.ReadProject, in.Ref); err != nil {
			return nil, err
		}
		return &answer, nil
	})
}

// logs refuses: whoever asks is told where the log is.
func (h *Handler) logs(ctx context.Context, actor control.Actor, in *logsInput) (*LogRows, error) {
	if _, err := h.Authz.Project(ctx, actor, authz.ReadLogs, in.Ref); err != nil {
		return nil, err
	}
	return nil, errLogsSQL
}

func (h *Handler) entitlements(ctx context.Context, actor control.Actor, in *slugInput) (*Entitlements, error) {
	if _, err := h.Authz.Organization(ctx, actor, authz.ReadOrganization, in.Slug); err != nil {
		return nil, err
	}
	out := &Entitlements{Entitlements: make([]Entitlement, len(features))}
	for i, f := range features {
		out.Entitlements[i] = Entitlement{
			Feature: Feature{Key: f.key, Type: "boolean"}, HasAccess: f.has, Type: "boolean", Config: EntitlementConfig{Enabled: f.has},
		}
	}
	return out, nil
}

// features are those that the hosted service sells and that are either part of
// Reeve or not. It has others that are numbers; they have no counterpart here.
var features = []struct {
	key string
	has bool
}{
	{"auth.advanced_auth_settings", true},
	{"auth.hooks", true},
	{"auth.leaked_password_protection", true},
	{"auth.mfa_phone", true},
	{"auth.mfa_web_authn", true},
	{"auth.password_hibp", true},
	{"auth.platform.sso", false},
	{"auth.saml_2", true},
	{"auth.user_sessions", true},
	{"branching_persistent", true},
	{"custom_domain", false},
	{"log_drains", false},
	{"project_pausing", true},
	{"project_scoped_roles", true},
	{"security.member_roles", true},
	{"vanity_subdomain", false},
}
