// Package authz decides what an actor of the Management API may do. It owns the
// table of roles and actions, and the rule that objects of an organization do
// not exist for actors who are not members of it. It does not
// authenticate and keeps no state: memberships are rows of the control database.
package authz

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// Actor is the sender of a request to the Management API: a user of the
// platform project, identified by an access token.
type Actor struct {
	UserID  uuid.UUID
	TokenID uuid.UUID
}

// The errors. An object of another organization answers exactly like one that
// does not exist.
var (
	ErrForbidden            = fault.New(fault.Forbidden, "forbidden", "Your role in the organization does not allow this")
	ErrOrganizationNotFound = fault.New(fault.NotFound, "organization_not_found", "Organization not found")
	ErrProjectNotFound      = fault.New(fault.NotFound, "project_not_found", "Project not found")
)

// Authorizer decides by the memberships in the control database.
type Authorizer struct {
	DB *controldb.DB
}

// Require returns ErrOrganizationNotFound when the actor is not a member of the
// organization, and ErrForbidden when their role does not allow the action.
func (a *Authorizer) Require(ctx context.Context, actor Actor, action Action, organization uuid.UUID) error {
	role, err := a.DB.MemberRole(ctx, organization, actor.UserID)
	if err != nil {
		return fmt.Errorf("role of the actor: %w", err)
	}
	switch {
	case role == "":
		return ErrOrganizationNotFound
	case !Allows(role, action):
		return ErrForbidden
	}
	return nil
}

// Organization returns an organization by its slug if the actor may do the
// action there; errors as Require.
func (a *Authorizer) Organization(ctx context.Context, actor Actor, action Action, slug string) (controldb.Organization, error) {
	org, err := a.DB.OrganizationBySlug(ctx, slug)
	if err != nil {
		return controldb.Organization{}, err
	}
	return org, a.Require(ctx, actor, action, org.ID)
}

// Project returns a project by its ref if the actor may do the action there. It
// returns ErrProjectNotFound when the ref is malformed or the project is
// unknown, deleted or another organization's, else ErrForbidden.
func (a *Authorizer) Project(ctx context.Context, actor Actor, action Action, ref string) (controldb.Project, error) {
	parsed, err := tenants.ParseRef(ref)
	if err != nil {
		return controldb.Project{}, ErrProjectNotFound
	}
	project, err := a.DB.ProjectByRef(ctx, parsed)
	if err != nil {
		return controldb.Project{}, err
	}
	err = a.Require(ctx, actor, action, project.OrganizationID)
	if fault.From(err).Kind == fault.NotFound && err != nil {
		return controldb.Project{}, ErrProjectNotFound
	}
	return project, err
}
