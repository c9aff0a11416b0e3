package controldb

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
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

// MemberRole returns a user's role in an organization, "" when they are no member.
func (r reader) MemberRole(ctx context.Context, organization, user uuid.UUID) (Role, error) {
	var row memberRow
	err := r.with(ctx).Where("organization_id = ? AND user_id = ?", organization, user).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return "", nil
	}
	return Role(row.Role), Fault(err)
}
