package controldb

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
)

// CustomRole is a role that an organization defined.
type CustomRole struct {
	OrganizationID uuid.UUID
	Name           string
	Description    string
	Permissions    []string // actions of internal/authz
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

type customRoleRow struct {
	OrganizationID uuid.UUID `gorm:"primaryKey"`
	Name           string    `gorm:"primaryKey"`
	Description    string
	Permissions    []string  `gorm:"serializer:json"`
	CreatedAt      time.Time `gorm:"default:now()"`
	UpdatedAt      time.Time `gorm:"default:now()"`
}

func (customRoleRow) TableName() string { return "roles" }

var (
	// ErrNoRole is returned for a role that the organization does not have.
	ErrNoRole = fault.New(fault.NotFound, "role_not_found", "Role not found")
	// ErrRoleInUse is returned for a role that somebody has or is invited with.
	ErrRoleInUse = fault.New(fault.Conflict, "role_in_use", "The role is in use: give its members and invitations another role first")
)

// CustomRoles returns the roles of all organizations, and their version.
func (r reader) CustomRoles(ctx context.Context) (version int64, out []CustomRole, err error) {
	// The version first: a change meanwhile is in the roles, and is read again
	// at the next decision.
	if err := r.with(ctx).Raw("SELECT version FROM policy_version").Scan(&version).Error; err != nil {
		return 0, nil, Fault(err)
	}
	out, err = r.customRoles(ctx, "true")
	return version, out, err
}

// CustomRolesOf lists an organization's own roles, by name.
func (r reader) CustomRolesOf(ctx context.Context, organization uuid.UUID) ([]CustomRole, error) {
	return r.customRoles(ctx, "organization_id = ?", organization)
}

func (r reader) customRoles(ctx context.Context, where string, args ...any) ([]CustomRole, error) {
	var rows []customRoleRow
	err := r.with(ctx).Where(where, args...).Order("name").Find(&rows).Error
	out := make([]CustomRole, len(rows))
	for i, row := range rows {
		out[i] = CustomRole(row)
	}
	return out, Fault(err)
}

// CreateRole inserts a role; fault conflict for a name that is taken.
func (tx *Tx) CreateRole(ctx context.Context, role CustomRole) (CustomRole, error) {
	row := customRoleRow(role)
	err := tx.with(ctx).Create(&row).Error
	return CustomRole(row), Fault(err)
}

// UpdateRole replaces a role's description and permissions; ErrNoRole.
func (tx *Tx) UpdateRole(ctx context.Context, role CustomRole) error {
	row := customRoleRow(role)
	return changed(tx.with(ctx).Model(&row).Select("description", "permissions", "updated_at").Updates(&row), ErrNoRole)
}

// DeleteRole deletes a role that nobody has; ErrNoRole, ErrRoleInUse. Call
// LockMembers first.
func (tx *Tx) DeleteRole(ctx context.Context, organization uuid.UUID, name string) error {
	var used bool
	err := tx.with(ctx).Raw(`SELECT EXISTS (SELECT FROM members WHERE organization_id = @org AND role = @role)
		OR EXISTS (SELECT FROM project_members m JOIN projects p USING (ref) WHERE p.organization_id = @org AND p.deleted_at IS NULL AND m.role = @role)
		OR EXISTS (SELECT FROM invitations WHERE organization_id = @org AND role = @role
		            AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > now())`,
		map[string]any{"org": organization, "role": name}).Scan(&used).Error
	switch {
	case err != nil:
		return Fault(err)
	case used:
		return ErrRoleInUse
	}
	return changed(tx.with(ctx).Where("organization_id = ? AND name = ?", organization, name).Delete(&customRoleRow{}), ErrNoRole)
}
