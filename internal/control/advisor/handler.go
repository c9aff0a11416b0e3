// Package advisor answers what a developer probably wants to change: lints of a
// project's database, found in its catalogs, and of its settings. Names and
// levels are those of the hosted service where it has the lint.
package advisor

import (
	"context"
	"net/http"

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
	return h.ofCatalog(ctx, p, performance)
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
