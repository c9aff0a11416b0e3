package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestTerraform replays the Terraform provider's requests for its resources
// supabase_project and supabase_settings (attribute auth).
func TestTerraform(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	var made servertest.Project
	created := reeve.Manage(t, http.MethodPost, "/v1/projects?reveal=true", map[string]any{
		"name": "shop", "organization_slug": "default", "db_pass": "correct horse 1",
		"region_selection": map[string]any{"type": "specific", "code": "eu-central-1"},
	}).Expect(t, 201).Into(t, &made).JSON(t)
	if created["id"] != made.Ref {
		t.Errorf("id = %v, want the ref %s", created["id"], made.Ref)
	}
	path := "/v1/projects/" + made.Ref

	// read returns the values that the state is compared with: name, region,
	// organization, size.
	read := func(name string) {
		t.Helper()
		got := reeve.Manage(t, http.MethodGet, path, nil).Expect(t, 200).JSON(t)
		for field, want := range map[string]string{
			"id": made.Ref, "name": name, "region": "eu-central-1", "organization_id": "default", "status": "ACTIVE_HEALTHY",
		} {
			if got[field] != want {
				t.Errorf("%s = %v, want %s", field, got[field], want)
			}
		}
		addons := reeve.Manage(t, http.MethodGet, path+"/billing/addons", nil).Expect(t, 200)
		if strings.TrimSpace(string(addons.Body)) != `{"selected_addons":[],"available_addons":[]}` {
			t.Errorf("add-ons: %s", addons.Body)
		}
	}
	read("shop")

	// Settings are written when each service in the answer is healthy.
	services := url.Values{"services": {"auth", "db", "db_postgres_user", "pooler", "realtime", "rest", "storage", "pg_bouncer"}}
	var health []struct{ Name, Status string }
	reeve.Manage(t, http.MethodGet, path+"/health?"+services.Encode(), nil).Expect(t, 200).Into(t, &health)
	if len(health) == 0 {
		t.Error("no service is in the answer")
	}
	for _, service := range health {
		if service.Status != "ACTIVE_HEALTHY" {
			t.Errorf("%s is %s", service.Name, service.Status)
		}
	}
	want := map[string]any{"site_url": "https://shop.example.com", "jwt_exp": 1800, "mailer_otp_exp": 600, "disable_signup": true}
	for _, step := range []struct {
		method string
		body   any
	}{{http.MethodPatch, want}, {http.MethodGet, nil}} {
		var got map[string]json.RawMessage
		reeve.Manage(t, step.method, path+"/config/auth", step.body).Expect(t, 200).Into(t, &got)
		for name, value := range want {
			if raw, _ := json.Marshal(value); string(got[name]) != string(raw) {
				t.Errorf("%s: %s = %s, want %s", step.method, name, got[name], raw)
			}
		}
	}

	reeve.Manage(t, http.MethodPatch, path, map[string]any{"name": "store"}).Expect(t, 200)
	read("store")
	reeve.Manage(t, http.MethodPatch, path+"/database/password", map[string]any{"password": "battery staple 2"}).Expect(t, 200)
	connects := func(password string) bool {
		u, err := url.Parse(made.DatabaseURL)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(u.User.Username(), password)
		conn, err := pgx.Connect(t.Context(), u.String())
		if err != nil {
			return false
		}
		_ = conn.Close(t.Context())
		return true
	}
	if connects("correct horse 1") || !connects("battery staple 2") {
		t.Error("the owner role does not have the new password alone")
	}

	reeve.Manage(t, http.MethodDelete, path, nil).Expect(t, 200)
	for _, gone := range []string{path, path + "/config/auth", path + "/billing/addons"} {
		reeve.Manage(t, http.MethodGet, gone, nil).Expect(t, 404)
	}
	reeve.Manage(t, http.MethodDelete, path, nil).Expect(t, 404)
}
