package server_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// logEntry is an entry of a project's log.
type logEntry struct {
	ID         string         `json:"id"`
	Level      string         `json:"level"`
	Code       string         `json:"code"`
	Message    string         `json:"message"`
	RequestIDs []string       `json:"request_ids"`
	UserID     string         `json:"user_id"`
	Route      string         `json:"route"`
	ClientIP   string         `json:"client_ip"`
	Detail     map[string]any `json:"detail"`
	Count      int            `json:"count"`
}

// logOf returns the entries that a query selects, the newest first.
func logOf(t *testing.T, p *servertest.Project, query url.Values) []logEntry {
	t.Helper()
	var page struct{ Logs []logEntry }
	p.Reeve.Manage(t, http.MethodGet, "/v1/projects/"+p.Ref+"/logs?"+query.Encode(), nil).Expect(t, http.StatusOK).Into(t, &page)
	return page.Logs
}

// logged waits for the only entry of a request.
func logged(t *testing.T, p *servertest.Project, requestID string) (entry logEntry) {
	t.Helper()
	eventually(t, "the entry of the request is in the log", func() bool {
		found := logOf(t, p, url.Values{"request_id": {requestID}})
		if len(found) > 0 {
			entry = found[0]
		}
		return len(found) == 1
	})
	return entry
}

// TestDeveloperFindsRule: the owner cannot put a rule on a table of schema auth. A
// function that the auth role calls can; then Postgres refuses sign-ins, and the log
// says why.
func TestDeveloperFindsRule(t *testing.T) {
	t.Parallel()
	p := servertest.Start(t).Project(t, "shop", map[string]any{"external_anonymous_users_enabled": true})
	owner := servertest.Connect(t, p.DatabaseURL)
	for _, table := range []string{"users", "sessions", "mfa_amr_claims", "audit_log_entries"} {
		for _, event := range []string{"INSERT", "UPDATE"} {
			_, err := owner.Exec(t.Context(), `CREATE RULE echo AS ON `+event+` TO auth.`+table+` DO ALSO NOTIFY echo`)
			if pg := (*pgconn.PgError)(nil); !errors.As(err, &pg) || pg.Code != "42501" {
				t.Errorf("a rule on %s: %v", table, err)
			}
		}
	}
	run(t, owner, `CREATE FUNCTION public.rule() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			CREATE RULE echo AS ON INSERT TO auth.sessions DO ALSO NOTIFY echo;
			RETURN NEW;
		END $$`)
	run(t, owner, `CREATE TRIGGER made AFTER INSERT ON auth.identities FOR EACH ROW EXECUTE FUNCTION public.rule()`)
	p.Do(t, http.MethodPost, "/signup", map[string]any{"email": "ann@example.com", "password": "correct horse"}).Expect(t, http.StatusOK)
	answer := p.Do(t, http.MethodPost, "/signup", map[string]any{}).Refused(t, http.StatusInternalServerError, "unexpected_failure")
	got := logged(t, p, answer.Header.Get("X-Request-Id"))
	if got.Code != "rule_not_supported" || got.Detail["sqlstate"] != "0A000" {
		t.Errorf("entry %+v", got)
	}
}

// TestDeveloperFindsFailingTrigger: a trigger on auth.users refuses sign-ups. The
// user learns nothing of it; the developer finds it by the request id of the
// answer.
func TestDeveloperFindsFailingTrigger(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p, other := reeve.Project(t, "shop", nil), reeve.Project(t, "other", nil)
	owner := servertest.Connect(t, p.DatabaseURL)
	run(t, owner, `CREATE FUNCTION public.only_staff() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			IF NEW.email NOT LIKE '%@staff.example.com' THEN
				RAISE EXCEPTION 'no staff: %', NEW.email USING ERRCODE = 'P0409', HINT = 'ask the admin';
			END IF;
			RETURN NEW;
		END $$`)
	run(t, owner, `CREATE TRIGGER staff_only BEFORE INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.only_staff()`)

	answer := p.Do(t, http.MethodPost, "/signup", map[string]any{"email": "eve@example.com", "password": "correct horse"})
	answer.Refused(t, http.StatusInternalServerError, "unexpected_failure")
	if body := string(answer.Body); strings.Contains(body, "staff") || strings.Contains(body, "P0409") {
		t.Errorf("the user is told: %s", body)
	}
	id := answer.Header.Get("X-Request-Id")
	got := logged(t, p, id)
	got.ID, got.Message = "", ""
	want := logEntry{
		Level: "error", Code: "trigger_failed", RequestIDs: []string{id}, Route: "POST /auth/v1/signup", ClientIP: "127.0.0.1", Count: 1,
		Detail: map[string]any{
			"sqlstate": "P0409", "error": "no staff: eve@example.com", "hint": "ask the admin",
			"function": "public.only_staff", "trigger": "staff_only", "on": "auth.users",
			"where": []any{"PL/pgSQL function public.only_staff() line 4 at RAISE"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the entry differs (-want +got):\n%s", diff)
	}
	if found := logOf(t, other, nil); len(found) != 0 {
		t.Errorf("another project's log has %v", found)
	}
}
