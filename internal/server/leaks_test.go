package server_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// report sends a report of leaked keys without an access token.
func report(t *testing.T, reeve *servertest.Reeve, items ...map[string]any) *servertest.Answer {
	t.Helper()
	return reeve.Do(t, http.MethodPost, "/v1/leaked-keys", items)
}

func leaked(key string) map[string]any {
	return map[string]any{"token": key, "type": "reeve_key", "url": "https://github.com/a/b/blob/main/.env", "source": "content"}
}

// leakEntries are the audit entries of leaks.
func leakEntries(t *testing.T, reeve *servertest.Reeve) (out []string) {
	t.Helper()
	var found struct {
		Entries []struct {
			Actor   *string
			Service *string `json:"service_token"`
			Ref     *string
			Detail  map[string]any
		}
	}
	reeve.Manage(t, http.MethodGet, "/v1/organizations/default/audit-logs?action=report-leaked-key", nil).Expect(t, 200).Into(t, &found)
	for _, e := range found.Entries {
		if e.Actor != nil || e.Service == nil || *e.Service != "leak report" || e.Detail["found_at"] == "" {
			t.Errorf("entry %+v", e)
		}
		out = append(out, e.Detail["kind"].(string))
	}
	return out
}

// TestLeakedKeys: a secret key that is reported is refused everywhere, its owners
// are told once, and the answer says nothing.
func TestLeakedKeys(t *testing.T) {
	t.Parallel()
	r := newReplicas(t)
	other := r.Reeve.Project(t, "other", nil)
	p := platform(t, r.Reeve)
	r.everywhere(t, "the key works", 200, http.MethodGet, "/admin/users", "apikey", r.SecretKey)
	unknown := report(t, r.Reeve, leaked("sb_secret_unknown")).Expect(t, 202)
	known := report(t, r.Reeve, leaked(r.SecretKey), leaked(r.PublishableKey)).Expect(t, 202)
	if !bytes.Equal(unknown.Body, known.Body) {
		t.Errorf("the answer tells whether a key exists: %s, %s", unknown.Body, known.Body)
	}
	r.everywhere(t, "the key is refused", 401, http.MethodGet, "/admin/users", "apikey", r.SecretKey)
	r.everywhere(t, "the public key works", 200, http.MethodGet, "/settings", "apikey", r.PublishableKey)
	other.Admin(t, http.MethodGet, "/admin/users", nil).Expect(t, 200)
	mail := captured(t, p, "operator@reeve.localhost")
	if !strings.Contains(mail.HTML, "default") || !strings.Contains(mail.HTML, "replicated") || !strings.Contains(mail.HTML, "revoked") ||
		strings.Contains(mail.HTML, "github.com/a/b") || strings.Contains(mail.HTML, r.SecretKey) {
		t.Errorf("mail: %s", mail.HTML)
	}
	conn := servertest.Connect(t, r.Reeve.ControlURL)
	logged := "SELECT count(*) FROM project_logs WHERE code = 'api_key_leaked' AND ref = '"
	eventually(t, "the project's log has an entry", func() bool { return count(t, conn, logged+r.Ref+"'") == 1 })
	if n := count(t, conn, logged+other.Ref+"'"); n != 0 {
		t.Errorf("%d entries in another project's log", n)
	}
	report(t, r.Reeve, leaked(r.SecretKey)).Expect(t, 202) // again
	if got := strings.Join(leakEntries(t, r.Reeve), " "); got != "secret" {
		t.Errorf("audit entries: %s", got)
	}
	captured(t, p, "operator@reeve.localhost")
}

// TestLeakedKeyStays: where the project wants it, and for a legacy key, only the
// owners are told, once a day.
func TestLeakedKeyStays(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	notify, old := reeve.Project(t, "notify", map[string]any{"security_leaked_keys_revoked": false}), reeve.Project(t, "old", nil)
	l := &loot{Project: old}
	l.legacyKeys(t)
	for range 2 {
		report(t, reeve, leaked(notify.SecretKey), leaked(l.service), leaked(l.anon), leaked(l.anon+"x")).Expect(t, 202)
	}
	notify.Admin(t, http.MethodGet, "/admin/users", nil).Expect(t, 200)
	reeve.Do(t, http.MethodGet, old.Auth("/admin/users"), nil, "apikey", l.service).Expect(t, 200)
	entries := leakEntries(t, reeve)
	if len(entries) != 2 || entries[0] == entries[1] {
		t.Errorf("audit entries: %v", entries)
	}
	conn := servertest.Connect(t, reeve.ControlURL)
	eventually(t, "both are mailed", func() bool {
		return count(t, conn, "SELECT count(*) FROM leak_notices WHERE sent_at IS NOT NULL AND NOT revoked") == 2
	})
	delivered := func(n int) {
		t.Helper()
		eventually(t, "the mails are delivered", func() bool {
			return count(t, conn, "SELECT count(*) FROM inbox_messages WHERE recipient = 'operator@reeve.localhost'") == n
		})
	}
	delivered(2)
	// A key that ends by the next report is told again.
	reeve.Manage(t, http.MethodPatch, "/v1/projects/"+notify.Ref+"/config/auth", map[string]any{"security_leaked_keys_revoked": true}).Expect(t, 200)
	report(t, reeve, leaked(notify.SecretKey)).Expect(t, 202)
	delivered(3)
}

// TestLeakedTokens: an access token and a service token are revoked, and their
// owners are told.
func TestLeakedTokens(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := platform(t, reeve)
	db := reeve.Control(t)
	org, err := db.OrganizationBySlug(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	id, _ := developer(t, p, "dev@example.com")
	user := uuid.MustParse(id)
	var token, service string
	err = db.Tx(t.Context(), func(tx *controldb.Tx) error {
		if err := tx.AddMember(t.Context(), org.ID, user, controldb.Developer); err != nil {
			return err
		}
		if _, token, err = tx.CreateAccessToken(t.Context(), db.Hasher(), controldb.AccessToken{UserID: user, Name: "laptop"}); err != nil {
			return err
		}
		_, service, err = tx.CreateServiceToken(t.Context(), db.Hasher(), controldb.ServiceToken{
			OrganizationID: org.ID, Name: "deploy", CreatedBy: user, Permissions: []string{"project:read"}, ExpiresAt: time.Now().Add(time.Hour),
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{token, service} {
		reeve.Do(t, http.MethodGet, "/v1/projects", nil, "Authorization", "Bearer "+text).Expect(t, 200)
		report(t, reeve, leaked(text)).Expect(t, 202)
		reeve.Do(t, http.MethodGet, "/v1/projects", nil, "Authorization", "Bearer "+text).Expect(t, 401)
	}
	reeve.Manage(t, http.MethodGet, "/v1/projects", nil).Expect(t, 200)
	if mail := captured(t, p, "dev@example.com"); !strings.Contains(mail.HTML, "laptop") {
		t.Errorf("mail: %s", mail.HTML)
	}
	if mail := captured(t, p, "operator@reeve.localhost"); !strings.Contains(mail.HTML, "deploy") {
		t.Errorf("mail: %s", mail.HTML)
	}
	got := leakEntries(t, reeve)
	if slices.Sort(got); !slices.Equal(got, []string{"access_token", "service_token"}) {
		t.Errorf("audit entries: %v", got)
	}
}

// TestLeakReportRefused: bad reports, and too many.
func TestLeakReportRefused(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	many := make([]map[string]any, 101)
	for i := range many {
		many[i] = leaked("x")
	}
	for name, body := range map[string]any{
		"no list": "x", "an empty list": []any{}, "too many": many, "a long key": []any{leaked(strings.Repeat("x", 5000))},
		"a long URL": []any{map[string]any{"token": "x", "url": strings.Repeat("x", 3000)}}, "a number": []any{map[string]any{"token": 1}},
	} {
		if a := reeve.Do(t, http.MethodPost, "/v1/leaked-keys", body); a.Status != 400 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	reeve.Do(t, http.MethodPost, "/v1/leaked-keys", leaked("a single one")).Expect(t, 202)
	reeve.Do(t, http.MethodGet, "/v1/leaked-keys", nil).Expect(t, 405)
	refused := false
	for range 100 { // bad ones are answered at once, and count
		if a := reeve.Do(t, http.MethodPost, "/v1/leaked-keys", []any{}); a.Status == 429 {
			refused = a.Header.Get("Retry-After") != ""
			break
		}
	}
	if !refused {
		t.Error("an address may report without end")
	}
}
