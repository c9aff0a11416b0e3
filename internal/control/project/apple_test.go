package project_test

import (
	"slices"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/reevehq/reeve/internal/control/project"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
)

// TestAppleFinding: a client secret for Apple that expires is announced.
func TestAppleFinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref := w.Project(t, w.Acme, "Shop").Project.Ref
	store := func(version int, enabled bool, secrets setting.Secrets) {
		t.Helper()
		dk, err := w.DB.DataKey(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		next := controldb.AuthConfig{Ref: ref, Version: version, Config: tenants.DefaultConfig()}
		next.Config.SiteURL = "https://app.example.com"
		on, _ := setting.ByName("external_apple_enabled")
		on.Set(&next.Config, enabled)
		if err := next.SealSecrets(dk, secrets); err != nil {
			t.Fatal(err)
		}
		err = w.DB.Tx(t.Context(), func(tx *controldb.Tx) error {
			if err := tx.CreateAuthConfig(t.Context(), next); err != nil {
				return err
			}
			return tx.SetConfigVersion(t.Context(), ref, version)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	signed := func(left time.Duration) string {
		raw, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"exp": time.Now().Add(left).Unix()}).SignedString([]byte("key"))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for i, c := range []struct {
		name    string
		enabled bool
		secret  string
		want    []string
	}{
		{"long", true, signed(100 * 24 * time.Hour), nil},
		{"soon", true, signed(10 * 24 * time.Hour), []string{"apple_secret_expires"}},
		{"expired", true, signed(-time.Hour), []string{"apple_secret_expired"}},
		{"switched off", false, signed(-time.Hour), nil},
		{"a key", true, `{"team_id":"t"}`, nil},
		{"none", true, "", nil},
	} {
		store(i+10, c.enabled, setting.Secrets{"external_apple_secret": c.secret})
		var services []project.ServiceHealth
		w.Do(t, w.ReadOnly, "GET", "/v1/projects/"+string(ref)+"/health?services=auth", "").Want(t, 200).Into(t, &services)
		var got []string
		for _, f := range services[0].Findings {
			got = append(got, f.Code)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: findings %v, want %v", c.name, got, c.want)
		}
	}
}
