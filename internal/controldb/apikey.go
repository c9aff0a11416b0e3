package controldb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
)

// ErrNoAPIKey is returned for an id that is not an API key of the project.
var ErrNoAPIKey = fault.New(fault.NotFound, "api_key_not_found", "API key not found")

// apiKeyPrefix is how many characters of the random part stay readable, to
// distinguish keys: 5 of 22.
const apiKeyPrefix = 5

// APIKey is a row of api_keys. The text of a secret key is not stored.
type APIKey struct {
	ID          uuid.UUID
	Ref         tenants.Ref
	Type        tenants.KeyType
	Name        string
	Description *string
	Prefix      string // the first characters after the type's prefix
	Hash        tenants.KeyHash
	Sealed      []byte // the text of a publishable key
	CreatedAt   time.Time
	UpdatedAt   time.Time
	ExpiresAt   *time.Time
	Scopes      []tenants.KeyScope // nil for all
	Networks    []string           // nil for all
	Successor   *uuid.UUID         // of a key that was replaced
}

type apiKeyRow struct {
	ID          uuid.UUID `gorm:"primaryKey"`
	Ref         string
	Type        string
	Name        string
	Description *string
	Prefix      string
	Hash        []byte
	Sealed      []byte
	CreatedAt   time.Time `gorm:"default:now()"`
	UpdatedAt   time.Time `gorm:"default:now()"`
	ExpiresAt   *time.Time
	Scopes      []tenants.KeyScope `gorm:"serializer:json"`
	Networks    []string           `gorm:"serializer:json"`
	Successor   *uuid.UUID
}

func (apiKeyRow) TableName() string { return "api_keys" }

func (r apiKeyRow) apiKey() APIKey {
	k := APIKey{
		ID: r.ID, Ref: tenants.Ref(r.Ref), Type: tenants.KeyType(r.Type), Name: r.Name, Description: r.Description,
		Prefix: r.Prefix, Sealed: r.Sealed, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, ExpiresAt: r.ExpiresAt,
		Scopes: r.Scopes, Networks: r.Networks, Successor: r.Successor,
	}
	copy(k.Hash[:], r.Hash)
	return k
}

func apiKeyRowOf(k APIKey) apiKeyRow {
	return apiKeyRow{
		ID: k.ID, Ref: string(k.Ref), Type: string(k.Type), Name: k.Name, Description: k.Description,
		Prefix: k.Prefix, Hash: k.Hash[:], Sealed: k.Sealed, ExpiresAt: k.ExpiresAt,
		Scopes: k.Scopes, Networks: k.Networks, Successor: k.Successor,
	}
}

// NewAPIKey generates a key of the project: the row to create, and its text,
// which for a secret key is stored nowhere.
func NewAPIKey(h tenants.KeyHasher, dk *secret.DataKey, ref tenants.Ref, t tenants.KeyType, name string) (APIKey, string, error) {
	text := tenants.NewKey(t)
	k := APIKey{
		ID: uuid.New(), Ref: ref, Type: t, Name: name, Hash: h.Hash(text),
		Prefix: text[len(t.Prefix()) : len(t.Prefix())+apiKeyPrefix],
	}
	if t == tenants.KeyPublishable {
		sealed, err := dk.Seal(k.place(), []byte(text))
		if err != nil {
			return APIKey{}, "", err
		}
		k.Sealed = sealed
	}
	return k, text, nil
}

// Text opens a publishable key's text; "" for a secret key.
func (k APIKey) Text(dk *secret.DataKey) (string, error) {
	if k.Sealed == nil {
		return "", nil
	}
	raw, err := dk.Open(k.place(), k.Sealed)
	return string(raw), err
}

func (k APIKey) place() string { return "api_keys/sealed/" + k.ID.String() }

// CreateAPIKey inserts a key and returns it with its times; a taken name is
// fault conflict.
func (tx *Tx) CreateAPIKey(ctx context.Context, k APIKey) (APIKey, error) {
	row := apiKeyRowOf(k)
	err := tx.with(ctx).Create(&row).Error
	return row.apiKey(), Fault(err)
}

// APIKeys lists a project's keys, the oldest first; of those created in one
// transaction, publishable ones first.
func (r reader) APIKeys(ctx context.Context, ref tenants.Ref) ([]APIKey, error) {
	var rows []apiKeyRow
	err := r.with(ctx).Where("ref = ?", string(ref)).Order("created_at, type, id").Find(&rows).Error
	out := make([]APIKey, len(rows))
	for i, row := range rows {
		out[i] = row.apiKey()
	}
	return out, Fault(err)
}

// APIKeyByID finds a key of the project; ErrNoAPIKey.
func (r reader) APIKeyByID(ctx context.Context, ref tenants.Ref, id uuid.UUID) (APIKey, error) {
	var row apiKeyRow
	err := r.with(ctx).Where("ref = ? AND id = ?", string(ref), id).Take(&row).Error
	return row.apiKey(), orFault(err, ErrNoAPIKey)
}

// UpdateAPIKey stores everything but the text of a key; ErrNoAPIKey.
func (tx *Tx) UpdateAPIKey(ctx context.Context, k APIKey) (APIKey, error) {
	row := apiKeyRowOf(k)
	err := changed(tx.with(ctx).Model(&row).Where("ref = ?", row.Ref).
		Select("name", "description", "expires_at", "scopes", "networks", "successor", "updated_at").
		Updates(&row), ErrNoAPIKey)
	if err != nil {
		return APIKey{}, fmt.Errorf("update API key: %w", err)
	}
	return tx.APIKeyByID(ctx, k.Ref, k.ID)
}

// DeleteAPIKey removes a key, which is refused from then on, and what is known of
// its use. ErrNoAPIKey.
func (tx *Tx) DeleteAPIKey(ctx context.Context, ref tenants.Ref, id uuid.UUID) error {
	err := changed(tx.with(ctx).Where("ref = ? AND id = ?", string(ref), id).Delete(&apiKeyRow{}), ErrNoAPIKey)
	if err != nil {
		return err
	}
	return tx.forgetKey(ctx, ref, id)
}
