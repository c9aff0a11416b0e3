package controldb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// ErrNoServiceToken is returned for a text or an id that is not that of a valid
// service token.
var ErrNoServiceToken = fault.New(fault.NotFound, "service_token_not_found", "Service token not found")

// ServiceToken is a row of service_tokens: an organization's key to the Management
// API.
type ServiceToken struct {
	ID             uuid.UUID
	OrganizationID uuid.UUID
	Name           string
	Projects       []tenants.Ref // nil = all of the organization
	Permissions    []string
	CreatedBy      uuid.UUID
	CreatedAt      time.Time
	ExpiresAt      time.Time
	LastUsedAt     *time.Time // exact to a minute
}

// Scope is what the token may at most do.
func (t ServiceToken) Scope() TokenScope {
	s := TokenScope{Projects: t.Projects, Permissions: t.Permissions}
	if t.Projects == nil {
		s.Organizations = []uuid.UUID{t.OrganizationID}
	}
	if s.Permissions == nil {
		s.Permissions = []string{} // nil would mean all
	}
	return s
}

type serviceTokenRow struct {
	ID             uuid.UUID `gorm:"primaryKey"`
	OrganizationID uuid.UUID
	Name           string
	Hash           []byte
	Projects       []tenants.Ref `gorm:"serializer:json"`
	Permissions    []string      `gorm:"serializer:json"`
	CreatedBy      uuid.UUID
	CreatedAt      time.Time `gorm:"default:now()"`
	ExpiresAt      time.Time
	LastUsedAt     *time.Time
}

func (serviceTokenRow) TableName() string { return "service_tokens" }

func (r serviceTokenRow) serviceToken() ServiceToken {
	return ServiceToken{
		ID: r.ID, OrganizationID: r.OrganizationID, Name: r.Name, Projects: r.Projects, Permissions: r.Permissions,
		CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt, LastUsedAt: r.LastUsedAt,
	}
}

// CreateServiceToken generates a token with the fields of t. Its text has the form
// of an access token, because the tools of the ecosystem accept no other; only this
// call returns it. A name that another token of the organization has is fault
// conflict.
func (tx *Tx) CreateServiceToken(ctx context.Context, hasher tenants.KeyHasher, t ServiceToken) (ServiceToken, string, error) {
	text := newAccessToken()
	hash := hasher.Hash(text)
	row := serviceTokenRow{
		ID: uuid.New(), OrganizationID: t.OrganizationID, Name: t.Name, Hash: hash[:],
		Projects: t.Projects, Permissions: t.Permissions, CreatedBy: t.CreatedBy, ExpiresAt: t.ExpiresAt,
	}
	if err := tx.with(ctx).Create(&row).Error; err != nil {
		return ServiceToken{}, "", Fault(fmt.Errorf("create service token: %w", err))
	}
	return row.serviceToken(), text, nil
}

// ServiceTokenByText finds the token with this text. ErrNoServiceToken when it is
// malformed, unknown or expired. It records the use, at most once a minute.
func (db *DB) ServiceTokenByText(ctx context.Context, text string) (ServiceToken, error) {
	if !accessTokenForm.MatchString(text) {
		return ServiceToken{}, ErrNoServiceToken
	}
	hash := db.Hasher().Hash(text)
	var row serviceTokenRow
	if err := db.with(ctx).Where("hash = ?", hash[:]).Take(&row).Error; err != nil {
		return ServiceToken{}, orFault(err, ErrNoServiceToken)
	}
	now := db.now()
	if !now.Before(row.ExpiresAt) {
		return ServiceToken{}, ErrNoServiceToken
	}
	if row.LastUsedAt == nil || now.Sub(*row.LastUsedAt) > time.Minute {
		// A failure to record the use refuses nobody.
		err := db.with(ctx).Model(&serviceTokenRow{}).
			Where("id = ? AND (last_used_at IS NULL OR last_used_at < ?)", row.ID, now).
			Update("last_used_at", now).Error
		if err != nil {
			db.log.WarnContext(ctx, "last use of a service token is not noted", "token", row.ID, "error", err)
		}
	}
	return row.serviceToken(), nil
}

// ServiceTokensOf lists an organization's tokens, expired ones too, the oldest
// first.
func (r reader) ServiceTokensOf(ctx context.Context, organization uuid.UUID) ([]ServiceToken, error) {
	var rows []serviceTokenRow
	err := r.with(ctx).Where("organization_id = ?", organization).Order("created_at, id").Find(&rows).Error
	out := make([]ServiceToken, len(rows))
	for i, row := range rows {
		out[i] = row.serviceToken()
	}
	return out, Fault(err)
}

// DeleteServiceToken removes a token of an organization, which is refused from
// then on. ErrNoServiceToken.
func (tx *Tx) DeleteServiceToken(ctx context.Context, organization, id uuid.UUID) error {
	return changed(tx.with(ctx).Where("id = ? AND organization_id = ?", id, organization).Delete(&serviceTokenRow{}), ErrNoServiceToken)
}

// ServiceTokens lists the tokens of all organizations, expired ones too, the oldest
// first.
func (db *DB) ServiceTokens(ctx context.Context) ([]ServiceToken, error) {
	var rows []serviceTokenRow
	err := db.with(ctx).Order("created_at, id").Find(&rows).Error
	out := make([]ServiceToken, len(rows))
	for i, row := range rows {
		out[i] = row.serviceToken()
	}
	return out, Fault(err)
}

// RevokeServiceToken removes a token of any organization, which is refused from
// then on. ErrNoServiceToken.
func (db *DB) RevokeServiceToken(ctx context.Context, id uuid.UUID) error {
	return changed(db.with(ctx).Where("id = ?", id).Delete(&serviceTokenRow{}), ErrNoServiceToken)
}
