package authz

import (
	"context"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/tenants"
)

// Decision is what a request was found to concern.
type Decision struct {
	Organization uuid.UUID
	Project      tenants.Ref // "" for none
	Member       bool        // the organization, or the project, exists for the actor
}

type decisionKey struct{}

// Observe returns a context in which the first decision is written to d.
func Observe(ctx context.Context, d *Decision) context.Context {
	return context.WithValue(ctx, decisionKey{}, d)
}

// Unobserved returns a context in which decisions are noted nowhere.
func Unobserved(ctx context.Context) context.Context {
	return context.WithValue(ctx, decisionKey{}, (*Decision)(nil))
}

// observe notes what a decision is about. A later decision adds a project, and
// replaces one about an organization that does not exist for the actor.
func (g Grants) observe(ctx context.Context) {
	d, ok := ctx.Value(decisionKey{}).(*Decision)
	if !ok || d == nil {
		return
	}
	if d.Organization == uuid.Nil || !d.Member {
		*d = Decision{Organization: g.organization, Member: g.member() && (g.inScope() || g.glimpse)}
	}
	if d.Organization == g.organization && g.project != "" {
		d.Project = g.project
	}
}
