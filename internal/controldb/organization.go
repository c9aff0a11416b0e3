package controldb

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/billing"
	"github.com/reevehq/reeve/internal/fault"
)

// Organization is a row of organizations.
type Organization struct {
	ID          uuid.UUID
	Slug        string // names it on the wire; never changes
	Name        string
	Plan        string
	MaxProjects int
	// MaxEphemeral is how many projects with a time to live it may have; they do
	// not count as MaxProjects does.
	MaxEphemeral int
	Anchor       billing.Anchor // when its billing periods begin; never changes
	CreatedAt    time.Time
	DeletedAt    *time.Time
	// MFARequired admits only people who proved a second factor.
	MFARequired bool
}

type organizationRow struct {
	ID           uuid.UUID `gorm:"primaryKey"`
	Slug         string
	Name         string
	Plan         string         `gorm:"default:free"`
	MaxProjects  int            `gorm:"default:100"`
	MaxEphemeral int            `gorm:"column:max_ephemeral_projects;default:100"`
	Anchor       billing.Anchor `gorm:"column:billing_anchor;default:extract(day FROM now() AT TIME ZONE 'UTC')"`
	CreatedAt    time.Time      `gorm:"default:now()"`
	DeletedAt    *time.Time
	MFARequired  bool `gorm:"column:mfa_required"`
}

func (organizationRow) TableName() string { return "organizations" }

func (r organizationRow) organization() Organization { return Organization(r) }

// NewSlug generates an organization's slug: 20 lower-case letters.
func NewSlug() string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	out := make([]byte, 0, 20)
	buf := make([]byte, 32)
	for len(out) < 20 {
		_, _ = rand.Read(buf)
		for _, b := range buf {
			// 234 = 9*26: reject the rest so that every letter is equally likely.
			if b < 234 && len(out) < 20 {
				out = append(out, letters[b%26])
			}
		}
	}
	return string(out)
}

// ErrOrganizationLimit is returned when a user owns all the organizations they
// may.
var ErrOrganizationLimit = fault.New(fault.Forbidden, "organization_limit_reached",
	"You own the maximum number of organizations")

// CheckOrganizationLimit locks the user's organizations and checks that they
// are fewer than most: ErrOrganizationLimit.
func (tx *Tx) CheckOrganizationLimit(ctx context.Context, owner uuid.UUID, most int) error {
	if err := tx.with(ctx).Exec("SELECT pg_advisory_xact_lock(hashtextextended('organizations of ' || ?::text, 0))", owner).Error; err != nil {
		return Fault(err)
	}
	var have int64
	err := tx.with(ctx).Model(&memberRow{}).Where("user_id = ? AND role = ?", owner, string(Owner)).Count(&have).Error
	if err == nil && have >= int64(most) {
		return ErrOrganizationLimit
	}
	return Fault(err)
}

// CreateOrganization inserts an organization and returns it with generated
// values for id, slug, plan and the limits of projects where they are zero. A
// taken slug is fault conflict.
func (tx *Tx) CreateOrganization(ctx context.Context, o Organization) (Organization, error) {
	if o.ID == uuid.Nil {
		o.ID = uuid.New()
	}
	if o.Slug == "" {
		o.Slug = NewSlug()
	}
	row := organizationRow(o)
	err := tx.with(ctx).Create(&row).Error
	return row.organization(), Fault(err)
}

// OrganizationBySlug finds an organization; fault organization_not_found.
func (r reader) OrganizationBySlug(ctx context.Context, slug string) (Organization, error) {
	var row organizationRow
	err := r.with(ctx).Where("slug = ? AND deleted_at IS NULL", slug).Take(&row).Error
	return row.organization(), orFault(err, errNoOrganization)
}

// OrganizationByID finds an organization; fault organization_not_found.
func (r reader) OrganizationByID(ctx context.Context, id uuid.UUID) (Organization, error) {
	var row organizationRow
	err := r.with(ctx).Where("id = ?", id).Take(&row).Error
	return row.organization(), orFault(err, errNoOrganization)
}

// OrganizationsOf lists the organizations that a user is a member of, or that
// have a living project in which the user has a role, by name.
func (r reader) OrganizationsOf(ctx context.Context, user uuid.UUID) ([]Organization, error) {
	var rows []organizationRow
	err := r.with(ctx).
		Where(`id IN (SELECT organization_id FROM members WHERE user_id = @user
			UNION SELECT p.organization_id FROM project_members m JOIN projects p USING (ref)
			       WHERE m.user_id = @user AND p.deleted_at IS NULL)`, map[string]any{"user": user}).
		Order("name, id").Find(&rows).Error
	out := make([]Organization, len(rows))
	for i, row := range rows {
		out[i] = row.organization()
	}
	return out, Fault(err)
}

// OrganizationChange has what a change sets; nil stays as it is.
type OrganizationChange struct {
	Name        *string
	MFARequired *bool
}

// ChangeOrganization changes an organization; fault organization_not_found.
func (tx *Tx) ChangeOrganization(ctx context.Context, id uuid.UUID, c OrganizationChange) error {
	set := map[string]any{}
	if c.Name != nil {
		set["name"] = *c.Name
	}
	if c.MFARequired != nil {
		set["mfa_required"] = *c.MFARequired
	}
	return changed(tx.with(ctx).Model(&organizationRow{}).Where("id = ?", id).Updates(set), errNoOrganization)
}

// ErrOrganizationNotEmpty keeps an organization that has projects.
var ErrOrganizationNotEmpty = fault.New(fault.Conflict, "organization_not_empty", "The organization has projects: delete them first")

// DeleteOrganization ends an organization without projects: its members, roles,
// invitations and service tokens go, and its slug stays taken.
// ErrOrganizationNotEmpty; fault organization_not_found.
func (tx *Tx) DeleteOrganization(ctx context.Context, id uuid.UUID, at time.Time) error {
	// Creating a project locks the row too.
	var locked []uuid.UUID
	err := tx.with(ctx).Raw("SELECT id FROM organizations WHERE id = ? AND deleted_at IS NULL FOR UPDATE", id).Scan(&locked).Error
	if err != nil {
		return Fault(err)
	}
	if len(locked) == 0 {
		return errNoOrganization
	}
	var projects int64
	if err := tx.with(ctx).Model(&projectRow{}).Where("organization_id = ? AND deleted_at IS NULL", id).Count(&projects).Error; err != nil {
		return Fault(err)
	}
	if projects > 0 {
		return ErrOrganizationNotEmpty
	}
	for _, table := range []string{"members", "invitations", "service_tokens", "roles"} {
		if err := tx.with(ctx).Exec("DELETE FROM "+table+" WHERE organization_id = ?", id).Error; err != nil {
			return Fault(err)
		}
	}
	return changed(tx.with(ctx).Model(&organizationRow{}).Where("id = ?", id).Update("deleted_at", at), errNoOrganization)
}

// SlugTaken reports whether an organization has the slug, or had it.
func (r reader) SlugTaken(ctx context.Context, slug string) (taken bool, err error) {
	err = r.with(ctx).Raw("SELECT EXISTS (SELECT FROM organizations WHERE slug = ?)", slug).Scan(&taken).Error
	return taken, Fault(err)
}
