package org

import (
	"context"
	"time"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/web/control"
)

// Service implements the rules of organizations.
type Service struct {
	DB    *controldb.DB
	Authz *authz.Authorizer
	// MaxOrganizations is how many a user may own; 0 means no limit.
	MaxOrganizations int
	// MaxProjects is the quota of new organizations; 0 is the database's default.
	MaxProjects int
	// MaxEphemeral is that of projects with a time to live.
	MaxEphemeral int
	Now          func() time.Time
}

// List returns the organizations that exist for the actor, by name.
func (s *Service) List(ctx context.Context, actor authz.Actor) ([]Organization, error) {
	found, err := s.Authz.Organizations(ctx, actor)
	if err != nil {
		return nil, err
	}
	held, err := s.DB.MembershipsOf(ctx, actor.UserID)
	out := make([]Organization, len(found))
	for i, o := range found {
		out[i] = onWire(o, held.Organizations[o.ID])
	}
	return out, err
}

// Update renames an organization, and requires a second factor of its members or does
// so no more; the slug stays. Who changes the latter is a person with a second factor,
// so that an organization has one who gets in: authz.ErrOwnFactor, authz.ErrPerson.
func (s *Service) Update(ctx context.Context, actor authz.Actor, slug string, b UpdateBody) (*Organization, error) {
	org, err := s.Authz.Organization(ctx, actor, authz.UpdateOrganization, slug)
	if err != nil {
		return nil, err
	}
	before := map[string]any{}
	if b.Name != nil {
		name, err := text.Name("name", *b.Name, 1, 256)
		if err != nil {
			return nil, err
		}
		before["name"], org.Name, b.Name = org.Name, name, &name
	}
	if b.MFARequired != nil {
		if err := actor.RequireSecondFactor(); err != nil {
			return nil, err
		}
		before["mfa_required"], org.MFARequired = org.MFARequired, *b.MFARequired
	}
	if len(before) == 0 {
		return nil, text.Invalid("the body changes nothing: name or mfa_required is needed")
	}
	control.Before(ctx, before)
	out := onWire(org, "")
	return &out, s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		return tx.ChangeOrganization(ctx, org.ID, controldb.OrganizationChange{Name: b.Name, MFARequired: b.MFARequired})
	})
}

// Delete ends an organization that has no projects, with its members, roles,
// invitations and service tokens; its audit log stays. It is for a person.
// controldb.ErrOrganizationNotEmpty.
func (s *Service) Delete(ctx context.Context, actor authz.Actor, slug string) (*Organization, error) {
	org, err := s.Authz.Organization(ctx, actor, authz.DeleteOrganization, slug)
	if err != nil {
		return nil, err
	}
	control.Before(ctx, map[string]any{"name": org.Name, "slug": org.Slug})
	out := onWire(org, "")
	return &out, s.DB.Tx(ctx, func(tx *controldb.Tx) error { return tx.DeleteOrganization(ctx, org.ID, s.Now()) })
}

// Create creates an organization with its creator as the owner. The slug is
// random, so names need not be unique. controldb.ErrOrganizationLimit: without
// it, the quota of projects could be avoided with more organizations.
func (s *Service) Create(ctx context.Context, actor authz.Actor, name string) (*Organization, error) {
	if err := actor.RequirePerson(); err != nil {
		return nil, err // an organization has an owner
	}
	name, err := text.Name("name", name, 1, 256)
	if err != nil {
		return nil, err
	}
	var out Organization
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if s.MaxOrganizations > 0 {
			if err := tx.CheckOrganizationLimit(ctx, actor.UserID, s.MaxOrganizations); err != nil {
				return err
			}
		}
		created, err := tx.CreateOrganization(ctx, controldb.Organization{Name: name, MaxProjects: s.MaxProjects, MaxEphemeral: s.MaxEphemeral})
		if err != nil {
			return err
		}
		if err := tx.AddMember(ctx, created.ID, actor.UserID, controldb.Owner); err != nil {
			return err
		}
		out = onWire(created, controldb.Owner)
		return control.Remember(ctx, tx, out)
	})
	return &out, err
}

// Get returns an organization that the actor is a member of; fault
// organization_not_found.
func (s *Service) Get(ctx context.Context, actor authz.Actor, slug string) (controldb.Organization, error) {
	return s.Authz.Organization(ctx, actor, authz.ReadOrganization, slug)
}
