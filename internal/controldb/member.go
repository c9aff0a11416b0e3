package controldb

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// Role is a member's role in an organization; internal/authz defines its
// rights.
type Role string

// The roles, the highest first.
const (
	Owner         Role = "owner"
	Administrator Role = "administrator"
	Developer     Role = "developer"
	ReadOnly      Role = "read_only"
	Billing       Role = "billing"
)

type memberRow struct {
	OrganizationID uuid.UUID `gorm:"primaryKey"`
	UserID         uuid.UUID `gorm:"primaryKey"`
	Role           string
	CreatedAt      time.Time `gorm:"default:now()"`
}

func (memberRow) TableName() string { return "members" }

// AddMember makes a user a member of an organization; a second membership is
// fault conflict.
func (tx *Tx) AddMember(ctx context.Context, organization, user uuid.UUID, role Role) error {
	row := memberRow{OrganizationID: organization, UserID: user, Role: string(role)}
	return Fault(tx.with(ctx).Create(&row).Error)
}

// Roles are a user's roles in an organization.
type Roles struct {
	Organization  Role  // "" when they are no member
	Project       Role  // in the project that was asked for, "" for none
	AnyProject    bool  // they have a role in some living project of the organization
	Operates      bool  // they run the installation, and the project is the platform project
	PolicyVersion int64 // of CustomRoles, at the same moment
	// MFARequired says that the organization admits only people who proved a second factor.
	MFARequired bool `gorm:"column:mfa_required"`
}

// RolesOf returns a user's roles in an organization and in a project of it; ""
// asks for no project.
func (r reader) RolesOf(ctx context.Context, user, organization uuid.UUID, project tenants.Ref) (out Roles, err error) {
	err = r.with(ctx).Raw(`SELECT
		coalesce((SELECT role FROM members WHERE organization_id = @org AND user_id = @user), '') AS organization,
		coalesce((SELECT role FROM project_members WHERE ref = @ref AND user_id = @user), '') AS project,
		EXISTS (SELECT FROM project_members m JOIN projects p USING (ref)
		         WHERE m.user_id = @user AND p.organization_id = @org AND p.deleted_at IS NULL) AS any_project,
		EXISTS (SELECT FROM operators WHERE user_id = @user) AND EXISTS (SELECT FROM projects WHERE ref = @ref AND platform) AS operates,
		(SELECT version FROM policy_version) AS policy_version,
		coalesce((SELECT mfa_required FROM organizations WHERE id = @org), false) AS mfa_required`,
		map[string]any{"org": organization, "user": user, "ref": string(project)}).Scan(&out).Error
	return out, Fault(err)
}

// Memberships are all roles of a user.
type Memberships struct {
	Organizations map[uuid.UUID]Role
	Projects      map[tenants.Ref]Role
	PolicyVersion int64
}

// MembershipsOf returns all roles of a user.
func (r reader) MembershipsOf(ctx context.Context, user uuid.UUID) (Memberships, error) {
	var rows []struct {
		OrganizationID uuid.UUID
		Ref            string
		Role           Role
	}
	out := Memberships{Organizations: map[uuid.UUID]Role{}, Projects: map[tenants.Ref]Role{}}
	if err := r.with(ctx).Raw("SELECT version FROM policy_version").Scan(&out.PolicyVersion).Error; err != nil {
		return out, Fault(err)
	}
	err := r.with(ctx).Raw(`SELECT organization_id, '' AS ref, role FROM members WHERE user_id = @user
		UNION ALL SELECT p.organization_id, p.ref, m.role FROM project_members m JOIN projects p USING (ref)
		           WHERE m.user_id = @user AND p.deleted_at IS NULL`, map[string]any{"user": user}).Scan(&rows).Error
	for _, row := range rows {
		if row.Ref == "" {
			out.Organizations[row.OrganizationID] = row.Role
		} else {
			out.Projects[tenants.Ref(row.Ref)] = row.Role
		}
	}
	return out, Fault(err)
}

// Member is a member of an organization, or of a project.
type Member struct {
	UserID    uuid.UUID
	Role      Role
	CreatedAt time.Time
}

// MembersOf lists an organization's members, in the order in which they joined.
func (r reader) MembersOf(ctx context.Context, organization uuid.UUID) (out []Member, err error) {
	err = r.with(ctx).Raw("SELECT user_id, role, created_at FROM members WHERE organization_id = ? ORDER BY created_at, user_id", organization).
		Scan(&out).Error
	return out, Fault(err)
}

// ProjectMembersOf lists those with a role in a project.
func (r reader) ProjectMembersOf(ctx context.Context, ref tenants.Ref) (out []Member, err error) {
	err = r.with(ctx).Raw("SELECT user_id, role, created_at FROM project_members WHERE ref = ? ORDER BY created_at, user_id", string(ref)).
		Scan(&out).Error
	return out, Fault(err)
}

var (
	// ErrNoMember is returned for a user who is not a member.
	ErrNoMember = fault.New(fault.NotFound, "member_not_found", "Member not found")
	// ErrLastOwner is returned for a change that would leave an organization
	// without an owner.
	ErrLastOwner = fault.New(fault.Conflict, "last_owner", "The organization must keep an owner: make another member owner first")
)

// LockMembers makes changes of an organization's members take turns until the
// transaction ends, and returns the members.
func (tx *Tx) LockMembers(ctx context.Context, organization uuid.UUID) ([]Member, error) {
	err := tx.with(ctx).Exec("SELECT pg_advisory_xact_lock(hashtextextended('members of ' || ?::text, 0))", organization).Error
	if err != nil {
		return nil, Fault(err)
	}
	return tx.MembersOf(ctx, organization)
}

// SetMemberRole gives a member another role; ErrNoMember.
func (tx *Tx) SetMemberRole(ctx context.Context, organization, user uuid.UUID, role Role) error {
	return changed(tx.with(ctx).Exec("UPDATE members SET role = ? WHERE organization_id = ? AND user_id = ?",
		string(role), organization, user), ErrNoMember)
}

// RemoveMember removes a member and their roles in the organization's projects;
// ErrNoMember. Their access tokens lose all rights here at once.
func (tx *Tx) RemoveMember(ctx context.Context, organization, user uuid.UUID) error {
	err := tx.with(ctx).Exec(`DELETE FROM project_members m USING projects p
		WHERE m.ref = p.ref AND p.organization_id = ? AND m.user_id = ?`, organization, user).Error
	if err != nil {
		return Fault(err)
	}
	return changed(tx.with(ctx).Exec("DELETE FROM members WHERE organization_id = ? AND user_id = ?", organization, user), ErrNoMember)
}

// SetProjectRole gives a user a role in a project, in place of another one that
// they have there.
func (tx *Tx) SetProjectRole(ctx context.Context, ref tenants.Ref, user uuid.UUID, role Role) error {
	return Fault(tx.with(ctx).Exec(`INSERT INTO project_members (ref, user_id, role) VALUES (?, ?, ?)
		ON CONFLICT (ref, user_id) DO UPDATE SET role = EXCLUDED.role`, string(ref), user, string(role)).Error)
}

// RemoveProjectRole removes a user's role in a project; ErrNoMember.
func (tx *Tx) RemoveProjectRole(ctx context.Context, ref tenants.Ref, user uuid.UUID) error {
	return changed(tx.with(ctx).Exec("DELETE FROM project_members WHERE ref = ? AND user_id = ?", string(ref), user), ErrNoMember)
}
