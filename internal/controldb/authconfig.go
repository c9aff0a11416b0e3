package controldb

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
)

// ErrNoAuthConfig is returned for a version that a project's configuration does
// not have.
var ErrNoAuthConfig = fault.New(fault.NotFound, "auth_config_not_found", "Configuration not found")

// AuthConfig is one version of a project's auth configuration. Versions are
// never changed; projects.config_version names the one in force.
type AuthConfig struct {
	Ref       tenants.Ref
	Version   int // from 1
	Config    tenants.Config
	Sealed    []byte // the secret settings, as JSON by name; nil when there are none
	Author    *uuid.UUID
	Reason    string // in the author's words, at most 500 characters
	CreatedAt time.Time
}

type authConfigRow struct {
	Ref       string `gorm:"primaryKey"`
	Version   int    `gorm:"primaryKey;autoIncrement:false"`
	Config    string
	Secrets   []byte
	Author    *uuid.UUID
	Reason    string
	CreatedAt time.Time `gorm:"default:now()"`
}

func (authConfigRow) TableName() string { return "auth_configs" }

// authConfig reads the stored JSON over the defaults, so that a field newer
// than the row has its default.
func (r authConfigRow) authConfig() (AuthConfig, error) {
	c := AuthConfig{
		Ref: tenants.Ref(r.Ref), Version: r.Version, Config: tenants.DefaultConfig(),
		Sealed: r.Secrets, Author: r.Author, Reason: r.Reason, CreatedAt: r.CreatedAt,
	}
	if err := json.Unmarshal([]byte(r.Config), &c.Config); err != nil {
		return AuthConfig{}, fmt.Errorf("auth configuration %s version %d: %w", r.Ref, r.Version, err)
	}
	return c, nil
}

// SealSecrets seals the secret settings into the version that c has.
func (c *AuthConfig) SealSecrets(dk *secret.DataKey, s setting.Secrets) error {
	if len(s) == 0 {
		c.Sealed = nil
		return nil
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode auth secrets: %w", err)
	}
	c.Sealed, err = dk.Seal(c.place(), raw)
	return err
}

// OpenSecrets is the inverse of SealSecrets.
func (c AuthConfig) OpenSecrets(dk *secret.DataKey) (setting.Secrets, error) {
	if c.Sealed == nil {
		return nil, nil
	}
	raw, err := dk.Open(c.place(), c.Sealed)
	if err != nil {
		return nil, err
	}
	var s setting.Secrets
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("decode auth secrets: %w", err)
	}
	return s, nil
}

func (c AuthConfig) place() string { return "auth_configs/secrets/" + strconv.Itoa(c.Version) }

// CreateAuthConfig inserts a version. An existing version is fault conflict:
// two changes started from the same one.
func (tx *Tx) CreateAuthConfig(ctx context.Context, c AuthConfig) error {
	raw, err := json.Marshal(c.Config)
	if err != nil {
		return fmt.Errorf("encode auth configuration: %w", err)
	}
	row := authConfigRow{Ref: string(c.Ref), Version: c.Version, Config: string(raw), Secrets: c.Sealed, Author: c.Author, Reason: c.Reason}
	return Fault(tx.with(ctx).Create(&row).Error)
}

// AuthConfigVersion returns one version of a project's configuration;
// ErrNoAuthConfig.
func (r reader) AuthConfigVersion(ctx context.Context, ref tenants.Ref, version int) (AuthConfig, error) {
	var row authConfigRow
	err := r.with(ctx).Where("ref = ? AND version = ?", string(ref), version).Take(&row).Error
	if err != nil {
		return AuthConfig{}, orFault(err, ErrNoAuthConfig)
	}
	return row.authConfig()
}

// LockProject returns a living project and locks it, its keys and its
// configuration until the transaction ends; ErrNoProject.
func (tx *Tx) LockProject(ctx context.Context, ref tenants.Ref) (Project, error) {
	return tx.project(tx.with(ctx).Clauses(forUpdate).Where("ref = ?", string(ref)))
}

// LatestAuthConfigVersion returns the highest version that a project has; 0 when
// there is none. Lock the project first.
func (tx *Tx) LatestAuthConfigVersion(ctx context.Context, ref tenants.Ref) (int, error) {
	var latest int
	err := tx.with(ctx).Raw("SELECT coalesce(max(version), 0) FROM auth_configs WHERE ref = ?", string(ref)).
		Row().Scan(&latest)
	return latest, Fault(err)
}
