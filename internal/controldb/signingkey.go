package controldb

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
)

// ErrNoSigningKey is returned for an id that is not a signing key of the
// project.
var ErrNoSigningKey = fault.New(fault.NotFound, "signing_key_not_found", "Signing key not found")

// SigningKey is a row of signing_keys; its private half is sealed.
type SigningKey struct {
	ID        uuid.UUID
	Ref       tenants.Ref
	KID       string
	Algorithm string
	Status    tenants.KeyStatus
	Sealed    []byte          // private JWK
	PublicJWK json.RawMessage // nil for HS256
	Imported  bool
	Legacy    bool // the HS256 secret that legacy API keys are signed with
	CreatedAt time.Time
	UpdatedAt time.Time
}

type signingKeyRow struct {
	ID        uuid.UUID `gorm:"primaryKey"`
	Ref       string
	Kid       string
	Algorithm string
	Status    string
	Private   []byte
	PublicJWK *string `gorm:"column:public_jwk"`
	Imported  bool
	Legacy    bool
	CreatedAt time.Time `gorm:"default:now()"`
	UpdatedAt time.Time `gorm:"default:now()"`
}

func (signingKeyRow) TableName() string { return "signing_keys" }

func (r signingKeyRow) signingKey() SigningKey {
	k := SigningKey{
		ID: r.ID, Ref: tenants.Ref(r.Ref), KID: r.Kid, Algorithm: r.Algorithm, Status: tenants.KeyStatus(r.Status),
		Sealed: r.Private, Imported: r.Imported, Legacy: r.Legacy, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
	if r.PublicJWK != nil {
		k.PublicJWK = json.RawMessage(*r.PublicJWK)
	}
	return k
}

// SealSigningKey returns the row for a project's key, with the key's status and
// origin. The row's id is the kid of a generated key. An imported kid may be in
// use in another project too, so its row gets a new id.
func SealSigningKey(dk *secret.DataKey, ref tenants.Ref, key tenants.SigningKey) (SigningKey, error) {
	id, err := uuid.Parse(key.ID)
	if err != nil || key.Imported {
		id = uuid.New()
	}
	raw, err := json.Marshal(jose.JSONWebKey{Key: key.Private, KeyID: key.ID, Algorithm: key.Algorithm, Use: "sig"})
	if err != nil {
		return SigningKey{}, fmt.Errorf("encode signing key: %w", err)
	}
	row := SigningKey{
		ID: id, Ref: ref, KID: key.ID, Algorithm: key.Algorithm, Status: key.Status,
		PublicJWK: key.PublicJWK, Imported: key.Imported, Legacy: key.Legacy,
	}
	row.Sealed, err = dk.Seal(row.place(), raw)
	return row, err
}

// Open decrypts the key's private half and returns the key.
func (k SigningKey) Open(dk *secret.DataKey) (tenants.SigningKey, error) {
	raw, err := dk.Open(k.place(), k.Sealed)
	if err != nil {
		return tenants.SigningKey{}, err
	}
	key, err := tenants.ParseSigningKey(raw)
	if err != nil {
		return tenants.SigningKey{}, fmt.Errorf("signing key %s: %w", k.ID, err)
	}
	key.Status, key.Imported, key.Legacy = k.Status, k.Imported, k.Legacy
	return key, nil
}

func (k SigningKey) place() string { return "signing_keys/private/" + k.ID.String() }

// CreateSigningKey inserts a key and returns it with its times. A taken kid, or
// a second key in use, is fault conflict.
func (tx *Tx) CreateSigningKey(ctx context.Context, k SigningKey) (SigningKey, error) {
	row := signingKeyRow{
		ID: k.ID, Ref: string(k.Ref), Kid: k.KID, Algorithm: k.Algorithm, Status: string(k.Status),
		Private: k.Sealed, Imported: k.Imported, Legacy: k.Legacy,
	}
	if k.PublicJWK != nil {
		s := string(k.PublicJWK)
		row.PublicJWK = &s
	}
	err := tx.with(ctx).Create(&row).Error
	return row.signingKey(), Fault(err)
}

// SigningKeys lists a project's keys, the oldest first.
func (r reader) SigningKeys(ctx context.Context, ref tenants.Ref) ([]SigningKey, error) {
	var rows []signingKeyRow
	err := r.with(ctx).Where("ref = ?", string(ref)).Order("created_at, id").Find(&rows).Error
	out := make([]SigningKey, len(rows))
	for i, row := range rows {
		out[i] = row.signingKey()
	}
	return out, Fault(err)
}

// SigningKeyByID finds a key of the project; ErrNoSigningKey.
func (r reader) SigningKeyByID(ctx context.Context, ref tenants.Ref, id uuid.UUID) (SigningKey, error) {
	var row signingKeyRow
	err := r.with(ctx).Where("ref = ? AND id = ?", string(ref), id).Take(&row).Error
	return row.signingKey(), orFault(err, ErrNoSigningKey)
}

// RetireSigningKey makes the project's key in use a previously used one;
// without such a key it does nothing.
func (tx *Tx) RetireSigningKey(ctx context.Context, ref tenants.Ref) error {
	return Fault(tx.with(ctx).Model(&signingKeyRow{}).Where("ref = ? AND status = 'in_use'", string(ref)).
		Updates(map[string]any{"status": string(tenants.KeyPreviouslyUsed), "updated_at": gorm.Expr("now()")}).Error)
}

// SetSigningKeyStatus moves a key; ErrNoSigningKey.
func (tx *Tx) SetSigningKeyStatus(ctx context.Context, ref tenants.Ref, id uuid.UUID, to tenants.KeyStatus) (SigningKey, error) {
	err := changed(tx.with(ctx).Model(&signingKeyRow{}).Where("ref = ? AND id = ?", string(ref), id).
		Updates(map[string]any{"status": string(to), "updated_at": gorm.Expr("now()")}), ErrNoSigningKey)
	if err != nil {
		return SigningKey{}, err
	}
	return tx.SigningKeyByID(ctx, ref, id)
}

// DeleteSigningKey removes a key with its private half; ErrNoSigningKey.
func (tx *Tx) DeleteSigningKey(ctx context.Context, ref tenants.Ref, id uuid.UUID) error {
	return changed(tx.with(ctx).Where("ref = ? AND id = ?", string(ref), id).Delete(&signingKeyRow{}), ErrNoSigningKey)
}
