package controldb

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
)

// DB is the registry's source of tenants.
var _ tenants.Source = (*DB)(nil)

const (
	tenantSQL = `SELECT p.name, p.status, p.version, p.legacy_keys, p.branch_of IS NOT NULL, d.cluster_id, d.schema_version,
		d.wrapped_key, d.secrets, c.version, c.config, c.secrets, o.billing_anchor
		FROM projects p
		JOIN organizations o ON o.id = p.organization_id
		JOIN databases d ON d.ref = p.ref
		JOIN auth_configs c ON c.ref = p.ref AND c.version = p.config_version
		WHERE p.ref = $1 AND p.deleted_at IS NULL AND d.wrapped_key IS NOT NULL`
	tenantKeysSQL = `SELECT id::text, type, name, hash, expires_at, scopes, networks FROM api_keys WHERE ref = $1`
	tenantSignSQL = `SELECT id::text, kid, status, private, imported, legacy FROM signing_keys
		WHERE ref = $1 ORDER BY created_at, id`
)

// Tenant reads a project with everything that belongs to it, in one round trip,
// and decrypts its secrets. A project in any status is returned with that
// status; tenants.ErrUnknownProject for an unknown ref.
func (db *DB) Tenant(ctx context.Context, ref tenants.Ref) (*tenants.Tenant, error) {
	t := &tenants.Tenant{Ref: ref, URL: db.ProjectURL(ref)}
	var head tenantHead
	var keys []tenantKey
	var signing []SigningKey
	// The version is read first: parts that change after that make the snapshot
	// newer than its version, which costs one more load and never a missed
	// change.
	batch := &pgx.Batch{}
	batch.Queue(tenantSQL, string(ref)).QueryRow(head.scanInto(t))
	batch.Queue(tenantKeysSQL, string(ref)).Query(func(rows pgx.Rows) (err error) {
		keys, err = pgx.CollectRows(rows, pgx.RowToStructByPos[tenantKey])
		return err
	})
	batch.Queue(tenantSignSQL, string(ref)).Query(func(rows pgx.Rows) (err error) {
		signing, err = pgx.CollectRows(rows, scanSigningKey)
		return err
	})
	if err := db.registry.SendBatch(ctx, batch).Close(); err != nil {
		return nil, orFault(err, tenants.ErrUnknownProject)
	}
	dk, err := db.keyring.OpenDataKey(string(ref), head.wrapped)
	if err != nil {
		return nil, err
	}
	if err := head.open(t, dk); err != nil {
		return nil, fmt.Errorf("project %s: %w", ref, err)
	}
	t.APIKeys = make(map[tenants.KeyHash]tenants.APIKey, len(keys))
	for _, k := range keys {
		if err := k.addTo(t); err != nil {
			return nil, fmt.Errorf("project %s: %w", ref, err)
		}
	}
	for _, s := range signing {
		key, err := s.Open(dk)
		if err != nil {
			return nil, fmt.Errorf("project %s: %w", ref, err)
		}
		t.SigningKeys = append(t.SigningKeys, key)
	}
	return t, nil
}

// tenantHead is the part of a tenant that is one row.
type tenantHead struct {
	wrapped, passwords []byte
	configVersion      int
	config, secrets    []byte
}

func (h *tenantHead) scanInto(t *tenants.Tenant) func(pgx.Row) error {
	return func(row pgx.Row) error {
		return row.Scan(&t.Name, &t.Status, &t.Version, &t.LegacyKeys, &t.Capture, &t.ClusterID, &t.SchemaVersion,
			&h.wrapped, &h.passwords, &h.configVersion, &h.config, &h.secrets, &t.Anchor)
	}
}

func (h *tenantHead) open(t *tenants.Tenant, dk *secret.DataKey) error {
	passwords, err := OpenPasswords(dk, h.passwords)
	if err != nil {
		return err
	}
	// A field that the stored version does not have keeps its default.
	t.Config = tenants.DefaultConfig()
	if err := json.Unmarshal(h.config, &t.Config); err != nil {
		return fmt.Errorf("decode configuration %d: %w", h.configVersion, err)
	}
	secrets, err := AuthConfig{Version: h.configVersion, Sealed: h.secrets}.OpenSecrets(dk)
	if err != nil {
		return err
	}
	t.Secrets = tenants.Secrets{
		AuthPassword: passwords.Auth,
		APIPassword:  passwords.API,
		Capability:   Capability(dk),
		RefreshKey:   dk.Derive("refresh token"),
		OTPKey:       dk.Derive("one-time token"),
		OutboxKey:    dk.Derive("outbox"),
		Settings:     secrets,
	}
	return nil
}

// Capability authorizes Reeve to write to schema reeve of the project of dk;
// the database has its SHA-256.
func Capability(dk *secret.DataKey) string {
	return base64.RawURLEncoding.EncodeToString(dk.Derive("capability"))
}

type tenantKey struct {
	ID, Type, Name string
	Hash           []byte
	ExpiresAt      *time.Time
	Scopes         []tenants.KeyScope
	Networks       []string
}

func (k tenantKey) addTo(t *tenants.Tenant) error {
	if len(k.Hash) != len(tenants.KeyHash{}) {
		return errors.New("API key " + k.ID + ": hash of a wrong size")
	}
	key := tenants.APIKey{ID: k.ID, Type: tenants.KeyType(k.Type), Name: k.Name, Scopes: k.Scopes}
	if k.Networks != nil {
		key.Networks = make([]netip.Prefix, 0, len(k.Networks))
		for _, s := range k.Networks {
			// Without a network that this release cannot read, the key allows less.
			if n, ok := tenants.ParseNetwork(s); ok {
				key.Networks = append(key.Networks, n)
			}
		}
	}
	if k.ExpiresAt != nil {
		key.ExpiresAt = *k.ExpiresAt
	}
	t.APIKeys[tenants.KeyHash(k.Hash)] = key
	return nil
}

func scanSigningKey(row pgx.CollectableRow) (k SigningKey, err error) {
	var id string
	if err := row.Scan(&id, &k.KID, &k.Status, &k.Sealed, &k.Imported, &k.Legacy); err != nil {
		return k, err
	}
	k.ID, err = uuid.Parse(id)
	return k, err
}

// RefByKey returns the living project that an API key belongs to;
// tenants.ErrUnknownKey.
func (db *DB) RefByKey(ctx context.Context, h tenants.KeyHash) (tenants.Ref, error) {
	var ref tenants.Ref
	err := db.registry.QueryRow(ctx, `SELECT k.ref FROM api_keys k JOIN projects p ON p.ref = k.ref
		WHERE k.hash = $1 AND p.deleted_at IS NULL`, h[:]).Scan(&ref)
	return ref, orFault(err, tenants.ErrUnknownKey)
}

// Changes lists the projects changed within the given time, including deleted
// ones; for 0, all that are not deleted. Times are the database's, which also
// stamped the changes. A change that commits late has the time at which it was
// made, so pass some seconds more than were missed.
func (db *DB) Changes(ctx context.Context, within time.Duration) ([]tenants.Change, error) {
	sql, args := `SELECT ref, version FROM projects WHERE deleted_at IS NULL`, []any{}
	if within > 0 {
		// A scalar subquery, unlike a volatile function, allows the index to be
		// used.
		sql, args = `SELECT ref, version FROM projects WHERE changed_at > (SELECT clock_timestamp() - $1::interval)`, []any{within}
	}
	rows, err := db.registry.Query(ctx, sql, args...)
	if err != nil {
		return nil, Fault(err)
	}
	changes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tenants.Change])
	return changes, Fault(err)
}
