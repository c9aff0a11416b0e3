package controldb

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
)

const (
	refA tenants.Ref = "aaaaaaaaaaaaaaaaaaaa"
	refB tenants.Ref = "bbbbbbbbbbbbbbbbbbbb"
)

func TestTenant(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	dkA, dkB := b.project(t, refA), b.project(t, refB)
	for ref, dk := range map[tenants.Ref]*secret.DataKey{refA: dkA, refB: dkB} {
		got, err := b.Tenant(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		if got.Ref != ref || got.Name != "Shop" || got.Status != tenants.StatusActive || got.ClusterID != "main" ||
			got.URL != "https://"+string(ref)+".example.com" || got.Version == 0 || got.Config.SMTPHost != "smtp.example.com" {
			t.Errorf("tenant = %+v", got)
		}
		s := got.Secrets
		if s.AuthPassword != "auth pw" || s.APIPassword != "api pw" || s.Settings[setting.SMTPPass] != "smtp pw" ||
			s.Capability != Capability(dk) || len(s.RefreshKey) != 32 || len(s.OTPKey) != 32 || len(s.OutboxKey) != 32 {
			t.Error("secrets do not open to what was sealed")
		}
		if len(got.SigningKeys) != 1 || got.SigningKeys[0].Status != tenants.KeyInUse {
			t.Errorf("%d signing keys", len(got.SigningKeys))
		}
	}
	// A row that is moved to another project cannot be decrypted.
	b.exec(t, `UPDATE databases SET secrets = (SELECT secrets FROM databases WHERE ref = $1) WHERE ref = $2`, refA, refB)
	if _, err := b.Tenant(t.Context(), refB); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("Tenant with another's secrets = %v", err)
	}
	if _, err := b.Tenant(t.Context(), "cccccccccccccccccccc"); !errors.Is(err, tenants.ErrUnknownProject) {
		t.Errorf("Tenant of an unknown ref = %v", err)
	}
	if _, err := b.RefByKey(t.Context(), tenants.KeyHash{}); !errors.Is(err, tenants.ErrUnknownKey) {
		t.Errorf("RefByKey of an unknown key = %v", err)
	}
}

// TestChangesAreHeard makes every kind of change to a tenant: each must raise
// its version, be announced, and be found by polling.
func TestChangesAreHeard(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	dk := b.project(t, refA)
	b.project(t, refB)
	unchanged, err := b.Tenant(t.Context(), refB)
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan tenants.Change, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Listen(ctx, func(c tenants.Change) { heard <- c }) }()
	awaitListener(t, b, heard)

	key, _, err := NewAPIKey(b.Hasher(), dk, refA, tenants.KeySecret, "ci")
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name string
		do   func(tx *Tx) error
	}{
		{"name", func(tx *Tx) error { return tx.RenameProject(ctx, refA, "other") }},
		{"status", func(tx *Tx) error { return tx.SetProjectStatus(ctx, refA, tenants.StatusPaused) }},
		{"new API key", func(tx *Tx) error { _, err := tx.CreateAPIKey(ctx, key); return err }},
		{"API key gone", func(tx *Tx) error { return tx.DeleteAPIKey(ctx, refA, key.ID) }},
		{"configuration", func(tx *Tx) error {
			if err := tx.CreateAuthConfig(ctx, AuthConfig{Ref: refA, Version: 2, Config: tenants.DefaultConfig()}); err != nil {
				return err
			}
			return tx.SetConfigVersion(ctx, refA, 2)
		}},
		{"signing key retired", func(tx *Tx) error { return tx.RetireSigningKey(ctx, refA) }},
		{"legacy keys", func(tx *Tx) error { return tx.SetLegacyKeys(ctx, refA, true, time.Now()) }},
		{"schema", func(tx *Tx) error { return tx.DatabaseMigrated(ctx, refA, 99) }},
	}
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			before, err := b.Tenant(ctx, refA)
			if err != nil {
				t.Fatal(err)
			}
			// Within the last hour nothing changed but the step's change.
			b.exec(t, "ALTER TABLE projects DISABLE TRIGGER project_changed")
			b.exec(t, "UPDATE projects SET changed_at = clock_timestamp() - interval '2 hours'")
			b.exec(t, "ALTER TABLE projects ENABLE TRIGGER project_changed")
			b.tx(t, s.do)
			after, err := b.Tenant(ctx, refA)
			if err != nil || after.Version <= before.Version {
				t.Fatalf("version %d after %d, %v", after.Version, before.Version, err)
			}
			for c := range heard {
				// Its creation may be announced late.
				if c.Ref != refA && c != (tenants.Change{Ref: refB, Version: unchanged.Version}) {
					t.Errorf("heard of %s", c.Ref)
				}
				if c.Version >= after.Version {
					break
				}
			}
			changes, err := b.Changes(ctx, time.Hour)
			if err != nil || len(changes) != 1 || changes[0] != (tenants.Change{Ref: refA, Version: after.Version}) {
				t.Errorf("Changes = %v, %v", changes, err)
			}
		})
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Listen = %v", err)
	}
}

// awaitListener changes a project until the listener is notified.
func awaitListener(t *testing.T, b *base, heard <-chan tenants.Change) {
	t.Helper()
	for {
		b.exec(t, "SELECT pg_notify('reeve_project', 'nonsense'), pg_notify('reeve_project', $1 || ':1')", string(refA))
		select {
		case <-heard:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestChangesOfDeleted(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	b.project(t, refA)
	b.project(t, refB)
	b.tx(t, func(tx *Tx) error { return tx.BuryProject(t.Context(), refA, time.Now()) })
	all, err := b.Changes(t.Context(), 0)
	if err != nil || len(all) != 1 || all[0].Ref != refB {
		t.Errorf("all = %v, %v", all, err)
	}
	recent, err := b.Changes(t.Context(), time.Hour)
	if err != nil || len(recent) != 2 {
		t.Errorf("within an hour = %v, %v", recent, err)
	}
	if _, err := b.Tenant(t.Context(), refA); !errors.Is(err, tenants.ErrUnknownProject) {
		t.Errorf("Tenant of a deleted project = %v", err)
	}
}

func FuzzParseChange(f *testing.F) {
	for _, s := range []string{"aaaaaaaaaaaaaaaaaaaa:7", "aaaaaaaaaaaaaaaaaaaa", ":", "aaaaaaaaaaaaaaaaaaaa:-1", "x:1:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		c, ok := parseChange(payload)
		if !ok {
			return
		}
		if _, err := tenants.ParseRef(string(c.Ref)); err != nil || c.Version <= 0 {
			t.Errorf("parseChange(%q) = %+v", payload, c)
		}
	})
}
