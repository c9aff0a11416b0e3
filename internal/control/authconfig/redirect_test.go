package authconfig_test

import (
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/control/authconfig"
)

func TestRedirectTester(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	w.Do(t, w.Developer, "PATCH", path, `{"site_url":"https://app.example.com","uri_allow_list":"https://*.example.com/x, myapp://**"}`).Want(t, 200)
	test := func(body string) (out authconfig.RedirectTest) {
		t.Helper()
		w.Do(t, w.ReadOnly, "POST", path+"/test-redirect", body).Want(t, 200).Into(t, &out)
		return out
	}
	got := test(`{"redirect_to":"https://a.example.com/x"}`)
	if !got.Allowed || *got.By != 1 || got.Patterns[1].Entry != 1 || got.Patterns[1].Setting != "uri_allow_list" || got.Patterns[0].Reason != "The host does not match." {
		t.Errorf("%+v", got)
	}
	if got = test(`{"redirect_to":"https://other.test/"}`); got.Allowed || got.By != nil || got.Target != "https://app.example.com" {
		t.Errorf("%+v", got)
	}
	// What is not saved yet.
	if got = test(`{"redirect_to":"https://other.test/","config":{"site_url":"https://other.test","uri_allow_list":null}}`); !got.Allowed || *got.By != 0 || len(got.Patterns) != 1 {
		t.Errorf("%+v", got)
	}
	if got = test(`{"redirect_to":"https://other.test/"}`); got.Allowed {
		t.Error("a test changed the configuration")
	}
	for _, body := range []string{`{}`, `{"redirect_to":""}`, `{"redirect_to":5}`, `{"redirect_to":"https://x","config":{"site_url":"x"}}`, `{"redirect_to":"https://x","config":{"nothing":1}}`, `{"redirect_to":"https://x","config":[]}`, `{"redirect_to":"` + strings.Repeat("x", 8193) + `"}`} {
		w.Do(t, w.Owner, "POST", path+"/test-redirect", body).Refused(t, 400, "validation_failed", "")
	}
	w.Do(t, w.Stranger, "POST", path+"/test-redirect", `{"redirect_to":"https://x"}`).Refused(t, 404, "project_not_found", "")
	var entries int
	if err := w.DB.Pool().QueryRow(t.Context(), `SELECT count(*) FROM audit_log WHERE entry LIKE '%test-redirect%'`).Scan(&entries); err != nil || entries != 0 {
		t.Errorf("%d entries in the audit log, %v", entries, err)
	}
}
