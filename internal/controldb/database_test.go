package controldb

import (
	"errors"
	"testing"
	"time"

	"github.com/reevehq/reeve/tenants"
)

// TestShredded: a database whose roles are left has no key, is not listed on
// the cluster, keeps its ref from Orphans, and ends when the roles are gone.
func TestShredded(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	b.project(t, refA)
	ctx := t.Context()
	b.tx(t, func(tx *Tx) error { return tx.DropDatabase(ctx, refA) })
	if err := b.Tx(ctx, func(tx *Tx) error { return tx.RolesDropped(ctx, refA) }); !errors.Is(err, ErrStale) {
		t.Errorf("RolesDropped before the database is = %v", err)
	}
	b.tx(t, func(tx *Tx) error { return tx.ShredDatabase(ctx, refA) })
	if _, err := b.DataKey(ctx, refA); !errors.Is(err, ErrNoDatabase) {
		t.Errorf("DataKey = %v", err)
	}
	if there, err := b.Databases(ctx, "main"); err != nil || len(there) != 0 {
		t.Errorf("Databases = %v, %v", there, err)
	}
	if known, err := b.RefsOf(ctx, []tenants.Ref{refA}); err != nil || !known[refA] {
		t.Errorf("RefsOf = %v, %v", known, err)
	}
	now := time.Now()
	if left, err := b.RolesLeft(ctx, "main", now); err != nil || len(left) != 1 {
		t.Errorf("RolesLeft = %v, %v", left, err)
	}
	b.tx(t, func(tx *Tx) error { return tx.DatabaseFailed(ctx, refA, "no", now.Add(time.Minute)) })
	if left, err := b.RolesLeft(ctx, "main", now); err != nil || len(left) != 0 {
		t.Errorf("RolesLeft before its time = %v, %v", left, err)
	}
	b.tx(t, func(tx *Tx) error { return tx.RolesDropped(ctx, refA) })
	if d, err := b.DatabaseByRef(ctx, refA); err != nil || d.State != DatabaseDropped || d.LastError != "" {
		t.Errorf("a project's row at the end: %s, %q, %v", d.State, d.LastError, err)
	}
}

// TestShreddedWarm: a database that was never assigned leaves no row.
func TestShreddedWarm(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	ctx := t.Context()
	b.tx(t, func(tx *Tx) error {
		return tx.CreateDatabase(ctx, Database{Ref: refA, ClusterID: "main", Wrapped: []byte{1}})
	})
	b.tx(t, func(tx *Tx) error { return tx.DropDatabase(ctx, refA) })
	b.tx(t, func(tx *Tx) error { return tx.ShredDatabase(ctx, refA) })
	b.tx(t, func(tx *Tx) error { return tx.RolesDropped(ctx, refA) })
	if _, err := b.DatabaseByRef(ctx, refA); !errors.Is(err, ErrNoDatabase) {
		t.Errorf("DatabaseByRef = %v", err)
	}
}
