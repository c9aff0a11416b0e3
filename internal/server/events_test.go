package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/control/authconfig"
	"github.com/reevehq/reeve/internal/control/logs"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestEvents: the latest of what was done and of what was refused.
func TestEvents(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p, other := reeve.Project(t, "events", map[string]any{"rate_limit_otp": 1, "smtp_max_frequency": 0}), reeve.Project(t, "other", nil)
	ann := p.SignUp(t, "ann@example.com", "correct horse")
	for range 3 {
		p.Do(t, http.MethodPost, "/token?grant_type=refresh_token", map[string]any{"refresh_token": ann.RefreshToken})
	}
	p.Do(t, http.MethodPost, "/recover", map[string]any{"email": "ann@example.com"}).Expect(t, 200)
	for range 2 {
		p.Do(t, http.MethodPost, "/recover", map[string]any{"email": "ann@example.com"}).Expect(t, 429)
	}
	path := "/v1/projects/" + p.Ref + "/events"
	var got logs.Events
	codes := func() (out []string) {
		for _, e := range got.Events {
			out = append(out, e.Source+" "+e.Code)
		}
		return out
	}
	eventually(t, "the refusal is among the events", func() bool {
		got = logs.Events{}
		reeve.Manage(t, http.MethodGet, path, nil).Expect(t, 200).Into(t, &got)
		return slices.Contains(codes(), "log over_request_rate_limit")
	})
	if all := strings.Join(codes(), ","); !got.Complete || !strings.Contains(all, "audit login") || !strings.Contains(all, "audit user_recovery_requested") || strings.Contains(all, "token_refreshed") {
		t.Errorf("%s", all)
	}
	if !slices.IsSortedFunc(got.Events, func(a, b logs.Event) int { return b.At.Compare(a.At) }) {
		t.Errorf("not the newest first: %+v", got.Events)
	}
	i := slices.IndexFunc(got.Events, func(e logs.Event) bool { return e.Code == "login" })
	if e := got.Events[i]; *e.UserID != ann.User.ID || e.ActorName != "ann@example.com" || e.ClientIP == "" {
		t.Errorf("%+v", e)
	}
	var few logs.Events
	reeve.Manage(t, http.MethodGet, path+"?limit=1", nil).Expect(t, 200).Into(t, &few)
	if len(few.Events) != 1 {
		t.Errorf("%+v", few)
	}
	var others logs.Events
	reeve.Manage(t, http.MethodGet, "/v1/projects/"+other.Ref+"/events", nil).Expect(t, 200).Into(t, &others)
	if len(others.Events) != 0 || !others.Complete {
		t.Errorf("%+v", others)
	}
	reeve.Manage(t, http.MethodGet, path+"?limit=101", nil).Expect(t, 400)

	// The limit, and whom it refused.
	var limits authconfig.RateLimits
	reeve.Manage(t, http.MethodGet, "/v1/projects/"+p.Ref+"/config/auth/rate-limits", nil).Expect(t, 200).Into(t, &limits)
	for _, l := range limits.Limits {
		refused := l.Setting != nil && *l.Setting == "rate_limit_otp"
		if refused && (*l.Value != 1 || l.Hour != 2 || l.Day != 2 || l.LastAt == nil || len(l.Clients) != 1 || l.Clients[0].Count != 2 || len(l.Rules) != 1 || !strings.HasPrefix(l.Rules[0], "otp/")) ||
			!refused && l.Day != 0 || l.Doc == "" {
			t.Errorf("%+v", l)
		}
	}
	if len(limits.Limits) != 10 {
		t.Errorf("%d limits", len(limits.Limits))
	}

	// What triggers hold up is left out.
	run(t, servertest.Connect(t, p.AdminURL(t)), "ALTER TABLE auth.audit_log_entries RENAME TO gone")
	var partial logs.Events
	reeve.Manage(t, http.MethodGet, path, nil).Expect(t, 200).Into(t, &partial)
	if partial.Complete || len(partial.Events) == 0 {
		t.Errorf("%+v", partial)
	}
}
