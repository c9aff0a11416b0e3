package auditlog_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/control/auditlog"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/member"
	"github.com/reevehq/reeve/internal/control/org"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func newWorld(t *testing.T) *controltest.World {
	t.Helper()
	return controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{
			&org.Handler{Service: &org.Service{DB: w.DB, Authz: w.Authz}},
			&member.Handler{Service: &member.Service{DB: w.DB, Authz: w.Authz, Now: time.Now, Invited: func() {}, Users: nobody}},
			&auditlog.Handler{Service: &auditlog.Service{DB: w.DB, Authz: w.Authz}},
		}
	})
}

func nobody(context.Context, []uuid.UUID) (map[uuid.UUID]auth.User, error) { return nil, nil }

const (
	acme = "/v1/organizations/acme"
	logs = acme + "/audit-logs"
)

func list(t *testing.T, w *controltest.World, query string) auditlog.List {
	t.Helper()
	var out auditlog.List
	w.Do(t, w.Administrator, "GET", logs+query, "").Want(t, 200).Into(t, &out)
	return out
}

func role(name string) string { return fmt.Sprintf(`{"name":%q,"permissions":["project:read"]}`, name) }

func TestAuditLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Do(t, w.Administrator, "POST", acme+"/roles", role("one")).Want(t, 201)
	w.Do(t, w.Administrator, "POST", acme+"/roles", role("one")).Want(t, 409)
	w.Do(t, w.Developer, "POST", acme+"/roles", role("two")).Want(t, 403)
	w.Do(t, w.ReadOnly, "GET", logs, "").Refused(t, 403, "forbidden", "")
	w.Do(t, w.Stranger, "POST", acme+"/roles", role("three")).Want(t, 404)
	w.Do(t, w.Stranger, "GET", logs, "").Refused(t, 404, "organization_not_found", "")
	w.Do(t, w.Administrator, "GET", acme, "").Want(t, 200) // reading is not logged

	w.Do(t, w.Administrator, "GET", logs, "").Want(t, 200).Golden(t, "list")
	var got []string
	for _, e := range list(t, w, "").Entries {
		got = append(got, fmt.Sprintf("%d %s %s", e.Seq, e.Action, e.Result))
	}
	want := "4 list-audit-logs refused, 3 create-role refused, 2 create-role refused, 1 create-role done"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("the log is %s, want %s", s, want)
	}
	// Nothing is left of what has begun.
	var begun int
	if err := w.DB.Pool().QueryRow(t.Context(), "SELECT count(*) FROM audit_begun").Scan(&begun); err != nil || begun != 0 {
		t.Errorf("%d entries have begun and not ended, %v", begun, err)
	}
	for query, n := range map[string]int{
		"?result=done": 1, "?result=refused": 3, "?action=create-role": 3, "?actor=" + w.OwnerID.String(): 0, "?limit=2": 2,
		"?before=3": 2, "?to=2001-01-01T00:00:00Z": 0, "?from=2001-01-01T00:00:00Z": 4, "?ref=" + strings.Repeat("x", 20): 0,
	} {
		if got := list(t, w, query).Entries; len(got) != n {
			t.Errorf("%s: %d entries, want %d", query, len(got), n)
		}
	}
	page := list(t, w, "?limit=3")
	if page.Next == nil || len(list(t, w, fmt.Sprintf("?limit=3&before=%d", *page.Next)).Entries) != 1 {
		t.Errorf("next = %v", page.Next)
	}
	// The other organization's log is its own.
	w.Do(t, w.Stranger, "GET", "/v1/organizations/rival/audit-logs", "").Want(t, 200, `"entries":[]`)
}

// A secret in a request is not in the log.
func TestAuditLog_redacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Do(t, w.Administrator, "POST", acme+"/roles", `{"name":"x","permissions":[],"password":"hunter2","nested":{"client_secret":["hunter2"]}}`)
	w.Do(t, w.Owner, "POST", "/v1/invitations/accept", `{"token":"hunter2"}`)
	var found int
	const sql = "SELECT count(*) FROM (SELECT entry FROM audit_log UNION ALL SELECT entry FROM audit_begun) l WHERE entry LIKE '%hunter2%'"
	if err := w.DB.Pool().QueryRow(t.Context(), sql).Scan(&found); err != nil || found != 0 {
		t.Errorf("%d entries hold the secret, %v", found, err)
	}
}

// Every way to falsify the log names the first entry that is wrong.
func TestVerify(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql    string
		broken int64
	}{
		"untouched":                          {"SELECT 1", 0},
		"a flipped byte":                     {"UPDATE audit_log SET entry = overlay(entry placing 'X' from 40 for 1) WHERE seq = 3", 3},
		"another actor":                      {"UPDATE audit_log SET entry = replace(entry, 'create-role', 'delete-role') WHERE seq = 1", 1},
		"a flipped bit of a hash":            {"UPDATE audit_log SET hash = set_bit(hash, 7, 1 - get_bit(hash, 7)) WHERE seq = 2", 2},
		"another time in the column":         {"UPDATE audit_log SET at = at - interval '1 day' WHERE seq = 2", 2},
		"the first is gone":                  {"DELETE FROM audit_log WHERE seq = 1", 1},
		"one in the middle is gone":          {"DELETE FROM audit_log WHERE seq = 3", 3},
		"the last is gone":                   {"DELETE FROM audit_log WHERE seq = 5", 5},
		"the last is gone with its mark":     {"DELETE FROM audit_log WHERE seq = 5; UPDATE audit_heads SET seq = 4, hash = (SELECT hash FROM audit_log WHERE seq = 4)", 4},
		"the end is gone with a mark before": {"DELETE FROM audit_log WHERE seq = 5; UPDATE audit_heads SET seq = 3, hash = (SELECT hash FROM audit_log WHERE seq = 3)", 3},
		"everything but the mark":            {"DELETE FROM audit_log", 1},
		"the mark is gone":                   {"DELETE FROM audit_heads", 5},
		"two have changed places":            {"UPDATE audit_log SET seq = seq + 100 WHERE seq = 2; UPDATE audit_log SET seq = 2 WHERE seq = 3; UPDATE audit_log SET seq = 3 WHERE seq = 102", 2},
		"one is inserted":                    {"INSERT INTO audit_log SELECT organization_id, 6, gen_random_uuid(), at, entry, hash FROM audit_log WHERE seq = 5", 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for n := range 5 {
				w.Do(t, w.Administrator, "POST", acme+"/roles", role(fmt.Sprintf("r%d", n))).Want(t, 201)
			}
			for _, sql := range strings.Split(c.sql, "; ") {
				w.Exec(t, sql)
			}
			var got auditlog.Verdict
			w.Do(t, w.Administrator, "GET", logs+"/verify", "").Want(t, 200).Into(t, &got)
			if got.Valid != (c.broken == 0) || c.broken != 0 && (got.Broken == nil || *got.Broken != c.broken) {
				t.Errorf("verdict %+v (broken %v), want broken %d", got, got.Broken, c.broken)
			}
		})
	}
}

// What a killed process began is in the log, as unknown, once.
func TestAuditLog_after_a_kill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Do(t, w.Administrator, "POST", acme+"/roles", role("one")).Want(t, 201)
	var e controldb.NumberedAuditEntry
	found, err := w.DB.AuditLog(t.Context(), w.Acme.ID, controldb.AuditFilter{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	e = found[0]
	e.ID[0]++
	e.At = time.Now()
	if err := w.DB.BeginAudit(t.Context(), e.AuditEntry); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.DB.EndLostAudits(t.Context(), time.Now().Add(-time.Minute), 10); err != nil {
			t.Fatal(err)
		}
	}
	if got := list(t, w, ""); len(got.Entries) != 1 {
		t.Errorf("%d entries before its time", len(got.Entries))
	}
	for range 2 {
		if err := w.DB.EndLostAudits(t.Context(), time.Now().Add(time.Minute), 10); err != nil {
			t.Fatal(err)
		}
	}
	if got := list(t, w, ""); len(got.Entries) != 2 || got.Entries[0].Result != "unknown" {
		t.Errorf("the log is %+v", got.Entries)
	}
	if v, err := w.DB.VerifyAudit(t.Context(), w.Acme.ID); err != nil || v.Broken != 0 {
		t.Errorf("verdict %+v, %v", v, err)
	}
}

// An action that was cut off before its first decision is in the log of the
// organization that its path names, if that exists for its sender.
func TestAuditLog_after_a_kill_before_the_decision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stranger := uuid.New()
	admin, _ := w.Member(t, w.Acme, controldb.Administrator)
	for _, e := range []controldb.AuditEntry{
		{Actor: admin, Object: acme + "/roles"},
		{Actor: admin, Object: "/v1/profile/access-tokens"},
		{Actor: stranger, Object: acme + "/roles"},
		{Actor: admin, Object: "/"},
	} {
		e.ID, e.At, e.Action = uuid.New(), time.Now(), "create-role"
		if err := w.DB.BeginAudit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.DB.EndLostAudits(t.Context(), time.Now().Add(time.Minute), 10); err != nil {
		t.Fatal(err)
	}
	if got := list(t, w, ""); len(got.Entries) != 1 || *got.Entries[0].Actor != admin.String() || got.Entries[0].Result != "unknown" {
		t.Errorf("the log is %+v", got.Entries)
	}
	if v, err := w.DB.VerifyAudit(t.Context(), uuid.Nil); err != nil || v.Entries != 3 || v.Broken != 0 {
		t.Errorf("without an organization: %+v, %v", v, err)
	}
}

// What concerns no organization has a chain too.
func TestAuditLog_without_an_organization(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 3 {
		w.Do(t, w.Stranger, "POST", "/v1/organizations", fmt.Sprintf(`{"name":"Org %d"}`, n)).Want(t, 201)
	}
	if v, err := w.DB.VerifyAudit(t.Context(), uuid.Nil); err != nil || v.Broken != 0 || v.Entries != 3 {
		t.Errorf("verdict %+v, %v", v, err)
	}
}

// Entries of many requests at once form one chain.
func TestAuditLog_concurrent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	done := make(chan struct{})
	for n := range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for m := range 5 {
				w.Do(t, w.Administrator, "POST", acme+"/roles", role(fmt.Sprintf("r%d_%d", n, m)))
			}
		}()
	}
	for range 8 {
		<-done
	}
	if v, err := w.DB.VerifyAudit(t.Context(), w.Acme.ID); err != nil || v.Broken != 0 || v.Entries != 40 {
		t.Errorf("verdict %+v, %v", v, err)
	}
}

// The entries that follow do not cover up that the end was removed.
func TestVerify_after_more_entries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 3 {
		w.Do(t, w.Administrator, "POST", acme+"/roles", role(fmt.Sprintf("r%d", n))).Want(t, 201)
	}
	w.Exec(t, "DELETE FROM audit_log WHERE seq = 3")
	w.Exec(t, "UPDATE audit_heads SET seq = 2, hash = (SELECT hash FROM audit_log WHERE seq = 2)")
	for n := range 2 {
		w.Do(t, w.Administrator, "POST", acme+"/roles", role(fmt.Sprintf("s%d", n))).Want(t, 201)
	}
	if v, err := w.DB.VerifyAudit(t.Context(), w.Acme.ID); err != nil || v.Broken == 0 {
		t.Errorf("verdict %+v, %v: want a broken chain", v, err)
	}
}
