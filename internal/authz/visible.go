package authz

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/controldb"
)

// Organizations lists the organizations that exist for the actor, by name.
func (a *Authorizer) Organizations(ctx context.Context, actor Actor) ([]controldb.Organization, error) {
	all, err := a.organizations(ctx, actor)
	if err != nil || actor.Scope.Organizations == nil && actor.Scope.Projects == nil {
		return all, err
	}
	visible := all[:0]
	for _, o := range all {
		glimpse, err := anyInScope(ctx, a.DB, actor.Scope, o.ID)
		if err != nil {
			return nil, err
		}
		if glimpse || actor.Scope.Covers(o.ID, "") {
			visible = append(visible, o)
		}
	}
	return visible, nil
}

// organizations lists those in which the actor has a role.
func (a *Authorizer) organizations(ctx context.Context, actor Actor) ([]controldb.Organization, error) {
	if actor.Service == nil {
		return a.DB.OrganizationsOf(ctx, actor.UserID)
	}
	org, err := a.DB.OrganizationByID(ctx, actor.Service.Organization)
	if err != nil {
		return nil, err
	}
	return []controldb.Organization{org}, nil
}

// Projects lists the projects of organizations that the actor may read, the
// oldest first. Those of organizations that require a second factor are missing for
// people without one.
func (a *Authorizer) Projects(ctx context.Context, actor Actor, organizations ...controldb.Organization) ([]controldb.Project, error) {
	ids := make([]uuid.UUID, len(organizations))
	required := map[uuid.UUID]bool{}
	for i, o := range organizations {
		ids[i], required[o.ID] = o.ID, o.MFARequired
	}
	all, err := a.DB.ProjectsOf(ctx, ids...)
	if err != nil {
		return nil, err
	}
	held, err := a.DB.MembershipsOf(ctx, actor.UserID)
	if err != nil {
		return nil, err
	}
	policy, err := a.at(ctx, a.DB, held.PolicyVersion)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(p controldb.Project) bool {
		roles := controldb.Roles{
			Organization: held.Organizations[p.OrganizationID], Project: held.Projects[p.Ref], MFARequired: required[p.OrganizationID],
		}
		g := Grants{
			roles: roles, policy: policy, organization: p.OrganizationID, project: p.Ref, scope: actor.Scope, service: actor.Service,
			proved: actor.SecondFactor,
		}
		return !g.May(ReadProject)
	}), nil
}
