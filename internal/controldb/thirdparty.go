package controldb

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// ErrNoThirdParty is returned for an id that is not an issuer that the project
// trusts.
var ErrNoThirdParty = fault.New(fault.NotFound, "third_party_auth_not_found", "The project trusts no such issuer")

// ThirdParty is an issuer whose access tokens a project trusts.
type ThirdParty struct {
	ID         uuid.UUID `gorm:"primaryKey"`
	Ref        string
	Issuer     string
	JWKSURL    string            `gorm:"column:jwks_url"` // as it was given
	KeysURL    string            // where the keys are; "" for CustomJWKS
	CustomJWKS []json.RawMessage `gorm:"column:custom_jwks;serializer:json"`
	Audiences  []string          `gorm:"serializer:json"`
	Resolved   []json.RawMessage `gorm:"serializer:json"`
	ResolvedAt *time.Time
	CreatedAt  time.Time `gorm:"default:now()"`
}

// TableName implements gorm's Tabler.
func (ThirdParty) TableName() string { return "third_party_issuers" }

// CreateThirdParty inserts an issuer and returns it with its time. An issuer that
// the project trusts already is fault conflict.
func (tx *Tx) CreateThirdParty(ctx context.Context, p ThirdParty) (ThirdParty, error) {
	err := tx.with(ctx).Create(&p).Error
	return p, Fault(err)
}

// ThirdParties lists the issuers that a project trusts, the oldest first.
func (r reader) ThirdParties(ctx context.Context, ref tenants.Ref) ([]ThirdParty, error) {
	out := []ThirdParty{}
	err := r.with(ctx).Where("ref = ?", string(ref)).Order("created_at, id").Find(&out).Error
	return out, Fault(err)
}

// ThirdPartyByID finds an issuer that the project trusts; ErrNoThirdParty.
func (r reader) ThirdPartyByID(ctx context.Context, ref tenants.Ref, id uuid.UUID) (ThirdParty, error) {
	var p ThirdParty
	err := r.with(ctx).Where("ref = ? AND id = ?", string(ref), id).Take(&p).Error
	return p, orFault(err, ErrNoThirdParty)
}

// DeleteThirdParty ends the trust in an issuer; ErrNoThirdParty.
func (tx *Tx) DeleteThirdParty(ctx context.Context, ref tenants.Ref, id uuid.UUID) error {
	return changed(tx.with(ctx).Where("ref = ? AND id = ?", string(ref), id).Delete(&ThirdParty{}), ErrNoThirdParty)
}
