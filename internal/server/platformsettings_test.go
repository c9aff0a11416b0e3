package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestPlatformSettings: an operator who is signed in changes how people sign in to
// the installation; nobody else does, and the operator sees nothing more of that
// project than its settings and its log.
func TestPlatformSettings(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	db := reeve.Control(t)
	people := platform(t, reeve)
	id, operator := developer(t, people, "olga@example.com")
	_, stranger := developer(t, people, "stranger@example.com")
	user := uuid.MustParse(id)
	if err := db.Tx(t.Context(), func(tx *controldb.Tx) error { return tx.AddOperator(t.Context(), user, nil) }); err != nil {
		t.Fatal(err)
	}
	personal, err := db.CreateAccessToken(t.Context(), user, "of the operator")
	if err != nil {
		t.Fatal(err)
	}
	as := func(token, method, path string, body any) *servertest.Answer {
		return reeve.Do(t, method, path, body, "Authorization", "Bearer "+token)
	}
	ref := as(operator, http.MethodGet, "/v1/operator", nil).Expect(t, 200).JSON(t)["platform_ref"].(string)
	project := "/v1/projects/" + ref
	config := project + "/config/auth"

	for name, token := range map[string]string{"another person": stranger, "a token of the operator": personal, "the first operator's token": reeve.Token} {
		for _, r := range [][2]string{{http.MethodGet, project}, {http.MethodGet, config}, {http.MethodPatch, config}, {http.MethodGet, project + "/permissions"}} {
			var body any
			if r[0] == http.MethodPatch {
				body = map[string]any{"password_min_length": 20}
			}
			if a := as(token, r[0], r[1], body); a.Status != 404 || a.JSON(t)["code"] != "project_not_found" {
				t.Errorf("%s %s as %s: %d %s", r[0], r[1], name, a.Status, a.Body)
			}
		}
	}

	held := as(operator, http.MethodGet, project+"/permissions", nil).Expect(t, 200)
	if got := string(held.Body); !strings.Contains(got, "auth_config:write") || strings.Contains(got, "user:") || strings.Contains(got, "api_key") || strings.Contains(got, "database") {
		t.Errorf("permissions: %s", got)
	}
	for _, path := range []string{"/auth/users", "/api-keys", "/inbox", "/database/tables"} {
		if a := as(operator, http.MethodGet, project+path, nil); a.Status != 403 {
			t.Errorf("GET %s: %d %s", path, a.Status, a.Body)
		}
	}
	for _, r := range [][2]string{{http.MethodDelete, ""}, {http.MethodPost, "/pause"}} {
		if a := as(operator, r[0], project+r[1], nil); a.Status != 403 {
			t.Errorf("%s %s: %d %s", r[0], r[1], a.Status, a.Body)
		}
	}
	if a := as(operator, http.MethodPost, project+"/database/query", map[string]any{"query": "select 1"}); a.Status != 403 {
		t.Errorf("SQL: %d %s", a.Status, a.Body)
	}

	// What would lock everybody out is refused, by a dry run too.
	for _, body := range []map[string]any{
		{"external_email_enabled": false},
		{"security_captcha_enabled": true, "security_captcha_provider": "turnstile", "security_captcha_secret": "secret"},
	} {
		for _, query := range []string{"", "?dry_run=true"} {
			if a := as(operator, http.MethodPatch, config+query, body); a.Status != 400 || a.JSON(t)["code"] != "validation_failed" {
				t.Errorf("%v%s: %d %s", body, query, a.Status, a.Body)
			}
		}
	}

	as(operator, http.MethodPatch, config, map[string]any{
		"password_min_length": 11, "disable_signup": true,
		"security_captcha_enabled": true, "security_captcha_provider": "turnstile", "security_captcha_secret": "secret", "security_captcha_site_key": "1x00000000000000000000AA",
	}).Expect(t, 200)
	eventually(t, "the dashboard knows", func() bool {
		auth := reeve.Do(t, http.MethodGet, "/dashboard/config", nil, "Host", "reeve.test").Expect(t, 200).JSON(t)["auth"].(map[string]any)
		return auth["sign_up"] == false && auth["captcha"] == "turnstile" && auth["captcha_site_key"] == "1x00000000000000000000AA" &&
			auth["passwords"].(map[string]any)["min_length"] == float64(11)
	})

	// An operator who is one no more changes nothing.
	if err := db.Tx(t.Context(), func(tx *controldb.Tx) error { return tx.RemoveOperator(t.Context(), user) }); err != nil {
		t.Fatal(err)
	}
	if a := as(operator, http.MethodPatch, config, map[string]any{"password_min_length": 12}); a.Status != 404 {
		t.Errorf("a former operator: %d %s", a.Status, a.Body)
	}
}
