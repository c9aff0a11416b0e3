package controldb

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reevehq/reeve/tenants"
)

// TestChangesWithoutNotify: while no notification can be sent, as when the
// server's NOTIFY queue is full, changes are made all the same, and another
// process finds them when it polls.
func TestChangesWithoutNotify(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	dk := b.project(t, refA)
	row, key, err := NewAPIKey(b.Hasher(), dk, refA, tenants.KeySecret, "ci")
	if err != nil {
		t.Fatal(err)
	}
	b.tx(t, func(tx *Tx) error { _, err := tx.CreateAPIKey(t.Context(), row); return err })
	// The queue is too large to be filled here.
	b.exec(t, `CREATE SCHEMA full_queue`)
	b.exec(t, `CREATE FUNCTION full_queue.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS $$
		BEGIN RAISE EXCEPTION 'too many notifications in the NOTIFY queue' USING ERRCODE = 'program_limit_exceeded'; END $$`)
	url := b.url + "&search_path=full_queue,pg_catalog,public"
	process, other := openBase(t, url, b.masterKey), openBase(t, url, b.masterKey)
	if _, err := process.Pool().Exec(t.Context(), `SELECT pg_notify('x', 'y')`); err == nil {
		t.Fatal("notifications are sent")
	}
	registry := tenants.NewRegistry(other, other.Hasher(), tenants.RegistryOptions{PollInterval: 10 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- registry.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	if _, _, err := registry.ByKey(ctx, key); err != nil {
		t.Fatal(err)
	}
	config := tenants.DefaultConfig()
	config.SMTPHost = "smtp.example.org"
	err = process.Tx(ctx, func(tx *Tx) error {
		if err := tx.CreateAuthConfig(ctx, AuthConfig{Ref: refA, Version: 2, Config: config}); err != nil {
			return err
		}
		return tx.SetConfigVersion(ctx, refA, 2)
	})
	if err != nil {
		t.Fatalf("settings: %v", err)
	}
	await(t, func() bool {
		tenant, err := registry.Tenant(ctx, refA)
		return err == nil && tenant.Config.SMTPHost == config.SMTPHost
	})
	if err := process.Tx(ctx, func(tx *Tx) error { return tx.DeleteAPIKey(ctx, refA, row.ID) }); err != nil {
		t.Fatalf("revoke a key: %v", err)
	}
	await(t, func() bool {
		_, _, err := registry.ByKey(ctx, key)
		return errors.Is(err, tenants.ErrUnknownKey)
	})
}

// await waits until ok returns true.
func await(t *testing.T, ok func() bool) {
	t.Helper()
	for tries := 0; !ok(); tries++ {
		if tries > 2000 {
			t.Fatal("the change is not in force")
		}
		time.Sleep(5 * time.Millisecond)
	}
}
