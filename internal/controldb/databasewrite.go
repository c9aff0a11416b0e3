package controldb

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/reevehq/reeve/tenants"
)

// warmLock serializes replicas that count warm databases.
const warmLock = 0x7265657665_01

// CreateDatabase inserts a row in state creating.
func (tx *Tx) CreateDatabase(ctx context.Context, d Database) error {
	row := databaseRow{
		Ref: string(d.Ref), ClusterID: d.ClusterID, State: string(DatabaseCreating),
		WrappedKey: d.Wrapped, Secrets: d.Sealed,
	}
	return Fault(tx.with(ctx).Create(&row).Error)
}

// LockWarmCount makes other replicas wait before they count warm databases,
// until this transaction ends.
func (tx *Tx) LockWarmCount(ctx context.Context) error {
	return Fault(tx.with(ctx).Exec("SELECT pg_advisory_xact_lock(?)", int64(warmLock)).Error)
}

// TakeWarm locks a warm database whose schema is at least version; no two
// transactions get the same one. ErrNoDatabase when none is free.
func (tx *Tx) TakeWarm(ctx context.Context, cluster string, version int64) (Database, error) {
	var row databaseRow
	err := tx.with(ctx).Clauses(clause.Locking{Strength: "UPDATE", Options: "SKIP LOCKED"}).
		Where("cluster_id = ? AND state = 'warm' AND schema_version >= ?", cluster, version).
		Order("created_at").Limit(1).Take(&row).Error
	return row.database(), orFault(err, ErrNoDatabase)
}

// AssignDatabase assigns a warm or finished database to a project.
func (tx *Tx) AssignDatabase(ctx context.Context, ref tenants.Ref) error {
	return tx.moveDatabase(ctx, ref, []DatabaseState{DatabaseWarm, DatabaseCreating}, map[string]any{
		"state": DatabaseAssigned, "attempts": 0, "last_error": nil, "retry_at": nil,
	})
}

// ReopenDatabase returns a warm database to creating with other sealed
// passwords, so that the steps after step are repeated.
func (tx *Tx) ReopenDatabase(ctx context.Context, ref tenants.Ref, step int, sealed []byte) error {
	return tx.moveDatabase(ctx, ref, []DatabaseState{DatabaseWarm}, map[string]any{
		"state": DatabaseCreating, "step": step, "secrets": sealed,
	})
}

// RenewDatabase returns a database to creating, so that the steps after step are
// repeated. One that is being created, or was given up, begins anew. Its project
// must not be served.
func (tx *Tx) RenewDatabase(ctx context.Context, ref tenants.Ref, step int) error {
	return tx.moveDatabase(ctx, ref, []DatabaseState{DatabaseAssigned, DatabaseCreating}, map[string]any{
		"state": DatabaseCreating, "step": step, "attempts": 0, "last_error": nil, "retry_at": nil,
	})
}

// SetDatabaseSecrets replaces the sealed passwords of a project's database.
func (tx *Tx) SetDatabaseSecrets(ctx context.Context, ref tenants.Ref, sealed []byte) error {
	return tx.moveDatabase(ctx, ref, []DatabaseState{DatabaseAssigned}, map[string]any{"secrets": sealed})
}

// WarmDatabase marks a finished database as available.
func (tx *Tx) WarmDatabase(ctx context.Context, ref tenants.Ref) error {
	return tx.moveDatabase(ctx, ref, []DatabaseState{DatabaseCreating}, map[string]any{
		"state": DatabaseWarm, "attempts": 0, "last_error": nil, "retry_at": nil,
	})
}

// StepDone records a provisioning step of a database in state creating.
func (tx *Tx) StepDone(ctx context.Context, ref tenants.Ref, step int) error {
	return tx.moveDatabase(ctx, ref, []DatabaseState{DatabaseCreating}, map[string]any{"step": step})
}

// DropDatabase marks a database as to be dropped, whatever its state.
func (tx *Tx) DropDatabase(ctx context.Context, ref tenants.Ref) error {
	states := []DatabaseState{DatabaseCreating, DatabaseWarm, DatabaseAssigned, DatabaseDropping}
	return tx.moveDatabase(ctx, ref, states, map[string]any{"state": DatabaseDropping, "attempts": 0, "retry_at": nil})
}

// ShredDatabase deletes the data key and the passwords of a database that was
// dropped from its cluster: data sealed with the key can never be decrypted
// again. Its roles may be left.
func (tx *Tx) ShredDatabase(ctx context.Context, ref tenants.Ref) error {
	return tx.moveDatabase(ctx, ref, []DatabaseState{DatabaseDropping}, map[string]any{
		"state": DatabaseDroppingRoles, "wrapped_key": nil, "secrets": nil,
		"attempts": 0, "last_error": nil, "retry_at": nil,
	})
}

// RolesDropped records that a shredded database's roles are gone too, so
// nothing is left. A database that was never assigned leaves no row.
func (tx *Tx) RolesDropped(ctx context.Context, ref tenants.Ref) error {
	err := tx.moveDatabase(ctx, ref, []DatabaseState{DatabaseDroppingRoles}, map[string]any{
		"state": DatabaseDropped, "attempts": 0, "last_error": nil, "retry_at": nil,
	})
	if err != nil {
		return err
	}
	// No row is the usual case: the rows of deleted projects stay.
	return Fault(tx.with(ctx).Where("ref = ? AND state = 'dropped'", string(ref)).
		Where("NOT EXISTS (SELECT 1 FROM projects p WHERE p.ref = databases.ref)").Delete(&databaseRow{}).Error)
}

// failing are the states in which an attempt may fail.
var failing = []DatabaseState{
	DatabaseCreating, DatabaseWarm, DatabaseAssigned, DatabaseDropping, DatabaseDroppingRoles,
}

// DatabaseFailed records a failed attempt and when the next may be made.
func (tx *Tx) DatabaseFailed(ctx context.Context, ref tenants.Ref, cause string, retryAt time.Time) error {
	return tx.moveDatabase(ctx, ref, failing, map[string]any{
		"attempts": gorm.Expr("attempts + 1"), "last_error": cause, "retry_at": retryAt,
	})
}

// DatabaseDeferred records why an attempt could not be made and when the next
// is due; it does not count as an attempt.
func (tx *Tx) DatabaseDeferred(ctx context.Context, ref tenants.Ref, cause string, retryAt time.Time) error {
	return tx.moveDatabase(ctx, ref, failing, map[string]any{"last_error": cause, "retry_at": retryAt})
}

// DatabaseWorks records that an attempt at an assigned database succeeded.
func (tx *Tx) DatabaseWorks(ctx context.Context, ref tenants.Ref) error {
	return tx.moveDatabase(ctx, ref, []DatabaseState{DatabaseAssigned}, map[string]any{
		"attempts": 0, "last_error": nil, "retry_at": nil,
	})
}

// DatabaseMigrated records the version of a complete database's schema.
func (tx *Tx) DatabaseMigrated(ctx context.Context, ref tenants.Ref, version int64) error {
	states := []DatabaseState{DatabaseCreating, DatabaseWarm, DatabaseAssigned}
	return tx.moveDatabase(ctx, ref, states, map[string]any{
		"schema_version": version, "attempts": 0, "last_error": nil, "retry_at": nil,
	})
}

func (tx *Tx) moveDatabase(ctx context.Context, ref tenants.Ref, from []DatabaseState, set map[string]any) error {
	set["updated_at"] = gorm.Expr("now()")
	return changed(tx.with(ctx).Model(&databaseRow{}).
		Where("ref = ? AND state IN ?", string(ref), from).Updates(set), ErrStale)
}
