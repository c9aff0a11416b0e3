package controldb

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reevehq/reeve/tenants"
)

// TestLockTimeout: a transaction does not wait for a lock as long as another
// holds it.
func TestLockTimeout(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	b.lockTimeout = 50 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // for ever otherwise
	defer cancel()
	lock := func(tx *Tx) error {
		return tx.with(ctx).Exec("SELECT FROM organizations WHERE id = ? FOR UPDATE", b.org).Error
	}
	err := b.Tx(ctx, func(tx *Tx) error {
		if err := lock(tx); err != nil {
			return err
		}
		if err := b.Tx(ctx, lock); !errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
			t.Errorf("a second transaction: %v, %v", err, ctx.Err())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := b.Tx(ctx, lock); err != nil {
		t.Errorf("after the first: %v", err)
	}
}

// TestRegistryHasItsOwnConnections: the registry reads while every other
// connection is held.
func TestRegistryHasItsOwnConnections(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	for range b.Pool().Config().MaxConns {
		conn, err := b.Pool().Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Release)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // for ever otherwise
	defer cancel()
	if _, err := b.Tenant(ctx, "abcdefghijklmnopqrst"); !errors.Is(err, tenants.ErrUnknownProject) {
		t.Errorf("Tenant: %v", err)
	}
	if _, err := b.RefByKey(ctx, tenants.KeyHash{}); !errors.Is(err, tenants.ErrUnknownKey) {
		t.Errorf("RefByKey: %v", err)
	}
	for _, within := range []time.Duration{0, time.Minute} {
		if _, err := b.Changes(ctx, within); err != nil {
			t.Errorf("Changes: %v", err)
		}
	}
}
