package member

import (
	"context"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
)

// ListProject returns who has a role in a project besides the members of its
// organization.
func (s *Service) ListProject(ctx context.Context, actor authz.Actor, ref string) ([]Person, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadMembers, ref)
	if err != nil {
		return nil, err
	}
	members, err := s.DB.ProjectMembersOf(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	return s.people(ctx, members)
}

// SetProjectRole gives a user who has a role in the organization, or in one of
// its projects, a role in this one.
func (s *Service) SetProjectRole(ctx context.Context, actor authz.Actor, ref, id string, role controldb.Role) (*Person, error) {
	var out Person
	err := s.inProject(ctx, actor, ref, id, func(tx *controldb.Tx, g authz.Grants, p controldb.Project, user uuid.UUID, had controldb.Role) error {
		if err := s.mayGive(ctx, tx, g, p.OrganizationID, role); err != nil {
			return err
		}
		if had != "" && !g.Covers(had) {
			return errAbove
		}
		held, err := tx.RolesOf(ctx, user, p.OrganizationID, p.Ref)
		if err != nil {
			return err
		}
		if held.Organization == "" && !held.AnyProject {
			return controldb.ErrNoMember // strangers are invited
		}
		out = Person{Member: controldb.Member{UserID: user, Role: role}}
		return tx.SetProjectRole(ctx, p.Ref, user, role)
	})
	return &out, err
}

// RemoveProjectRole ends a user's role in a project. Users may end their own.
func (s *Service) RemoveProjectRole(ctx context.Context, actor authz.Actor, ref, id string) (*Person, error) {
	var out Person
	var address string
	if user, err := uuid.Parse(id); err == nil {
		action := authz.WriteMembers
		if mayLeave(actor, user) {
			action = authz.ReadProject
		}
		// The platform project is asked for nobody who may not do it.
		if _, err := s.Authz.Project(ctx, actor, action, ref); err != nil {
			return nil, err
		}
		if address, err = s.addressOf(ctx, user); err != nil {
			return nil, err
		}
	}
	err := s.inProject(ctx, actor, ref, id, func(tx *controldb.Tx, g authz.Grants, p controldb.Project, user uuid.UUID, had controldb.Role) error {
		if !mayLeave(actor, user) {
			if err := g.Require(authz.WriteMembers); err != nil {
				return err
			}
			if !g.Covers(had) {
				return errAbove
			}
		}
		out = Person{Member: controldb.Member{UserID: user, Role: had}}
		if err := tx.EndInvitations(ctx, p.OrganizationID, p.Ref, user, address, s.Now()); err != nil {
			return err
		}
		return tx.RemoveProjectRole(ctx, p.Ref, user)
	})
	return &out, err
}

// inProject runs fn while no member of the project's organization changes. had
// is the user's role in the project.
func (s *Service) inProject(ctx context.Context, actor authz.Actor, ref, id string,
	fn func(*controldb.Tx, authz.Grants, controldb.Project, uuid.UUID, controldb.Role) error,
) error {
	p, err := s.Authz.Project(ctx, actor, authz.ReadProject, ref)
	if err != nil {
		return err
	}
	user, err := uuid.Parse(id)
	if err != nil {
		return text.Invalid("id: must be the id of a user")
	}
	return s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if _, err := tx.LockMembers(ctx, p.OrganizationID); err != nil {
			return err
		}
		g, err := s.Authz.GrantsIn(ctx, tx, actor, p.OrganizationID, p.Ref)
		if err != nil {
			return err
		}
		if err := g.Require(authz.ReadProject); err != nil {
			return err
		}
		held, err := tx.RolesOf(ctx, user, p.OrganizationID, p.Ref)
		if err != nil {
			return err
		}
		return fn(tx, g, p, user, held.Project)
	})
}
