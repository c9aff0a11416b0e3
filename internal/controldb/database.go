package controldb

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
)

// DatabaseState is the state of a project's database.
type DatabaseState string

// The life of a database: creating → warm (complete, not assigned) → assigned →
// dropping → dropping_roles (the database and its key are gone, its roles are
// left) → dropped. A cold one goes from creating straight to assigned.
const (
	DatabaseCreating      DatabaseState = "creating"
	DatabaseWarm          DatabaseState = "warm"
	DatabaseAssigned      DatabaseState = "assigned"
	DatabaseDropping      DatabaseState = "dropping"
	DatabaseDroppingRoles DatabaseState = "dropping_roles"
	DatabaseDropped       DatabaseState = "dropped"
)

// ErrNoDatabase is returned when there is no such row of databases.
var ErrNoDatabase = fault.New(fault.NotFound, "project_not_found", "Project not found")

// secretsPlace is the context under which a database's role passwords are
// sealed.
const secretsPlace = "databases/secrets"

// Database is a row of databases. Wrapped and Sealed are nil once shredded.
type Database struct {
	Ref           tenants.Ref
	ClusterID     string
	State         DatabaseState
	Step          int
	Wrapped       []byte
	Sealed        []byte
	SchemaVersion int64
	Attempts      int
	LastError     string
	CreatedAt     time.Time
}

// Passwords are the passwords of a project's login roles.
type Passwords struct {
	Auth  string `json:"auth"`
	API   string `json:"api"`
	Owner string `json:"owner"`
	// Query is derived from the project's data key and not stored.
	Query string `json:"-"`
}

// String hides the passwords.
func (Passwords) String() string { return "[redacted]" }

// GoString hides the passwords.
func (Passwords) GoString() string { return "[redacted]" }

// Seal seals the passwords for Database.Sealed.
func (p Passwords) Seal(dk *secret.DataKey) ([]byte, error) {
	raw, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode role passwords: %w", err)
	}
	return dk.Seal(secretsPlace, raw)
}

// OpenPasswords is the inverse of Passwords.Seal.
func OpenPasswords(dk *secret.DataKey, sealed []byte) (Passwords, error) {
	var p Passwords
	raw, err := dk.Open(secretsPlace, sealed)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return p, fmt.Errorf("decode role passwords: %w", err)
	}
	p.Query = base64.RawURLEncoding.EncodeToString(dk.Derive("password of the query role"))
	return p, nil
}

type databaseRow struct {
	Ref           string `gorm:"primaryKey"`
	ClusterID     string
	State         string
	Step          int
	WrappedKey    []byte
	Secrets       []byte
	SchemaVersion int64
	Attempts      int
	LastError     *string
	CreatedAt     time.Time `gorm:"default:now()"`
}

func (databaseRow) TableName() string { return "databases" }

func (r databaseRow) database() Database {
	d := Database{
		Ref: tenants.Ref(r.Ref), ClusterID: r.ClusterID, State: DatabaseState(r.State), Step: r.Step,
		Wrapped: r.WrappedKey, Sealed: r.Secrets, SchemaVersion: r.SchemaVersion,
		Attempts: r.Attempts, CreatedAt: r.CreatedAt,
	}
	if r.LastError != nil {
		d.LastError = *r.LastError
	}
	return d
}

func databases(rows []databaseRow) []Database {
	out := make([]Database, len(rows))
	for i, r := range rows {
		out[i] = r.database()
	}
	return out
}

// DatabaseByRef returns one row; ErrNoDatabase.
func (r reader) DatabaseByRef(ctx context.Context, ref tenants.Ref) (Database, error) {
	var row databaseRow
	err := r.with(ctx).Where("ref = ?", string(ref)).Take(&row).Error
	return row.database(), orFault(err, ErrNoDatabase)
}

// DataKey opens a project's data key. ErrNoDatabase once it was shredded.
func (db *DB) DataKey(ctx context.Context, ref tenants.Ref) (*secret.DataKey, error) {
	d, err := db.DatabaseByRef(ctx, ref)
	if err != nil {
		return nil, err
	}
	if d.Wrapped == nil {
		return nil, ErrNoDatabase
	}
	return db.keyring.OpenDataKey(string(ref), d.Wrapped)
}

// UnfinishedDatabases lists the databases that are being created or dropped,
// were not given up (maxAttempts), and are due for another attempt.
func (r reader) UnfinishedDatabases(ctx context.Context, cluster string, maxAttempts int, now time.Time) ([]Database, error) {
	var rows []databaseRow
	err := r.with(ctx).
		Where("state = 'dropping' OR (state = 'creating' AND attempts < ?)", maxAttempts).
		Where("cluster_id = ? AND (retry_at IS NULL OR retry_at <= ?)", cluster, now).
		Order("created_at").Find(&rows).Error
	return databases(rows), Fault(err)
}

// RolesLeft lists the dropped databases whose roles still exist and are due for
// another attempt to drop them.
func (r reader) RolesLeft(ctx context.Context, cluster string, now time.Time) ([]Database, error) {
	var rows []databaseRow
	err := r.with(ctx).
		Where("state = 'dropping_roles' AND cluster_id = ? AND (retry_at IS NULL OR retry_at <= ?)", cluster, now).
		Order("retry_at NULLS FIRST, created_at").Find(&rows).Error
	return databases(rows), Fault(err)
}

// Databases lists the databases of the cluster, existing or being created, the
// oldest first.
func (r reader) Databases(ctx context.Context, cluster string) ([]Database, error) {
	var rows []databaseRow
	err := r.with(ctx).Where("cluster_id = ? AND state NOT IN ('dropping_roles', 'dropped')", cluster).Order("created_at").Find(&rows).Error
	return databases(rows), Fault(err)
}

// DatabasesBelow lists the complete databases whose schema is older than
// version, the oldest first.
func (r reader) DatabasesBelow(ctx context.Context, cluster string, version int64) ([]Database, error) {
	var rows []databaseRow
	err := r.with(ctx).
		Where("cluster_id = ? AND state IN ('warm', 'assigned') AND schema_version < ?", cluster, version).
		Order("created_at").Find(&rows).Error
	return databases(rows), Fault(err)
}

// CountWarm counts the warm databases of the cluster, including those being
// created.
func (r reader) CountWarm(ctx context.Context, cluster string) (int, error) {
	var n int64
	err := r.with(ctx).Table("databases AS d").
		Where("d.cluster_id = ? AND d.state IN ('creating', 'warm')", cluster).
		Where("NOT EXISTS (SELECT 1 FROM projects p WHERE p.ref = d.ref)").Count(&n).Error
	return int(n), Fault(err)
}

// RefsOf returns those of the refs that have a row that is not dropped.
func (r reader) RefsOf(ctx context.Context, refs []tenants.Ref) (map[tenants.Ref]bool, error) {
	names := make([]string, len(refs))
	for i, ref := range refs {
		names[i] = string(ref)
	}
	var found []string
	err := r.with(ctx).Table("databases").Where("ref IN ? AND state <> 'dropped'", names).Pluck("ref", &found).Error
	out := make(map[tenants.Ref]bool, len(found))
	for _, f := range found {
		out[tenants.Ref(f)] = true
	}
	return out, Fault(err)
}
