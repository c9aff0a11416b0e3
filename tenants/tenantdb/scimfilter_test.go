package tenantdb_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/scim"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// random makes users and filters, of few values so that filters match some.
type random struct{ *rand.Rand }

func (r random) pick(list ...string) string { return list[r.IntN(len(list))] }

func (r random) word() string {
	return r.pick("ann", "Ann", "bob", "B", "a%n", `a"b\`, "", "zoë", "x y")
}

func (r random) user(n int) scim.Resource {
	doc := scim.Resource{"userName": fmt.Sprintf("%s-%d", r.pick("ann", "Bob"), n), "active": r.IntN(2) == 0}
	if r.IntN(2) == 0 {
		doc["externalId"] = fmt.Sprintf("%s-%d", r.pick("A", "a"), n)
	}
	if r.IntN(2) == 0 {
		doc["title"] = r.word()
	}
	if r.IntN(2) == 0 {
		doc["name"] = map[string]any{"givenName": r.word()}
	}
	emails := []any{}
	for range r.IntN(3) {
		e := map[string]any{"value": r.word()}
		if r.IntN(2) == 0 {
			e["type"] = r.pick("work", "home")
		}
		if r.IntN(3) == 0 {
			e["primary"] = r.IntN(2) == 0
		}
		emails = append(emails, e)
	}
	if len(emails) > 0 {
		doc["emails"] = emails
	}
	if r.IntN(2) == 0 {
		doc[scim.URNEnterprise] = map[string]any{"department": r.word(), "manager": map[string]any{"value": r.word()}}
	}
	return doc
}

func (r random) filter(depth int, ids []string) string {
	if depth > 0 {
		switch r.IntN(5) {
		case 0:
			return "(" + r.filter(depth-1, ids) + " and " + r.filter(depth-1, ids) + ")"
		case 1:
			return "(" + r.filter(depth-1, ids) + " or " + r.filter(depth-1, ids) + ")"
		case 2:
			return "not (" + r.filter(depth-1, ids) + ")"
		case 3:
			op, of := r.pick("and", "or"), r.pick("emails", "groups")
			return of + "[" + r.element(of, ids) + " " + op + " " + r.pick("", "not ") + "(" + r.element(of, ids) + ")]"
		}
	}
	switch r.IntN(8) {
	case 0:
		return "active " + r.pick("eq", "ne") + " " + r.pick("true", "false")
	case 1:
		return "meta." + r.pick("created", "lastModified") + " " + r.pick("eq", "ne", "gt", "ge", "lt", "le") + fmt.Sprintf(` "2026-01-0%dT00:00:00Z"`, 1+r.IntN(9))
	case 2:
		return r.pick("userName", "externalId", "id") + " " + r.compare(r.pick("ann-3", "BOB-4", "a-5", "A-6", ids[0], ids[1]))
	case 3:
		return r.pick("groups", "groups.value", "groups.display", "groups.type") + " " + r.compare(r.pick("staff", "ADMINS", ids[len(ids)-1], "direct"))
	case 4:
		return r.pick("emails", "name", "title", "groups", "externalId", "emails.type", "emails.primary", scim.URNEnterprise+":manager") + " pr"
	}
	return r.pick("title", "name.givenName", "emails", "emails.value", "emails.type", "nickName", scim.URNEnterprise+":department", scim.URNEnterprise+":manager.value") + " " + r.compare(r.word())
}

func (r random) element(of string, ids []string) string {
	if of == "groups" {
		return r.pick("value", "display") + " " + r.compare(r.pick("staff", "x", ids[len(ids)-1]))
	}
	if r.IntN(4) == 0 {
		return "primary " + r.pick("eq", "ne") + " " + r.pick("true", "false")
	}
	return r.pick("value", "type") + " " + r.compare(r.pick("work", r.word()))
}

func (r random) compare(word string) string {
	if r.IntN(8) == 0 {
		return r.pick("eq", "ne") + " null"
	}
	raw, _ := json.Marshal(word)
	return r.pick("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le") + " " + string(raw)
}

// TestSCIMFilter: the database finds the users that pass a filter in memory.
func TestSCIMFilter(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	r := random{rand.New(rand.NewPCG(1, 2))} //nolint:gosec // the same filters each time
	provider := uuid.New()
	f.A.Exec(t, `INSERT INTO auth.sso_providers (id) VALUES ($1)`, provider)
	var docs []scim.Resource
	var ids []string
	groups := []auth.SCIMGroup{{ID: uuid.New(), Resource: json.RawMessage(`{"displayName":"Staff"}`)}, {ID: uuid.New(), Resource: json.RawMessage(`{"displayName":"admins"}`)}}
	err := f.A.DB.Tx(t.Context(), func(tx *tenantdb.Tx) error {
		for i := range groups {
			groups[i].Provider, groups[i].Version = provider, 1
			if err := tx.CreateSCIMGroup(t.Context(), &groups[i]); err != nil {
				return err
			}
		}
		for n := range 40 {
			doc, id := r.user(n), uuid.New()
			raw, err := json.Marshal(doc)
			if err != nil {
				return err
			}
			at := time.Date(2026, 1, 1+n%9, 0, 0, 0, 0, time.UTC)
			if err := tx.CreateSCIMUser(t.Context(), &auth.SCIMUser{ID: id, Provider: provider, Resource: raw, CreatedAt: at}); err != nil {
				return err
			}
			stamp := at.Format(time.RFC3339)
			doc["id"], doc["meta"] = id.String(), map[string]any{"created": stamp, "lastModified": stamp}
			var in []any
			for i, g := range groups {
				if r.IntN(2+i) == 0 {
					in = append(in, map[string]any{"value": g.ID.String(), "display": []string{"Staff", "admins"}[i], "type": "direct"})
					if _, err := tx.AddSCIMMembers(t.Context(), g.ID, []uuid.UUID{id}); err != nil {
						return err
					}
				}
			}
			if in != nil {
				doc["groups"] = in
			}
			docs, ids = append(docs, doc), append(ids, id.String())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ids = append(ids, groups[0].ID.String())
	matched := 0
	for range 600 {
		text := r.filter(3, ids)
		e, err := scim.ParseFilter(scim.User, text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var want []string
		for _, doc := range docs {
			if scim.Match(e, doc) {
				want = append(want, doc.Text("id"))
			}
		}
		got := find(t, f.A.DB, provider, scim.Query{Filter: e, Start: 1, Count: 1000})
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d users, want %d", text, len(got), len(want))
		}
		if len(want) > 0 && len(want) < len(docs) {
			matched++
		}
	}
	if matched < 200 {
		t.Errorf("only %d filters tell users apart", matched)
	}
	if got := find(t, f.A.DB, uuid.New(), scim.Query{Start: 1, Count: 1000}); len(got) != 0 {
		t.Errorf("%d users of another connection", len(got))
	}
}

func find(t *testing.T, db *tenantdb.DB, provider uuid.UUID, q scim.Query) (ids []string) {
	t.Helper()
	err := db.Do(t.Context(), func(tx *tenantdb.Tx) error {
		list, total, err := tx.SCIMUsers(context.Background(), provider, q)
		for i := range list {
			ids = append(ids, list[i].ID.String())
		}
		if err == nil && total != len(ids) && q.Start == 1 && q.Count == 1000 {
			t.Errorf("%d of %d", len(ids), total)
		}
		return err
	})
	if err != nil {
		filter := ""
		if q.Filter != nil {
			filter = q.Filter.String()
		}
		t.Fatalf("%s: %v", filter, err)
	}
	return ids
}

// TestSCIMSort: pages in either direction have each user once, in order; who has no value
// comes last, or first when descending.
func TestSCIMSort(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	provider := uuid.New()
	f.A.Exec(t, `INSERT INTO auth.sso_providers (id) VALUES ($1)`, provider)
	f.A.Exec(t, `INSERT INTO auth.scim_users (id, sso_provider_id, resource, created_at, updated_at) SELECT md5(n::text)::uuid, $1::uuid,
		jsonb_strip_nulls(jsonb_build_object('userName', chr(96 + n), 'title', CASE WHEN n % 3 > 0 THEN chr(112 - n) END, 'active', n > 3,
			'name', jsonb_build_object('familyName', chr(75 - n)), 'emails', jsonb_build_array(jsonb_build_object('value', 'z'),
			jsonb_build_object('value', chr(117 - n), 'primary', true)))), 'epoch'::timestamptz + n * interval '1 s', 'epoch'::timestamptz - n * interval '1 s'
		FROM generate_series(1, 9) n`, provider)
	for by, want := range map[string]string{
		"": "abcdefghi", "userName": "abcdefghi", "meta.created": "abcdefghi", "meta.lastModified": "ihgfedcba", "name.familyName": "ihgfedcba", "emails": "ihgfedcba",
		"emails.value": "ihgfedcba", "title": "hgedba|cfi", "active": "abc|defghi", "externalId": "|abcdefghi",
	} {
		for _, descending := range []bool{false, true} {
			q := scim.Query{Descending: descending, Start: 1, Count: 4}
			if by != "" {
				sorted, err := scim.ReadQuery(scim.User, map[string][]string{"sortBy": {by}})
				if err != nil {
					t.Fatal(err)
				}
				q.SortBy = sorted.SortBy
			}
			var got strings.Builder
			for q.Start = 1; q.Start < 10; q.Start += 4 {
				for _, id := range find(t, f.A.DB, provider, q) {
					got.WriteString(flowtest.One[string](t, f.A, `SELECT user_name FROM auth.scim_users WHERE id = $1`, id))
				}
			}
			// What is equal is in the order of ids.
			expected := []rune(strings.ReplaceAll(want, "|", ""))
			if descending {
				slices.Reverse(expected)
			}
			if strings.Contains(want, "|") {
				if a, b := []rune(got.String()), slices.Clone(expected); !slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))) {
					t.Errorf("%s: %s", by, got.String())
				}
				first, last, _ := strings.Cut(want, "|")
				if descending {
					first, last = last, first
				}
				if !sameLetters(got.String()[:len(first)], first) || !sameLetters(got.String()[len(first):], last) {
					t.Errorf("%s, descending %v: %s, want %s before %s", by, descending, got.String(), first, last)
				}
				continue
			}
			if got.String() != string(expected) {
				t.Errorf("%s, descending %v: %s, want %s", by, descending, got.String(), string(expected))
			}
		}
	}
}

func sameLetters(a, b string) bool {
	return slices.Equal(slices.Sorted(slices.Values([]rune(a))), slices.Sorted(slices.Values([]rune(b))))
}

// TestSCIMOddResources: what SQL may have written breaks no query.
func TestSCIMOddResources(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	provider := uuid.New()
	f.A.Exec(t, `INSERT INTO auth.sso_providers (id) VALUES ($1)`, provider)
	f.A.Exec(t, `INSERT INTO auth.scim_users (id, sso_provider_id, resource) SELECT gen_random_uuid(), $1::uuid, r FROM unnest(ARRAY[
		'{"userName":"a","emails":5,"name":[1],"title":{"a":1}}', '{"userName":"b","emails":[1,null,"x",[2],{"value":{"x":1},"primary":"x"}]}',
		'{"userName":"c","emails":{"value":"one"},"name":null}', '{"userName":7,"externalId":[]}']::jsonb[]) r`, provider)
	for _, text := range []string{
		`emails[value eq "one"]`, `emails pr`, `emails.primary eq true`, `name.givenName co "x"`, `name pr`, `title eq "x"`, `title gt "a"`, `not (emails.value sw "x")`,
		`emails ne null`, `externalId co "x"`,
	} {
		e, err := scim.ParseFilter(scim.User, text)
		if err != nil {
			t.Fatal(err)
		}
		sorted, err := scim.ReadQuery(scim.User, map[string][]string{"sortBy": {"emails"}})
		if err != nil {
			t.Fatal(err)
		}
		find(t, f.A.DB, provider, scim.Query{Filter: e, SortBy: sorted.SortBy, Start: 1, Count: 1000})
	}
	e, _ := scim.ParseFilter(scim.User, `emails[value eq "one"]`)
	if got := find(t, f.A.DB, provider, scim.Query{Filter: e, Start: 1, Count: 1000}); len(got) != 1 {
		t.Errorf("%d users", len(got))
	}
}
