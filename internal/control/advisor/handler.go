// Package advisor answers what a developer probably wants to change: lints of a
// project's database, found in its catalogs, and of its settings. Names and
// levels are those of the hosted service where it has the lint.
package advisor

import (
	"context"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves the routes.
type Handler struct {
	DB    *controldb.DB
	Authz *authz.Authorizer
	// Inspect runs a function in a read-only transaction in a project's database,
	// with pg_catalog as the search path.
	Inspect func(ctx context.Context, ref tenants.Ref, fn func(ctx context.Context, tx pgx.Tx) error) error
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	op := func(id, path, summary string) control.Operation {
		return control.Operation{ID: id, Method: http.MethodGet, Path: "/v1/projects/{ref}/advisors/" + path, Summary: summary, Tag: "Advisors"}
	}
	control.Register(api, op("get-security-advisors", "security", "Lints of a project's security"), h.security)
	control.Register(api, op("get-performance-advisors", "performance", "Lints of a project's performance"), h.performance)
}

type securityInput struct {
	Ref  string `path:"ref"`
	Type string `query:"lint_type" enum:"sql" doc:"sql leaves out the lints of settings."`
}

type performanceInput struct {
	Ref string `path:"ref"`
}

func (h *Handler) security(ctx context.Context, actor control.Actor, in *securityInput) (*Lints, error) {
	p, err := h.Authz.Project(ctx, actor, authz.ReadAuthConfig, in.Ref)
	if err != nil {
		return nil, err
	}
	out, err := h.ofCatalog(ctx, p, security)
	if err != nil || in.Type == "sql" {
		return out, err
	}
	stored, err := h.DB.AuthConfigVersion(ctx, p.Ref, p.ConfigVersion)
	if err != nil {
		return nil, err
	}
	out.Lints = append(out.Lints, ofSettings(stored.Config)...)
	return out, nil
}

func (h *Handler) performance(ctx context.Context, actor control.Actor, in *performanceInput) (*Lints, error) {
	p, err := h.Authz.Project(ctx, actor, authz.ReadAuthConfig, in.Ref)
	if err != nil {
		return nil, err
	}
	out, err := h.ofCatalog(ctx, p, performance)
	if err != nil {
		return nil, err
	}
	logged, err := h.DB.ProjectLog(ctx, p.Ref, controldb.LogQuery{Code: "token_large", Since: time.Now().Add(-largeTokens), Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(logged) > 0 {
		out.Lints = append(out.Lints, largeToken(logged[0].At))
	}
	return out, nil
}

// largeTokens is how long a large access token is a finding.
const largeTokens = 7 * 24 * time.Hour

func largeToken(at time.Time) Lint {
	return Lint{
		Name: "auth_token_large", Title: "Access tokens are almost too large", Level: levelWarning, Facing: "EXTERNAL", Categories: []string{performance},
		Description: "Each request carries the access token. Many servers refuse headers, and browsers cookies, of more than 4 kB.",
		Detail:      "An access token of more than 3800 bytes was issued in the last 7 days, last on " + at.UTC().Format(time.DateOnly) + ": token_large in the log.",
		Remediation: "Leave user_metadata out of tokens (jwt_optional_claims), keep less in the metadata of users, or add fewer claims in the hook.",
		Metadata:    Metadata{Entity: "Auth", Type: "auth"}, CacheKey: "auth_token_large",
	}
}

// ofCatalog returns the lints of a category in the project's database.
func (h *Handler) ofCatalog(ctx context.Context, p controldb.Project, category string) (*Lints, error) {
	if p.Status.Paused() {
		return nil, provision.ErrPaused
	}
	if p.Status != tenants.StatusActive {
		return nil, provision.ErrNotReady
	}
	out := &Lints{Lints: []Lint{}}
	err := h.Inspect(ctx, p.Ref, func(ctx context.Context, tx pgx.Tx) error {
		for _, r := range rules {
			if r.category != category {
				continue
			}
			found, err := r.find(ctx, tx)
			if err != nil {
				return err
			}
			out.Lints = append(out.Lints, found...)
		}
		return nil
	})
	return out, err
}
