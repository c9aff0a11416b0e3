package controldb

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// StatusDeleted is a project's last status: only the row is left.
const StatusDeleted tenants.Status = "deleted"

// ErrNoProject is returned for a ref without a living project.
var ErrNoProject = fault.New(fault.NotFound, "project_not_found", "Project not found")

// ErrProjectLimit is returned when an organization has all the projects it may.
var ErrProjectLimit = fault.New(fault.Forbidden, "project_limit_reached",
	"The organization has reached its maximum number of projects")

// ErrEphemeralLimit is returned when an organization has all the ephemeral
// projects it may.
var ErrEphemeralLimit = fault.New(fault.Forbidden, "ephemeral_project_limit_reached",
	"The organization has reached its maximum number of projects with a time to live; delete some, or wait until they expire")

// ErrNotEphemeral is returned for the extension of a project that does not
// expire.
var ErrNotEphemeral = fault.New(fault.Invalid, "project_not_ephemeral",
	"ttl: the project has no time to live; only a project that was created with one can get another")

// Project is a row of projects.
type Project struct {
	Ref            tenants.Ref
	ID             int64
	OrganizationID uuid.UUID
	Name           string
	Region         string
	Status         tenants.Status
	Platform       bool
	LegacyKeys     bool
	LegacyKeysAt   *time.Time
	ConfigVersion  int
	Version        int64
	CreatedBy      *uuid.UUID
	CreatedAt      time.Time
	ExpiresAt      *time.Time  // when it deletes itself; nil for never
	BranchOf       tenants.Ref // the project whose database it is a copy of; "" for none
	GitBranch      string      // of a branch: the branch of Git that it is for; "" for none
	DeletedAt      *time.Time
}

type projectRow struct {
	Ref            string `gorm:"primaryKey"`
	ID             int64  `gorm:"->"`
	OrganizationID uuid.UUID
	Name           string
	Region         string
	Status         string
	Platform       bool
	LegacyKeys     bool
	LegacyKeysAt   *time.Time
	ConfigVersion  int
	Version        int64 `gorm:"->"`
	CreatedBy      *uuid.UUID
	CreatedAt      time.Time `gorm:"default:now()"`
	ExpiresAt      *time.Time
	BranchOf       *string
	GitBranch      *string
	DeletedAt      *time.Time
}

func (projectRow) TableName() string { return "projects" }

func (r projectRow) project() Project {
	p := Project{
		Ref: tenants.Ref(r.Ref), ID: r.ID, OrganizationID: r.OrganizationID, Name: r.Name, Region: r.Region,
		Status: tenants.Status(r.Status), Platform: r.Platform, LegacyKeys: r.LegacyKeys, LegacyKeysAt: r.LegacyKeysAt,
		ConfigVersion: r.ConfigVersion, Version: r.Version, CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt,
		ExpiresAt: r.ExpiresAt, DeletedAt: r.DeletedAt,
	}
	if r.BranchOf != nil {
		p.BranchOf = tenants.Ref(*r.BranchOf)
	}
	if r.GitBranch != nil {
		p.GitBranch = *r.GitBranch
	}
	return p
}

// ProjectByRef returns a project that is not deleted; ErrNoProject.
func (r reader) ProjectByRef(ctx context.Context, ref tenants.Ref) (Project, error) {
	return r.project(r.with(ctx).Where("ref = ?", string(ref)))
}

// PlatformProject returns the project whose users are the dashboard's;
// ErrNoProject before the first start created it.
func (r reader) PlatformProject(ctx context.Context) (Project, error) {
	return r.project(r.with(ctx).Where("platform"))
}

func (r reader) project(q *gorm.DB) (Project, error) {
	var row projectRow
	err := q.Where("deleted_at IS NULL").Take(&row).Error
	return row.project(), orFault(err, ErrNoProject)
}

// ProjectsOf lists the living projects of the organizations, the oldest first.
func (r reader) ProjectsOf(ctx context.Context, organizations ...uuid.UUID) ([]Project, error) {
	return r.projects(r.with(ctx).Where("organization_id IN ?", organizations))
}

// Projects lists all living projects, the oldest first.
func (r reader) Projects(ctx context.Context) ([]Project, error) { return r.projects(r.with(ctx)) }

func (r reader) projects(q *gorm.DB) ([]Project, error) {
	var rows []projectRow
	if err := q.Where("deleted_at IS NULL").Order("id").Find(&rows).Error; err != nil {
		return nil, Fault(err)
	}
	out := make([]Project, len(rows))
	for i, row := range rows {
		out[i] = row.project()
	}
	return out, nil
}

// BranchesOf lists the living branches of a project, the oldest first.
func (r reader) BranchesOf(ctx context.Context, ref tenants.Ref) ([]Project, error) {
	return r.projects(r.with(ctx).Where("branch_of = ?", string(ref)))
}

// CheckProjectLimit locks the organization and checks that it may have one more
// project of this kind: fault organization_not_found, ErrProjectLimit,
// ErrEphemeralLimit. A project counts until its database is gone.
func (tx *Tx) CheckProjectLimit(ctx context.Context, organization uuid.UUID, ephemeral bool) error {
	var allowed, have int64
	column, limit := "max_projects", ErrProjectLimit
	if ephemeral {
		column, limit = "max_ephemeral_projects", ErrEphemeralLimit
	}
	err := tx.with(ctx).Raw("SELECT "+column+" FROM organizations WHERE id = ? AND deleted_at IS NULL FOR UPDATE", organization).
		Row().Scan(&allowed)
	if err != nil {
		return orFault(err, errNoOrganization)
	}
	err = tx.with(ctx).Model(&projectRow{}).
		Where("organization_id = ? AND deleted_at IS NULL AND (expires_at IS NOT NULL) = ?", organization, ephemeral).Count(&have).Error
	if err != nil {
		return Fault(err)
	}
	if have >= allowed {
		return limit
	}
	return nil
}

// ExpiredProjects lists the projects whose time is over and that are not being
// deleted yet, the earliest first.
func (r reader) ExpiredProjects(ctx context.Context, now time.Time, limit int) ([]Project, error) {
	var rows []projectRow
	err := r.with(ctx).Where("expires_at <= ? AND deleted_at IS NULL AND status <> 'deleting' AND NOT platform", now).
		Order("expires_at").Limit(limit).Find(&rows).Error
	out := make([]Project, len(rows))
	for i, row := range rows {
		out[i] = row.project()
	}
	return out, Fault(err)
}

// ExpireProject marks a project as being deleted if its time is over;
// ErrNoProject when it is not, or when somebody else has marked it.
func (tx *Tx) ExpireProject(ctx context.Context, ref tenants.Ref, now time.Time) error {
	return changed(tx.with(ctx).Model(&projectRow{}).
		Where("ref = ? AND expires_at <= ? AND deleted_at IS NULL AND status <> 'deleting' AND NOT platform", string(ref), now).
		Updates(map[string]any{"status": string(tenants.StatusDeleting)}), ErrNoProject)
}

// ExtendProject sets when an ephemeral project expires. ErrNotEphemeral for
// another one, ErrNoProject for one that is being deleted.
func (tx *Tx) ExtendProject(ctx context.Context, ref tenants.Ref, at time.Time) error {
	var row projectRow
	err := tx.with(ctx).Raw("SELECT * FROM projects WHERE ref = ? AND deleted_at IS NULL AND status <> 'deleting' FOR UPDATE", string(ref)).
		Take(&row).Error
	if err != nil {
		return orFault(err, ErrNoProject)
	}
	if row.ExpiresAt == nil {
		return ErrNotEphemeral
	}
	return tx.updateProject(ctx, ref, map[string]any{"expires_at": at})
}

// CreateProject inserts a project and returns it with the database's defaults.
func (tx *Tx) CreateProject(ctx context.Context, p Project) (Project, error) {
	row := projectRow{
		Ref: string(p.Ref), OrganizationID: p.OrganizationID, Name: p.Name, Region: p.Region,
		Status: string(p.Status), Platform: p.Platform, ConfigVersion: 1, CreatedBy: p.CreatedBy,
		ExpiresAt: p.ExpiresAt,
	}
	if p.BranchOf != "" {
		parent := string(p.BranchOf)
		row.BranchOf = &parent
	}
	if p.GitBranch != "" {
		row.GitBranch = &p.GitBranch
	}
	if err := tx.with(ctx).Create(&row).Error; err != nil {
		return Project{}, Fault(err)
	}
	return tx.ProjectByRef(ctx, p.Ref)
}

// RenameProject sets the name; ErrNoProject.
func (tx *Tx) RenameProject(ctx context.Context, ref tenants.Ref, name string) error {
	return tx.updateProject(ctx, ref, map[string]any{"name": name})
}

// SetGitBranch sets the branch of Git that a branch is for; ErrNoProject.
func (tx *Tx) SetGitBranch(ctx context.Context, ref tenants.Ref, name string) error {
	return tx.updateProject(ctx, ref, map[string]any{"git_branch": name})
}

// SetProjectStatus sets the status of a living project; ErrNoProject.
func (tx *Tx) SetProjectStatus(ctx context.Context, ref tenants.Ref, status tenants.Status) error {
	return tx.updateProject(ctx, ref, map[string]any{"status": string(status)})
}

// MoveProject sets the status of a living project that has another one; ErrStale
// when it does not have that anymore.
func (tx *Tx) MoveProject(ctx context.Context, ref tenants.Ref, from, to tenants.Status) error {
	return changed(tx.with(ctx).Model(&projectRow{}).
		Where("ref = ? AND status = ? AND deleted_at IS NULL", string(ref), string(from)).
		Updates(map[string]any{"status": string(to)}), ErrStale)
}

// UnsettledProjects lists the projects of the cluster that are being paused or
// restored, and are due for another attempt.
func (r reader) UnsettledProjects(ctx context.Context, cluster string, now time.Time) ([]tenants.Ref, error) {
	var refs []tenants.Ref
	err := r.with(ctx).Raw(`SELECT p.ref FROM projects p JOIN databases d ON d.ref = p.ref
		WHERE p.status IN ('pausing', 'restoring') AND p.deleted_at IS NULL
		  AND d.cluster_id = ? AND (d.retry_at IS NULL OR d.retry_at <= ?) ORDER BY p.changed_at`, cluster, now).Scan(&refs).Error
	return refs, Fault(err)
}

// SetLegacyKeys says whether legacy JWT API keys are accepted; ErrNoProject.
func (tx *Tx) SetLegacyKeys(ctx context.Context, ref tenants.Ref, on bool, at time.Time) error {
	return tx.updateProject(ctx, ref, map[string]any{"legacy_keys": on, "legacy_keys_at": at})
}

// SetConfigVersion puts another version of the configuration in force.
func (tx *Tx) SetConfigVersion(ctx context.Context, ref tenants.Ref, version int) error {
	return tx.updateProject(ctx, ref, map[string]any{"config_version": version})
}

func (tx *Tx) updateProject(ctx context.Context, ref tenants.Ref, set map[string]any) error {
	return changed(tx.with(ctx).Model(&projectRow{}).
		Where("ref = ? AND deleted_at IS NULL", string(ref)).Updates(set), ErrNoProject)
}

// BuryProject marks a project as deleted and removes everything that belongs to
// it: keys and their use, configuration, captured mails, marks, log. ErrNoProject when there is
// none.
func (tx *Tx) BuryProject(ctx context.Context, ref tenants.Ref, at time.Time) error {
	for _, table := range []string{
		"api_keys", "signing_keys", "auth_configs", "inbox_messages", "outbox_marks", "shut_outs", "project_logs", "project_members", "invitations",
		"api_key_days", "api_key_uses", // as AddKeyUses locks them
	} {
		if err := tx.with(ctx).Exec("DELETE FROM "+table+" WHERE ref = ?", string(ref)).Error; err != nil {
			return Fault(err)
		}
	}
	return tx.updateProject(ctx, ref, map[string]any{"status": string(StatusDeleted), "deleted_at": at})
}
