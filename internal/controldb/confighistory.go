package controldb

import (
	"context"

	"github.com/reevehq/reeve/tenants"
)

// The bounds of a project's history of its configuration. The version in force
// stays in any case.
const (
	maxConfigVersions = 200
	maxConfigBytes    = 16 << 20
)

// AuthConfigVersions lists up to limit versions of a project's configuration below
// before, the newest first; 0 begins with the newest.
func (r reader) AuthConfigVersions(ctx context.Context, ref tenants.Ref, before, limit int) ([]AuthConfig, error) {
	var rows []authConfigRow
	q := r.with(ctx).Where("ref = ?", string(ref))
	if before > 0 {
		q = q.Where("version < ?", before)
	}
	if err := q.Order("version DESC").Limit(limit).Find(&rows).Error; err != nil {
		return nil, Fault(err)
	}
	out := make([]AuthConfig, len(rows))
	for i, row := range rows {
		var err error
		if out[i], err = row.authConfig(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// trimAuthConfigs removes the oldest versions beyond the bounds.
func (tx *Tx) trimAuthConfigs(ctx context.Context, ref tenants.Ref) error {
	return Fault(tx.with(ctx).Exec(`DELETE FROM auth_configs c USING (
			SELECT version, row_number() OVER newest AS n,
				sum(octet_length(config::text) + coalesce(octet_length(secrets), 0)) OVER newest AS bytes
			FROM auth_configs WHERE ref = @ref WINDOW newest AS (ORDER BY version DESC)
		) k
		WHERE c.ref = @ref AND c.version = k.version AND (k.n > @versions OR k.bytes > @bytes)
			AND c.version <> (SELECT config_version FROM projects WHERE ref = @ref)`,
		map[string]any{"ref": string(ref), "versions": maxConfigVersions, "bytes": maxConfigBytes}).Error)
}

// ChangeAuthConfig inserts a version and puts it in force. Lock the project first.
func (tx *Tx) ChangeAuthConfig(ctx context.Context, c AuthConfig) error {
	if err := tx.CreateAuthConfig(ctx, c); err != nil {
		return err
	}
	if err := tx.SetConfigVersion(ctx, c.Ref, c.Version); err != nil {
		return err
	}
	return tx.trimAuthConfigs(ctx, c.Ref)
}
