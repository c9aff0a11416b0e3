package controldb

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reevehq/reeve/tenants"
)

// TestLockTimeout: no statement waits for a lock as long as another session holds
// it, in a transaction or not.
func TestLockTimeout(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	const ref = tenants.Ref("abcdefghijklmnopqrst")
	b.project(t, ref)
	impatient := openBase(t, b.url, b.masterKey, func(o *Options) { o.LockTimeout = 50 * time.Millisecond })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // for ever otherwise
	defer cancel()
	calls := map[string]func() error{
		"transaction": func() error {
			return impatient.Tx(ctx, func(tx *Tx) error { return tx.with(ctx).Exec("DELETE FROM databases WHERE false").Error })
		},
		"mark":     func() error { return impatient.MarkOutbox(ctx, ref, "email") },
		"data key": func() error { _, err := impatient.DataKey(ctx, ref); return err },
		"registry": func() error { _, err := impatient.Tenant(ctx, ref); return err },
	}
	err := b.Tx(ctx, func(tx *Tx) error {
		if err := tx.with(ctx).Exec("LOCK TABLE databases, outbox_marks, projects").Error; err != nil {
			return err
		}
		for name, call := range calls {
			if err := call(); !errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
				t.Errorf("%s: %v, %v", name, err, ctx.Err())
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for name, call := range calls {
		if err := call(); err != nil {
			t.Errorf("%s, after the lock: %v", name, err)
		}
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
