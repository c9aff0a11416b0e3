package authconfig_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/control/authconfig"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

type version struct {
	Version int
	Author  string
	Reason  string
	InForce bool `json:"in_force"`
	Changed []string
}

func TestHistory(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	w.Do(t, w.Owner, "PATCH", path+"?reason=new+domain", `{"site_url":"https://a.example.com","smtp_host":"h.example.com","smtp_admin_email":"a@example.com","smtp_pass":"hunter2 one"}`).Want(t, 200)
	w.Do(t, w.Developer, "PATCH", path, `{"jwt_exp":900,"smtp_pass":"hunter2 two"}`).Want(t, 200)
	w.Do(t, w.Developer, "PATCH", path, `{"jwt_exp":900}`).Want(t, 200) // changes nothing

	var list []version
	got := w.Do(t, w.ReadOnly, "GET", path+"/history", "").Want(t, 200)
	got.Into(t, &list)
	if len(list) != 3 || list[0].Version != 3 || !list[0].InForce || list[1].InForce || list[1].Reason != "new domain" ||
		list[1].Author != w.OwnerID.String() || strings.Join(list[0].Changed, " ") != "jwt_exp smtp_pass" || len(list[2].Changed) != 0 {
		t.Errorf("history = %+v", list)
	}
	var diff authconfig.Difference
	raw := w.Do(t, w.ReadOnly, "GET", path+"/history/3", "").Want(t, 200)
	raw.Into(t, &diff)
	if diff.From != 2 || len(diff.Changes) != 2 || diff.Changes[0].Before != 3600.0 || diff.Changes[0].After != 900.0 || !diff.Changes[1].Secret ||
		diff.Changes[1].Before == diff.Changes[1].After {
		t.Errorf("diff = %+v", diff)
	}
	for _, answer := range [][]byte{got.Body, raw.Body, w.Do(t, w.Owner, "GET", path+"/history/1?from=3", "").Want(t, 200).Body} {
		if strings.Contains(string(answer), "hunter2") {
			t.Errorf("a secret is shown: %s", answer)
		}
	}
	w.Do(t, w.Owner, "GET", path+"/history/9", "").Refused(t, 404, "auth_config_not_found", "")

	// A rollback restores secrets, and is a version of its own.
	etag := w.Do(t, w.Owner, "GET", path, "").Want(t, 200).Header.Get("ETag")
	if etag != `"3"` {
		t.Errorf("ETag = %s", etag)
	}
	w.Do(t, w.Owner, "POST", path+"/history/2/rollback?dry_run=true", "").Want(t, 200, `"dry_run":true`, `"jwt_exp"`)
	w.Do(t, w.Owner, "POST", path+"/history/2/rollback", "", "If-Match", `"2"`).Refused(t, 409, "auth_config_changed", "")
	w.Do(t, w.Owner, "POST", path+"/history/2/rollback?reason=undo", "", "If-Match", etag).Want(t, 200, `"jwt_exp":3600`)
	w.Do(t, w.Owner, "GET", path+"/history/4?from=2", "").Want(t, 200, `"changes":[]`)
	tenant, err := w.DB.Tenant(t.Context(), ref)
	if err != nil || tenant.Secrets.Settings["smtp_pass"] != "hunter2 one" {
		t.Errorf("the rollback did not restore the secret: %v", err)
	}

	for _, bad := range []string{"x", `"0"`, `"-1"`, `"4", "5"`, `W/"4"`, `"04"`, "4x"} {
		w.Do(t, w.Owner, "PATCH", path, `{"jwt_exp":901}`, "If-Match", bad).Refused(t, 400, "validation_failed", "If-Match")
	}
	w.Do(t, w.Owner, "PATCH", path, `{"jwt_exp":901}`, "If-Match", `"3"`).Refused(t, 409, "auth_config_changed", "")
	w.Do(t, w.Owner, "PATCH", path, `{"jwt_exp":901}`, "If-Match", `"4"`).Want(t, 200)
	w.Do(t, w.Owner, "PATCH", path+"?reason="+strings.Repeat("x", 501), `{"jwt_exp":902}`).Want(t, 400)
	w.Do(t, w.Owner, "PATCH", path+"?reason=a%00b", `{"jwt_exp":902}`).Want(t, 400)
	w.Do(t, w.ReadOnly, "POST", path+"/history/2/rollback", "").Refused(t, 403, "forbidden", "")
	w.Do(t, w.ReadOnly, "PATCH", path+"?dry_run=true", `{"jwt_exp":902}`).Refused(t, 403, "forbidden", "")
	w.Do(t, w.Stranger, "GET", path+"/history", "").Want(t, 404)
	w.Do(t, w.Owner, "GET", path+"/history?limit=1&before=3", "").Want(t, 200, `"version":2`)
}

// TestHistoryIsBounded: the oldest versions go.
func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	w.Exec(t, `INSERT INTO auth_configs (ref, version, config) SELECT $1, n, '{}' FROM generate_series(2, 400) n`, string(ref))
	w.Do(t, w.Owner, "PATCH", path, `{"jwt_exp":901}`).Want(t, 200)
	count := func() (n, first int) {
		if err := w.DB.Pool().QueryRow(t.Context(), `SELECT count(*), min(version) FROM auth_configs WHERE ref = $1`, string(ref)).Scan(&n, &first); err != nil {
			t.Fatal(err)
		}
		return n, first
	}
	if n, first := count(); n != 200 || first != 202 {
		t.Errorf("%d versions from %d", n, first)
	}
	w.Exec(t, `UPDATE auth_configs SET config = jsonb_build_object('x', repeat('x', 10000000)) WHERE ref = $1 AND version IN (390, 391)`, string(ref))
	w.Do(t, w.Owner, "PATCH", path, `{"jwt_exp":902}`).Want(t, 200)
	if n, first := count(); first != 391 || n != 12 {
		t.Errorf("%d versions from %d", n, first)
	}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	users := []tenantdb.WaysIn{{Ways: []string{"email"}, Users: 312}, {Ways: []string{"email", "phone"}, Users: 5}, {Ways: []string{"email", "custom:x"}, Users: 7}}
	w := controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{&authconfig.Handler{Service: &authconfig.Service{
			DB: w.DB, Authz: w.Authz, CheckTemplate: message.NewChecker(1).Check, Now: controltest.Now,
			WaysIn: func(context.Context, tenants.Ref) ([]tenantdb.WaysIn, error) { return users, nil },
		}}}
	})
	path := fmt.Sprintf("/v1/projects/%s/config/auth", w.Project(t, w.Acme, "Shop").Project.Ref)
	w.Do(t, w.Owner, "PATCH", path, `{"external_phone_enabled":true}`).Want(t, 200)
	w.Do(t, w.Owner, "PATCH", path+"?dry_run=true", `{"external_email_enabled":false,"disable_signup":true,"smtp_pass":"hunter2"}`).
		Want(t, 200, "This disables the only way in of 312 users.", "New users cannot sign up.", `"external_email_enabled"`, `"version":2`)
	w.Do(t, w.Owner, "PATCH", path+"?dry_run=true", `{"jwt_exp":901}`).Want(t, 200, `"warnings":[]`)
	w.Do(t, w.Owner, "PATCH", path+"?dry_run=true", `{"jwt_exp":0}`).Refused(t, 400, "validation_failed", "jwt_exp")
	w.Do(t, w.Owner, "GET", path, "").Want(t, 200, `"external_email_enabled":true`, `"jwt_exp":3600`)
	var logged int
	if err := w.DB.Pool().QueryRow(t.Context(), `SELECT count(*) FROM audit_log WHERE entry LIKE '%update-auth-config%'`).Scan(&logged); err != nil || logged != 2 {
		t.Errorf("%d entries in the audit log, %v; want those of a change and of a refusal", logged, err)
	}
	var list []version
	w.Do(t, w.Owner, "GET", path+"/history", "").Want(t, 200).Into(t, &list)
	if len(list) != 2 {
		t.Errorf("a dry run made a version: %+v", list)
	}
}
