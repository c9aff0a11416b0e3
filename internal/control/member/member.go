// Package member serves who belongs to an organization or a project, and with
// which role: members, invitations and the organization's own roles. What roles
// allow is decided in internal/authz; users are the platform project's.
package member

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web/control"
)

// Service implements the rules. Nobody gives, takes or changes a role that
// allows more than they may do themselves, and an organization keeps an owner.
type Service struct {
	DB    *controldb.DB
	Authz *authz.Authorizer
	// Users returns those of the users of the platform project that exist, by id.
	Users func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]auth.User, error)
	// SecondFactors reports which users of the platform project have a second factor;
	// nil for nobody.
	SecondFactors func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]bool, error)
	// Invited is called after invitations were committed, so that their mails
	// go out. It does not block.
	Invited func()
	Now     func() time.Time
}

// Person is a member with what the platform project knows about them.
type Person struct {
	controldb.Member
	user         auth.User
	secondFactor bool
}

var errRole = text.ErrInvalid.Saying("role: is not a role of the organization")

// errAbove is returned for a role above the actor's own.
var errAbove = fault.New(fault.Forbidden, "forbidden", "You cannot give, take or change a role that allows more than your own")

// List returns the members of an organization, in the order in which they
// joined.
func (s *Service) List(ctx context.Context, actor authz.Actor, slug string) ([]Person, error) {
	org, err := s.Authz.Organization(ctx, actor, authz.ReadMembers, slug)
	if err != nil {
		return nil, err
	}
	members, err := s.DB.MembersOf(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	return s.shown(ctx, members)
}

// shown is people with who has a second factor.
func (s *Service) shown(ctx context.Context, members []controldb.Member) ([]Person, error) {
	out, err := s.people(ctx, members)
	if err != nil || s.SecondFactors == nil {
		return out, err
	}
	ids := make([]uuid.UUID, len(members))
	for i, m := range members {
		ids[i] = m.UserID
	}
	have, err := s.SecondFactors(ctx, ids)
	for i := range out {
		out[i].secondFactor = have[out[i].UserID]
	}
	return out, err
}

func (s *Service) people(ctx context.Context, members []controldb.Member) ([]Person, error) {
	ids := make([]uuid.UUID, len(members))
	for i, m := range members {
		ids[i] = m.UserID
	}
	users, err := s.Users(ctx, ids)
	out := make([]Person, len(members))
	for i, m := range members {
		out[i] = Person{Member: m, user: users[m.UserID]} // a deleted user has an id only
	}
	return out, err
}

// addressOf returns the address of a user; "" without one.
func (s *Service) addressOf(ctx context.Context, id uuid.UUID) (string, error) {
	users, err := s.Users(ctx, []uuid.UUID{id})
	return users[id].Email, err
}

// Change gives a member another role.
func (s *Service) Change(ctx context.Context, actor authz.Actor, slug, id string, role controldb.Role) (*Person, error) {
	return s.change(ctx, actor, slug, id, func(tx *controldb.Tx, g authz.Grants, org controldb.Organization, m Person) error {
		if err := s.mayGive(ctx, tx, g, org.ID, role); err != nil {
			return err
		}
		return tx.SetMemberRole(ctx, org.ID, m.UserID, role)
	})
}

// Remove ends a membership, with the roles in the organization's projects. A
// member may remove themselves.
func (s *Service) Remove(ctx context.Context, actor authz.Actor, slug, id string) (*Person, error) {
	return s.change(ctx, actor, slug, id, func(tx *controldb.Tx, g authz.Grants, org controldb.Organization, m Person) error {
		if m.UserID != actor.UserID {
			if err := s.coversProjectRoles(ctx, tx, g, org, m.UserID); err != nil {
				return err
			}
		}
		if err := tx.EndInvitations(ctx, org.ID, "", m.UserID, m.user.Email, s.Now()); err != nil {
			return err
		}
		return tx.RemoveMember(ctx, org.ID, m.UserID)
	})
}

// coversProjectRoles returns errAbove when a member has a role in a project of the
// organization that allows more than the actor may do.
func (s *Service) coversProjectRoles(ctx context.Context, tx *controldb.Tx, g authz.Grants, org controldb.Organization, user uuid.UUID) error {
	held, err := tx.MembershipsOf(ctx, user)
	if err != nil || len(held.Projects) == 0 {
		return err
	}
	projects, err := tx.ProjectsOf(ctx, org.ID)
	if err != nil {
		return err
	}
	for _, p := range projects {
		if role := held.Projects[p.Ref]; role != "" && !g.Covers(role) {
			return errAbove
		}
	}
	return nil
}

// Transfer makes another member an owner and the actor, who is one, an
// administrator.
func (s *Service) Transfer(ctx context.Context, actor authz.Actor, slug, to string) (*Person, error) {
	user, err := uuid.Parse(to)
	if err != nil {
		return nil, text.Invalid("user_id: must be the id of a member")
	}
	var out *Person
	err = s.lockedStanding(ctx, actor, authz.DeleteOrganization, slug, func(tx *controldb.Tx, _ authz.Grants, org controldb.Organization, members []controldb.Member, active standing) error {
		m, err := find(members, user)
		if err != nil {
			return err
		}
		if user == actor.UserID {
			return text.Invalid("user_id: is your own")
		}
		m.Role = controldb.Owner
		out = &Person{Member: m}
		if err := tx.SetMemberRole(ctx, org.ID, user, controldb.Owner); err != nil {
			return err
		}
		if err := tx.SetMemberRole(ctx, org.ID, actor.UserID, controldb.Administrator); err != nil {
			return err
		}
		left, err := tx.MembersOf(ctx, org.ID)
		if err != nil {
			return err
		}
		return active.check(members, left)
	})
	return out, err
}

// change runs fn for a member whom the actor may change, while no other member
// of the organization changes, and makes sure that an owner is left.
func (s *Service) change(ctx context.Context, actor authz.Actor, slug, id string,
	fn func(*controldb.Tx, authz.Grants, controldb.Organization, Person) error,
) (*Person, error) {
	user, err := uuid.Parse(id)
	if err != nil {
		user = uuid.Nil // nobody's
	}
	action := authz.WriteMembers
	if mayLeave(actor, user) {
		action = authz.ReadOrganization // leaving; another role needs more, see mayGive
	}
	var out Person
	err = s.lockedStanding(ctx, actor, action, slug, func(tx *controldb.Tx, g authz.Grants, org controldb.Organization, members []controldb.Member, active standing) error {
		m, err := find(members, user)
		if err != nil {
			return err
		}
		if user != actor.UserID && !g.Covers(m.Role) {
			return errAbove
		}
		control.Before(ctx, map[string]any{"role": m.Role})
		if err := fn(tx, g, org, Person{Member: m, user: active[user].user}); err != nil {
			return err
		}
		left, err := tx.MembersOf(ctx, org.ID)
		if err != nil {
			return err
		}
		if err := active.check(members, left); err != nil {
			return err
		}
		out = Person{Member: m}
		if now, err := find(left, user); err == nil {
			out.Member = now
		}
		return nil
	})
	return &out, err
}

// mayLeave reports whether the actor ends a role of their own. A token with a scope
// ends none without the permission to change members.
func mayLeave(actor authz.Actor, user uuid.UUID) bool {
	return user == actor.UserID && actor.Scope.Unlimited()
}

// locked runs fn in a transaction that holds the organization's members. What
// the actor may do is read under that lock, so that two members who remove each
// other take turns.
func (s *Service) locked(ctx context.Context, actor authz.Actor, action authz.Action, slug string,
	fn func(*controldb.Tx, authz.Grants, controldb.Organization, []controldb.Member) error,
) error {
	org, err := s.DB.OrganizationBySlug(ctx, slug)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		members, err := tx.LockMembers(ctx, org.ID)
		if err != nil {
			return err
		}
		g, err := s.Authz.GrantsIn(ctx, tx, actor, org.ID, "")
		if err != nil {
			return err
		}
		if err := g.Require(action); err != nil {
			return err
		}
		return fn(tx, g, org, members)
	})
}

// mayGive checks that a role exists and that the actor may give it.
func (s *Service) mayGive(ctx context.Context, tx *controldb.Tx, g authz.Grants, org uuid.UUID, role controldb.Role) error {
	if err := g.Require(authz.WriteMembers); err != nil {
		return err
	}
	if !authz.IsBuiltIn(role) {
		custom, err := tx.CustomRolesOf(ctx, org)
		if err != nil {
			return err
		}
		known := false
		for _, c := range custom {
			known = known || c.Name == string(role)
		}
		if !known {
			return errRole
		}
	}
	if !g.Covers(role) {
		return errAbove
	}
	return nil
}

func find(members []controldb.Member, user uuid.UUID) (controldb.Member, error) {
	for _, m := range members {
		if m.UserID == user {
			return m, nil
		}
	}
	return controldb.Member{}, controldb.ErrNoMember
}
