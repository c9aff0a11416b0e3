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
	DeletedAt      *time.Time
}

func (projectRow) TableName() string { return "projects" }

func (r projectRow) project() Project {
	return Project{
		Ref: tenants.Ref(r.Ref), ID: r.ID, OrganizationID: r.OrganizationID, Name: r.Name, Region: r.Region,
		Status: tenants.Status(r.Status), Platform: r.Platform, LegacyKeys: r.LegacyKeys, LegacyKeysAt: r.LegacyKeysAt,
		ConfigVersion: r.ConfigVersion, Version: r.Version, CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt,
		DeletedAt: r.DeletedAt,
	}
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

// CheckProjectLimit locks the organization and checks that it may have one more
// project: fault organization_not_found, ErrProjectLimit.
func (tx *Tx) CheckProjectLimit(ctx context.Context, organization uuid.UUID) error {
	var allowed, have int64
	err := tx.with(ctx).Raw("SELECT max_projects FROM organizations WHERE id = ? FOR UPDATE", organization).
		Row().Scan(&allowed)
	if err != nil {
		return orFault(err, errNoOrganization)
	}
	err = tx.with(ctx).Model(&projectRow{}).
		Where("organization_id = ? AND deleted_at IS NULL", organization).Count(&have).Error
	if err != nil {
		return Fault(err)
	}
	if have >= allowed {
		return ErrProjectLimit
	}
	return nil
}

// CreateProject inserts a project and returns it with the database's defaults.
func (tx *Tx) CreateProject(ctx context.Context, p Project) (Project, error) {
	row := projectRow{
		Ref: string(p.Ref), OrganizationID: p.OrganizationID, Name: p.Name, Region: p.Region,
		Status: string(p.Status), Platform: p.Platform, ConfigVersion: 1, CreatedBy: p.CreatedBy,
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

// SetProjectStatus sets the status of a living project; ErrNoProject.
func (tx *Tx) SetProjectStatus(ctx context.Context, ref tenants.Ref, status tenants.Status) error {
	return tx.updateProject(ctx, ref, map[string]any{"status": string(status)})
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
// it: keys, configuration, captured mails, marks, log. ErrNoProject when there is
// none.
func (tx *Tx) BuryProject(ctx context.Context, ref tenants.Ref, at time.Time) error {
	for _, table := range []string{"api_keys", "signing_keys", "auth_configs", "inbox_messages", "outbox_marks", "shut_outs", "project_logs", "project_members", "invitations"} {
		if err := tx.with(ctx).Exec("DELETE FROM "+table+" WHERE ref = ?", string(ref)).Error; err != nil {
			return Fault(err)
		}
	}
	return tx.updateProject(ctx, ref, map[string]any{"status": string(StatusDeleted), "deleted_at": at})
}
