package authconfig_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/reevehq/reeve/internal/control/authconfig"
)

// realm is a provider that knows the client shop with the secret right. As
// RFC 6749, section 5.2, has it, it checks the client before the code.
func realm(t *testing.T) (address string, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /protocol/openid-connect/auth", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Query().Get("client_id") != "shop" || !strings.HasSuffix(r.URL.Query().Get("redirect_uri"), ".example.com/auth/v1/callback") {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	mux.HandleFunc("POST /protocol/openid-connect/token", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		if r.FormValue("client_id") != "shop" || r.FormValue("client_secret") != "right" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":"invalid_client","error_description":"bad credentials of ` + r.FormValue("client_secret") + `"}`))
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"Code not valid"}`))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL, asked
}

func TestProviderTester(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	address, asked := realm(t)
	test := func(name, body string) (out authconfig.ProviderTest) {
		t.Helper()
		w.Do(t, w.Developer, "POST", path+"/providers/"+name+"/test", body).Want(t, 200).Into(t, &out)
		return out
	}
	check := func(got authconfig.ProviderTest) string {
		var out []string
		for _, c := range got.Checks {
			out = append(out, c.Name+"="+c.Status)
		}
		return strings.Join(out, " ")
	}
	got := test("keycloak", `{}`)
	if got.OK || strings.Join(got.Missing, " ") != "external_keycloak_client_id external_keycloak_url" || len(got.Checks) != 0 ||
		got.CallbackURL != "https://"+string(ref)+".example.com/auth/v1/callback" {
		t.Errorf("%+v", got)
	}
	config := func(secret string) string {
		return `{"config":{"external_keycloak_enabled":true,"external_keycloak_client_id":"shop","external_keycloak_url":"` + address + `","external_keycloak_secret":"` + secret + `"}}`
	}
	if got = test("keycloak", config("right")); !got.OK || !got.Enabled || check(got) != "authorize=passed token=passed" || !strings.Contains(got.Checks[1].Detail, "invalid_grant: Code not valid") {
		t.Errorf("%+v", got)
	}
	got = test("keycloak", config("wrong one"))
	if got.OK || check(got) != "authorize=passed token=failed" || !strings.Contains(got.Checks[1].Detail, "invalid_client") || strings.Contains(got.Checks[1].Detail, "wrong one") {
		t.Errorf("%+v", got)
	}
	if got = test("keycloak", strings.Replace(config("right"), `"shop"`, `"other"`, 1)); got.OK || check(got) != "authorize=failed token=failed" {
		t.Errorf("%+v", got)
	}
	if got = test("keycloak", strings.Replace(config("right"), address, "http://127.0.0.1:1", 1)); got.OK || check(got) != "authorize=failed token=failed" || !strings.Contains(got.Checks[0].Detail, "refused") {
		t.Errorf("%+v", got)
	}
	if got = test("keycloak", `{"config":{"external_keycloak_client_id":"shop","external_keycloak_url":"`+address+`"}}`); !got.OK || check(got) != "authorize=passed token=skipped" || got.Enabled {
		t.Errorf("%+v", got)
	}

	// The saved secret counts, at the saved address only.
	w.Do(t, w.Developer, "PATCH", path, strings.TrimSuffix(strings.TrimPrefix(config("right"), `{"config":`), "}")).Want(t, 200)
	if got = test("keycloak", `{}`); !got.OK || !got.Enabled || check(got) != "authorize=passed token=passed" {
		t.Errorf("%+v", got)
	}
	thief, stolen := realm(t)
	var all map[string]any
	w.Do(t, w.Developer, "GET", path, "").Want(t, 200).Into(t, &all)
	for _, body := range []string{
		`{"config":{"external_keycloak_url":"` + thief + `"}}`,
		`{"config":{"external_keycloak_url":"` + thief + `","external_keycloak_secret":"` + all["external_keycloak_secret"].(string) + `"}}`,
	} {
		w.Do(t, w.Developer, "POST", path+"/providers/keycloak/test", body).Refused(t, 400, "validation_failed", "external_keycloak_secret: is required")
	}
	if stolen.Load() != 0 || asked.Load() == 0 {
		t.Error("the saved secret went elsewhere")
	}
	w.Do(t, w.Developer, "POST", path+"/providers/nothing/test", `{}`).Refused(t, 404, "provider_not_found", "")
	for _, body := range []string{`{"config":{"site_url":"https://x"}}`, `{"config":{"external_google_client_id":"x"}}`, `{"config":{"external_keycloak_enabled":5}}`, `{"config":{"external_keycloak_url":"x"}}`, `{"config":5}`} {
		w.Do(t, w.Developer, "POST", path+"/providers/keycloak/test", body).Refused(t, 400, "validation_failed", "")
	}
	w.Do(t, w.ReadOnly, "POST", path+"/providers/keycloak/test", `{}`).Refused(t, 403, "forbidden", "")
	w.Do(t, w.Stranger, "POST", path+"/providers/keycloak/test", `{}`).Refused(t, 404, "project_not_found", "")
}
