package controldb

import (
	"testing"

	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
)

// TestStoredAuthConfig: a row that another release wrote is read, as a version
// and as part of the tenant.
func TestStoredAuthConfig(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	ref := tenants.NewRef()
	dk := b.project(t, ref)
	sealed, err := dk.Seal("auth_configs/secrets/2", []byte(`{"smtp_pass":"hunter2","of_a_later_release":"kept"}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Pool().Exec(t.Context(), `INSERT INTO auth_configs (ref, version, config, secrets) VALUES ($1, 2, $2, $3)`, string(ref),
		`{"jwt_exp": 60, "site_url": "https://a.example", "smtp_host": "", "sessions_timebox": 0.5, "disable_signup": true,
		  "of_a_later_release": [1]}`, sealed)
	if err != nil {
		t.Fatal(err)
	}
	b.tx(t, func(tx *Tx) error { return tx.SetConfigVersion(t.Context(), ref, 2) })

	want := tenants.DefaultConfig()
	want.JWTExp, want.SiteURL, want.SessionsTimebox, want.DisableSignup = 60, "https://a.example", 0.5, true
	stored, err := b.AuthConfigVersion(t.Context(), ref, 2)
	if err != nil || stored.Config != want {
		t.Errorf("%+v, %v", stored.Config, err)
	}
	secrets, err := stored.OpenSecrets(dk)
	if err != nil || secrets[setting.SMTPPass] != "hunter2" || secrets["of_a_later_release"] != "kept" {
		t.Errorf("%d secrets, %v", len(secrets), err)
	}
	tenant, err := b.Tenant(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	if tenant.Config != want || tenant.Secrets.Settings[setting.SMTPPass] != "hunter2" {
		t.Errorf("%+v", tenant.Config)
	}
}
