package member

import (
	"context"
	"slices"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/web/control"
)

// maxRoles is how many roles of its own an organization may have.
const maxRoles = 50

// Described is a role with what it allows.
type Described struct {
	name, description string
	builtIn           bool
	permissions       []authz.Action
}

// Roles lists the built-in roles, the highest first, and the organization's own.
func (s *Service) Roles(ctx context.Context, actor authz.Actor, slug string) ([]Described, error) {
	org, err := s.Authz.Organization(ctx, actor, authz.ReadMembers, slug)
	if err != nil {
		return nil, err
	}
	custom, err := s.DB.CustomRolesOf(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	var out []Described
	for _, role := range authz.BuiltIn() {
		out = append(out, Described{string(role), authz.Describe(role), true, authz.BuiltInPermissions(role)})
	}
	for _, role := range custom {
		out = append(out, describe(role))
	}
	return out, nil
}

func describe(role controldb.CustomRole) Described {
	d := Described{name: role.Name, description: role.Description}
	for _, p := range role.Permissions {
		d.permissions = append(d.permissions, authz.Action(p))
	}
	return d
}

// CreateRole adds a role of the organization's own.
func (s *Service) CreateRole(ctx context.Context, actor authz.Actor, slug string, in RoleBody) (*Role, error) {
	var out Role
	err := s.locked(ctx, actor, authz.WriteRoles, slug, func(tx *controldb.Tx, g authz.Grants, org controldb.Organization, _ []controldb.Member) error {
		have, err := tx.CustomRolesOf(ctx, org.ID)
		if err != nil {
			return err
		}
		if len(have) >= maxRoles {
			return text.Invalid("an organization may have at most %d roles of its own", maxRoles)
		}
		role, err := checkRole(g, in)
		if err != nil {
			return err
		}
		role.OrganizationID = org.ID
		if role, err = tx.CreateRole(ctx, role); err != nil {
			return err
		}
		out = roleOnWire(describe(role))
		return control.Remember(ctx, tx, out)
	})
	return &out, err
}

// UpdateRole replaces a role's description and permissions. It takes effect for
// all who have the role at once.
func (s *Service) UpdateRole(ctx context.Context, actor authz.Actor, slug, name string, in RoleBody) (*Role, error) {
	in.Name = name
	var out Role
	err := s.locked(ctx, actor, authz.WriteRoles, slug, func(tx *controldb.Tx, g authz.Grants, org controldb.Organization, _ []controldb.Member) error {
		role, err := checkRole(g, in)
		if err != nil {
			return err
		}
		if !g.Covers(controldb.Role(name)) {
			return errAbove
		}
		role.OrganizationID, role.UpdatedAt = org.ID, s.Now()
		out = roleOnWire(describe(role))
		return tx.UpdateRole(ctx, role)
	})
	return &out, err
}

// DeleteRole deletes a role that nobody has.
func (s *Service) DeleteRole(ctx context.Context, actor authz.Actor, slug, name string) (*Role, error) {
	out := &Role{Name: name, Permissions: []string{}}
	err := s.locked(ctx, actor, authz.WriteRoles, slug, func(tx *controldb.Tx, g authz.Grants, org controldb.Organization, _ []controldb.Member) error {
		if !g.Covers(controldb.Role(name)) {
			return errAbove
		}
		return tx.DeleteRole(ctx, org.ID, name)
	})
	return out, err
}

// checkRole checks the fields of a role, and that the actor may do all that it
// allows.
func checkRole(g authz.Grants, in RoleBody) (role controldb.CustomRole, err error) {
	if role.Description, err = text.Name("description", in.Description, 0, 256); err != nil {
		return role, err
	}
	role.Name, role.Permissions = in.Name, []string{}
	for _, p := range in.Permissions {
		switch {
		case !slices.Contains(authz.Actions(), authz.Action(p)):
			return role, text.Invalid("permissions: there is no permission %q", p)
		case !g.May(authz.Action(p)):
			return role, errAbove
		case !slices.Contains(role.Permissions, p):
			role.Permissions = append(role.Permissions, p)
		}
	}
	return role, nil
}
