package project_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/control/project"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
)

func TestFindings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, other := w.Project(t, w.Acme, "Shop").Project, w.Project(t, w.Rival, "Shop").Project
	codes := func(ref tenants.Ref, token string) (out []string) {
		var services []project.ServiceHealth
		w.Do(t, token, "GET", "/v1/projects/"+string(ref)+"/health?services=auth,db", "").Want(t, 200).Into(t, &services)
		for _, f := range services[0].Findings {
			out = append(out, f.Code)
		}
		if len(services[1].Findings) > 0 || !services[0].Healthy {
			t.Errorf("services: %+v", services)
		}
		return out
	}
	want := func(what string, want ...string) {
		t.Helper()
		if got := codes(p.Ref, w.ReadOnly); !slices.Equal(got, want) {
			t.Errorf("%s: findings %v, want %v", what, got, want)
		}
	}
	want("as created", "site_url_default")
	w.Exec(t, `UPDATE auth_configs SET config = config || '{"site_url":"https://app.example.com"}' WHERE ref = $1`, string(p.Ref))
	want("with a site URL")
	w.service.Mail = project.MailWaits
	want("without a mail server", "mail_server_none")
	w.service.Mail = project.MailCaptured
	want("with an inbox", "mail_captured")
	w.service.Mail = project.MailSent
	for algorithm, code := range map[string]string{"EdDSA": "signing_key_unsupported", "HS256": "signing_key_shared"} {
		w.Exec(t, "UPDATE signing_keys SET algorithm = $2 WHERE ref = $1", string(p.Ref), algorithm)
		want(algorithm, code)
	}
	w.Exec(t, "UPDATE signing_keys SET status = 'standby' WHERE ref = $1", string(p.Ref))
	want("HS256 in standby")

	start := time.Now().Add(-time.Hour).Truncate(time.Second)
	add := func(ref tenants.Ref, minute int, level projectlog.Level, code string) {
		t.Helper()
		err := w.DB.AppendLog(t.Context(), []projectlog.Record{{
			ID: uuid.New(), Project: string(ref), At: start.Add(time.Duration(minute) * time.Minute), Level: level, Code: code,
			Message: code, Detail: json.RawMessage(`{"trigger":"t"}`), Count: 2,
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	add(p.Ref, -24*60, projectlog.Error, "old")
	add(p.Ref, 0, projectlog.Error, "mail_server_failed")
	add(p.Ref, 1, projectlog.Error, "trigger_failed")
	add(p.Ref, 2, projectlog.Info, "signup_disabled")
	add(p.Ref, 3, projectlog.Error, "trigger_failed")
	add(other.Ref, 4, projectlog.Error, "database_session_ended")
	want("from the log", "trigger_failed", "mail_server_failed")
	add(p.Ref, 5, projectlog.Info, "mail_server_works")
	want("once the mail server works", "trigger_failed")
	add(p.Ref, 6, projectlog.Error, "mail_server_failed")
	want("when it fails again", "mail_server_failed", "trigger_failed")

	var services []project.ServiceHealth
	w.Do(t, w.ReadOnly, "GET", "/v1/projects/"+string(p.Ref)+"/health?services=auth", "").Want(t, 200).Into(t, &services)
	got := services[0].Findings[1]
	if got.Count != 4 || !got.Since.Equal(start.Add(time.Minute)) || got.LastAt.Sub(*got.Since) != 2*time.Minute || !strings.Contains(string(got.Detail), `"t"`) {
		t.Errorf("the trigger: %+v", got)
	}
	if got := codes(other.Ref, w.Stranger); !slices.Equal(got, []string{"database_session_ended", "site_url_default"}) && !slices.Equal(got, []string{"site_url_default", "database_session_ended"}) {
		t.Errorf("the other project has %v", got)
	}
}
