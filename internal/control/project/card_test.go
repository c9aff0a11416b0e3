package project_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/project"
	"github.com/reevehq/reeve/tenants"
)

// fleet adds n projects named P00000, P00001 and so on to an organization, as rows.
func fleet(t testing.TB, w *controltest.World, org uuid.UUID, n int) {
	t.Helper()
	const ref = `translate(lpad(i::text, 5, '0'), '0123456789', 'abcdefghij') || left(translate(md5($1::text || i), '0123456789', 'ghijklmnop'), 15)`
	w.Exec(t, `INSERT INTO databases (ref, cluster_id, state) SELECT `+ref+`, 'default', 'assigned' FROM generate_series(0, $2 - 1) i`, org.String(), n)
	w.Exec(t, `INSERT INTO projects (ref, organization_id, name, status)
		SELECT `+ref+`, $1::uuid, 'P' || lpad(i::text, 5, '0'), 'active' FROM generate_series(0, $2 - 1) i`, org, n)
}

func cards(t *testing.T, w *controltest.World, as, query string) (out project.Cards) {
	t.Helper()
	w.Do(t, as, "GET", "/v1/organizations/acme/projects/cards"+query, "").Want(t, 200).Into(t, &out)
	return out
}

func TestCards_pages(t *testing.T) {
	t.Parallel()
	w := newWorld(t).World
	fleet(t, w, w.Acme.ID, 25)
	fleet(t, w, w.Rival.ID, 3)
	// Names that are equal, but for their case, and that lower-case oddly.
	w.Exec(t, "UPDATE projects SET name = 'same' WHERE name IN ('P00003', 'P00004', 'P00005') AND organization_id = $1", w.Acme.ID)
	w.Exec(t, "UPDATE projects SET name = 'SAME' WHERE name = 'P00006' AND organization_id = $1", w.Acme.ID)
	w.Exec(t, "UPDATE projects SET name = 'İstanbul' WHERE name = 'P00007' AND organization_id = $1", w.Acme.ID)
	seen, cursor := map[string]bool{}, ""
	for pages := 0; ; pages++ {
		page := cards(t, w, w.ReadOnly, "?limit=4&cursor="+url.QueryEscape(cursor))
		if page.Count != 25 || pages > 6 {
			t.Fatalf("page %d has %d of %d", pages, len(page.Projects), page.Count)
		}
		for _, c := range page.Projects {
			if seen[c.Ref] {
				t.Errorf("%s is on two pages", c.Ref)
			}
			seen[c.Ref] = true
		}
		if page.Next == nil {
			break
		}
		cursor = *page.Next
	}
	if len(seen) != 25 {
		t.Errorf("%d projects are on the pages", len(seen))
	}
	for search, want := range map[string]int{"sAme": 4, "p0001": 10, "nothing": 0, "%": 0, "_": 0, `\`: 0, " P00001 ": 1, "stan": 1} {
		got := cards(t, w, w.ReadOnly, "?search="+url.QueryEscape(search))
		if len(got.Projects) != want || got.Count != want {
			t.Errorf("%q finds %d, counts %d, want %d", search, len(got.Projects), got.Count, want)
		}
	}
	one := cards(t, w, w.ReadOnly, "?search=P00009").Projects[0]
	if got := cards(t, w, w.ReadOnly, "?search="+one.Ref[:8]); len(got.Projects) != 1 || got.Projects[0].Ref != one.Ref {
		t.Errorf("by ref: %+v", got)
	}
	for _, bad := range []string{"limit=0", "limit=101", "limit=x", "cursor=x", "cursor=W10", "cursor=%00", "search=" + strings.Repeat("x", 101), "cursor=" + strings.Repeat("a", 2001)} {
		w.Do(t, w.ReadOnly, "GET", "/v1/organizations/acme/projects/cards?"+bad, "").Refused(t, 400, "validation_failed", "")
	}
}

// Who may read some projects only sees these.
func TestCards_of_some(t *testing.T) {
	t.Parallel()
	w := newWorld(t).World
	fleet(t, w, w.Acme.ID, 10)
	fleet(t, w, w.Rival.ID, 10)
	all := cards(t, w, w.Owner, "").Projects
	if len(all) != 10 {
		t.Fatalf("%d projects", len(all))
	}
	theirs := ""
	if err := w.DB.Pool().QueryRow(t.Context(), "SELECT min(ref) FROM projects WHERE organization_id = $1", w.Rival.ID).Scan(&theirs); err != nil {
		t.Fatal(err)
	}
	guest := uuid.New()
	w.Exec(t, "INSERT INTO project_members (ref, user_id, role) VALUES ($1, $3, 'developer'), ($2, $3, 'owner')", all[3].Ref, theirs, guest)
	token, err := w.DB.CreateAccessToken(t.Context(), guest, "test")
	if err != nil {
		t.Fatal(err)
	}
	w.Exec(t, `UPDATE access_tokens SET projects = jsonb_build_array($1::text) WHERE user_id = $2`, all[5].Ref, w.OwnerID)
	for name, c := range map[string]struct{ as, want string }{"a role in one": {token, all[3].Ref}, "a token for one": {w.Owner, all[5].Ref}} {
		got := cards(t, w, c.as, "")
		if len(got.Projects) != 1 || got.Count != 1 || got.Projects[0].Ref != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	w.Do(t, w.Stranger, "GET", "/v1/organizations/acme/projects/cards", "").Refused(t, 404, "organization_not_found", "")
	w.Exec(t, "INSERT INTO roles (organization_id, name, permissions) VALUES ($1, 'people', '[\"organization:read\"]')", w.Acme.ID)
	_, people := w.Member(t, w.Acme, "people")
	if got := cards(t, w, people, ""); len(got.Projects) != 0 || got.Count != 0 {
		t.Errorf("a role that reads no project: %+v", got)
	}
}

// The figures are the stored ones: days that are rolled up by their sums, the last
// ones by their hours.
func TestCards_figures(t *testing.T) {
	t.Parallel()
	w := newWorld(t).World
	fleet(t, w, w.Acme.ID, 2)
	ref := cards(t, w, w.Owner, "?search=P00000").Projects[0].Ref
	add := func(span string, daysAgo, hour int, metric, label string, n int) {
		at := controltest.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -daysAgo).Add(time.Duration(hour) * time.Hour)
		w.Exec(t, "INSERT INTO usage_counts (ref, span, at, metric, label, count) VALUES ($1, $2, $3, $4, $5, $6)", ref, span, at, metric, label, n)
	}
	add("hour", 0, 3, "sign_ins", "password", 5)
	add("hour", 0, 4, "sign_ins", "otp", 2)
	add("hour", 2, 23, "sign_ins", "password", 3)
	add("day", 2, 0, "sign_ins", "password", 1000) // an older sum of the same day
	add("day", 3, 0, "sign_ins", "password", 10)
	add("hour", 3, 5, "sign_ins", "password", 10)
	add("day", 6, 0, "sign_ups", "email", 4)
	add("day", 7, 0, "sign_ups", "email", 100) // too old
	add("hour", 0, 11, "token_refreshes", "", 9)
	w.Exec(t, "INSERT INTO usage_active (ref, span, at, users) VALUES ($1, 'day', $2, 42)", ref, controltest.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -4))
	w.Exec(t, "UPDATE projects SET branch_of = (SELECT ref FROM projects WHERE name = 'P00001'), expires_at = now() WHERE ref = $1", ref)

	got := cards(t, w, w.Owner, "?search=P00000").Projects[0]
	if fmt.Sprint(got.SignIns) != "{20 [0 0 0 10 3 0 7]}" || fmt.Sprint(got.SignUps) != "{4 [4 0 0 0 0 0 0]}" || got.ActiveUsersPeak != 42 {
		t.Errorf("counts: %+v", got)
	}
	if got.Users == nil || *got.Users != 4 || got.LastActivityAt == nil || got.LastActivityAt.UTC().Hour() != 11 || len(got.BranchOf) != 20 || got.ExpiresAt == nil || got.Status != "ACTIVE_HEALTHY" {
		t.Errorf("card: %+v", got)
	}
	for _, c := range []struct {
		at time.Time
		n  int64
	}{{controltest.Now(), 77}, {controltest.Now().Add(-time.Hour), 5}} { // the later count stands
		if err := w.DB.SetProjectUsers(t.Context(), tenants.Ref(ref), c.n, c.at); err != nil {
			t.Fatal(err)
		}
	}
	if got := cards(t, w, w.Owner, "?search=P00000").Projects[0]; got.Users == nil || *got.Users != 77 {
		t.Errorf("users: %+v", got)
	}
	none := cards(t, w, w.Owner, "?search=P00001").Projects[0]
	if none.Users != nil || none.LastActivityAt != nil || none.SignIns.Total != 0 || len(none.SignIns.Days) != 7 {
		t.Errorf("a project that nobody uses: %+v", none)
	}
}

// BenchmarkCards measures pages of an organization with 10,000 projects, each with a
// week of usage: the first, one in the middle, and a search.
func BenchmarkCards(b *testing.B) {
	w := controltest.New(b, func(w *controltest.World) []controltest.Mounter {
		rows := &controltest.Rows{World: w}
		return []controltest.Mounter{&project.Handler{Service: &project.Service{
			DB: w.DB, Authz: w.Authz, Provision: rows, Servers: rows, URL: controltest.URL, Now: controltest.Now, Log: w.Log,
		}}}
	})
	fleet(b, w, w.Acme.ID, 10_000)
	today := controltest.Now().UTC().Truncate(24 * time.Hour)
	w.Exec(b, `INSERT INTO usage_counts (ref, span, at, metric, label, count)
		SELECT p.ref, 'day', $1::timestamptz - make_interval(days => d), m, 'password', 10 FROM projects p, generate_series(0, 30) d, unnest(ARRAY['sign_ins', 'sign_ups']) m`, today)
	w.Exec(b, `INSERT INTO usage_counts (ref, span, at, metric, label, count)
		SELECT p.ref, 'hour', $1::timestamptz - make_interval(hours => h), m, 'password', 1 FROM projects p, generate_series(-11, 48) h, unnest(ARRAY['sign_ins', 'sign_ups']) m`, today)
	w.Exec(b, "ANALYZE")
	for name, query := range map[string]string{
		"first": "?limit=50", "middle": "?limit=50&cursor=" + cursorOf("p05000", strings.Repeat("a", 20)), "search": "?limit=50&search=P0900",
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				if got := w.Do(b, w.Owner, "GET", "/v1/organizations/acme/projects/cards"+query, ""); got.Status != 200 {
					b.Fatalf("%d %s", got.Status, got.Body)
				}
			}
		})
	}
}

func cursorOf(name, ref string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprintf("[%q,%q]", name, ref)))
}
