package scim_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

func mustParse(t *testing.T, id string) uuid.UUID {
	t.Helper()
	u, err := uuid.Parse(id)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// members are the ids of a group's members as the directory sees them.
func (c *company) members(t *testing.T, group string) []string {
	t.Helper()
	var got struct {
		Members []struct{ Value, Display, Type string }
	}
	c.do(t, "GET", "/Groups/"+group, nil).Want(200).Decode(&got)
	ids := []string{}
	for _, m := range got.Members {
		if m.Display == "" || m.Type != "User" {
			t.Errorf("%+v", m)
		}
		ids = append(ids, m.Value)
	}
	return ids
}

func sorted(ids ...string) []string { return slices.Sorted(slices.Values(ids)) }

// TestGroup is the life of a group, with members changed in all the ways that directories
// have.
func TestGroup(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	ann, bob, kim := c.push(t, person("ann")), c.push(t, person("bob")), c.push(t, person("kim"))
	made := c.do(t, "POST", "/Groups", m{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": "Staff", "externalId": "g-1", "members": []m{{"value": ann, "display": "whoever"}},
	}).Want(201)
	id := made.Get("id")
	if made.Header.Get("ETag") != `W/"1"` || made.Get("meta.resourceType") != "Group" || !strings.HasSuffix(made.Header.Get("Location"), "/scim/v2/Groups/"+id) {
		t.Errorf("%s %v", made.Raw, made.Header)
	}
	version := `W/"1"`
	for _, step := range []struct {
		ops  []m
		want []string
	}{
		{[]m{{"op": "Add", "path": "members", "value": []m{{"value": bob}, {"value": kim}}}}, sorted(ann, bob, kim)},
		{[]m{{"op": "add", "path": "members", "value": []m{{"value": bob}}}}, sorted(ann, bob, kim)}, // there already
		{[]m{{"op": "Remove", "path": "members", "value": []m{{"value": bob}}}}, sorted(ann, kim)},
		{[]m{{"op": "remove", "path": `members[value eq "` + kim + `"]`}}, sorted(ann)},
		{[]m{{"op": "remove", "path": `members[value eq "` + kim + `"]`}}, sorted(ann)}, // gone already
		{[]m{{"op": "replace", "path": "members", "value": []m{{"value": bob}, {"value": kim}}}}, sorted(bob, kim)},
		{[]m{{"op": "remove", "path": `members[value eq "` + bob + `" or value eq "` + kim + `"]`}, {"op": "add", "path": "members", "value": []m{{"value": ann}}}}, sorted(ann)},
		{[]m{{"op": "replace", "value": m{"id": id, "displayName": "Everybody", "members": []m{{"value": strings.ToUpper(bob)}}}}}, sorted(bob)},
		{[]m{{"op": "remove", "path": "members"}}, sorted()},
	} {
		before := c.members(t, id)
		res := c.do(t, "PATCH", "/Groups/"+id, patch(step.ops...)).Want(204)
		if got := c.members(t, id); !slices.Equal(got, step.want) {
			t.Errorf("%v: %v, want %v", step.ops, got, step.want)
		}
		if changed := !slices.Equal(before, step.want); (res.Header.Get("ETag") != version) != changed {
			t.Errorf("%v: version %s after %s", step.ops, res.Header.Get("ETag"), version)
		}
		version = res.Header.Get("ETag")
	}
	if got := c.do(t, "GET", "/Groups/"+id, nil).Want(200); got.Get("displayName") != "Everybody" || got.Get("externalId") != "g-1" || got.Header.Get("ETag") != version {
		t.Errorf("%s", got.Raw)
	}
	if res := c.do(t, "PUT", "/Groups/"+id, m{"displayName": "All", "members": []m{{"value": ann}, {"value": kim}}}).Want(200); res.Get("externalId") != "" {
		t.Errorf("%s", res.Raw)
	}
	if got := c.members(t, id); !slices.Equal(got, sorted(ann, kim)) {
		t.Errorf("%v", got)
	}
	// A user who is removed is in no group.
	var user struct {
		Groups []struct{ Value, Display string }
	}
	c.do(t, "GET", "/Users/"+ann, nil).Want(200).Decode(&user)
	if len(user.Groups) != 1 || user.Groups[0].Value != id || user.Groups[0].Display != "All" {
		t.Errorf("%+v", user)
	}
	version = c.do(t, "GET", "/Groups/"+id, nil).Header.Get("ETag")
	c.do(t, "DELETE", "/Users/"+ann, nil).Want(204)
	if got := c.members(t, id); !slices.Equal(got, sorted(kim)) || c.do(t, "GET", "/Groups/"+id, nil).Header.Get("ETag") == version {
		t.Errorf("%v", got)
	}
	if res := c.do(t, "GET", "/Groups/"+id+"?excludedAttributes=members", nil).Want(200); res.JSON["members"] != nil || res.Get("displayName") != "All" {
		t.Errorf("%s", res.Raw)
	}
	c.refused(t, "DELETE", "/Groups/"+id, nil, 412, "", flowtest.Header("If-Match", version))
	c.do(t, "DELETE", "/Groups/"+id, nil).Want(204)
	c.refused(t, "GET", "/Groups/"+id, nil, 404, "")
	if n := f.A.Count(t, `SELECT count(*) FROM reeve.scim_member`); n != 0 {
		t.Errorf("%d members of no group", n)
	}
}

// TestGroupRefused: what groups are refused for, and that nothing of it stays.
func TestGroupRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c, other := newCompany(t, f, f.A, "acme.example"), newCompany(t, f, f.A, "other.example")
	ann, stranger := c.push(t, person("ann")), other.push(t, person("eve"))
	id := c.group(t, "Staff", ann)
	c.refused(t, "POST", "/Groups", m{"members": []m{}}, 400, "invalidValue")
	c.refused(t, "POST", "/Groups", m{"displayName": "x", "members": []m{{"value": stranger}}}, 400, "invalidValue")
	c.refused(t, "POST", "/Groups", m{"displayName": "x", "members": []m{{"value": uuid.NewString()}}}, 400, "invalidValue")
	c.refused(t, "POST", "/Groups", m{"displayName": "x", "members": []m{{"value": "ann"}}}, 400, "invalidValue")
	c.refused(t, "POST", "/Groups", m{"displayName": "x", "members": []m{{"value": id, "type": "Group"}}}, 400, "invalidValue")
	c.refused(t, "PATCH", "/Groups/"+id, patch(m{"op": "replace", "path": "displayName", "value": "y"}, m{"op": "add", "path": "members", "value": []m{{"value": stranger}}}), 400, "invalidValue")
	c.refused(t, "PATCH", "/Groups/"+id, patch(m{"op": "remove", "path": "displayName"}), 400, "mutability")
	c.refused(t, "PATCH", "/Groups/"+id, patch(m{"op": "remove", "path": `members[display eq "ann"]`}), 400, "invalidFilter")
	c.refused(t, "PUT", "/Groups/"+id, m{"displayName": " "}, 400, "invalidValue")
	if got := c.do(t, "GET", "/Groups/"+id, nil).Want(200); got.Get("displayName") != "Staff" || got.Header.Get("ETag") != `W/"1"` {
		t.Errorf("%s", got.Raw)
	}
	c.do(t, "POST", "/Groups", m{"displayName": "x", "externalId": "e"}).Want(201)
	c.refused(t, "POST", "/Groups", m{"displayName": "y", "externalId": "e"}, 409, "uniqueness")
	other.do(t, "POST", "/Groups", m{"displayName": "y", "externalId": "e"}).Want(201)
}

// TestHugeGroup: what has too many members to be answered can still be changed, and its
// members can be paged.
func TestHugeGroup(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	f.A.Exec(t, `INSERT INTO auth.scim_users (id, sso_provider_id, resource, created_at)
		SELECT gen_random_uuid(), $1::uuid, jsonb_build_object('userName', 'u' || n), 'epoch'::timestamptz + n * interval '1 s' FROM generate_series(1, 50001) n`, c.id)
	id := c.group(t, "Everybody")
	f.A.Exec(t, `INSERT INTO reeve.scim_member SELECT $1::uuid, u.id FROM auth.scim_users u WHERE u.user_name <> 'u1'`, id)
	c.refused(t, "GET", "/Groups/"+id, nil, 400, "tooMany")
	c.refused(t, "GET", "/Groups", nil, 400, "tooMany")
	c.do(t, "GET", "/Groups/"+id+"?excludedAttributes=members", nil).Want(200)
	if got := c.do(t, "GET", "/Groups?attributes=displayName", nil).Want(200); got.Get("totalResults") != "1" {
		t.Errorf("%s", got.Raw)
	}
	page := c.do(t, "GET", "/Users?excludedAttributes=groups&startIndex=49999&count=5&filter=groups.value+eq+%22"+id+"%22", nil).Want(200)
	if page.Get("totalResults") != "50000" || page.Get("itemsPerPage") != "2" || page.Get("startIndex") != "49999" {
		t.Errorf("%s %s %s", page.Get("totalResults"), page.Get("itemsPerPage"), page.Get("startIndex"))
	}
	first := flowtest.One[string](t, f.A, `SELECT id::text FROM auth.scim_users WHERE user_name = 'u1'`)
	c.do(t, "PATCH", "/Groups/"+id, patch(m{"op": "add", "path": "members", "value": []m{{"value": first}}})).Want(204)
	c.do(t, "PATCH", "/Groups/"+id, patch(m{"op": "replace", "path": "members", "value": []m{{"value": first}}})).Want(204)
	if got := c.members(t, id); !slices.Equal(got, []string{first}) {
		t.Errorf("%d members", len(got))
	}
	// A million users are looked through only by an index.
	if got := c.do(t, "GET", "/Users?filter=userName+eq+%22U777%22", nil).Want(200); got.Get("totalResults") != "1" {
		t.Errorf("%s", got.Raw)
	}
	c.refused(t, "GET", "/Users?filter=title+pr", nil, 400, "tooMany")
	c.refused(t, "GET", "/Users?filter=userName+co+%22U777%22", nil, 400, "tooMany")
	c.refused(t, "GET", "/Users?sortBy=title", nil, 400, "tooMany")
	if got := c.do(t, "GET", "/Users?filter=title+pr+and+userName+eq+%22U777%22&sortBy=title", nil).Want(200); got.Get("totalResults") != "0" {
		t.Errorf("%s", got.Raw)
	}
	if got := c.do(t, "GET", "/Users?sortBy=userName&sortOrder=descending&count=1", nil).Want(200); got.Get("totalResults") != "50001" || !strings.Contains(string(got.Raw), `"u9999"`) {
		t.Errorf("%.300s", got.Raw)
	}
}

// TestStatedGroups: with the rule groups_attribute scim, app_metadata has the groups of the
// directory, at once and at sign-in.
func TestStatedGroups(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c, other := newCompany(t, f, f.A, "acme.example"), newCompany(t, f, f.A, "other.example")
	rules := func(rules m) { f.A.Admin(t, "PUT", "/admin/sso/providers/"+c.id, m{"rules": rules}).Want(200) }
	ann, bob := c.push(t, person("ann")), c.push(t, person("bob"))
	before := c.group(t, "Before", ann)
	stated := func(id, want string) {
		t.Helper()
		got := flowtest.One[string](t, f.A, `SELECT coalesce(raw_app_meta_data->>'groups', 'none') FROM auth.users WHERE id = $1`, c.userOf(t, id))
		if got != want {
			t.Errorf("groups %s, want %s", got, want)
		}
	}
	stated(ann, "none") // no rule
	rules(m{"groups_attribute": "scim", "allowed_groups": []string{"Staff", "Before", "Crew"}})
	f.A.Exec(t, `UPDATE auth.users SET raw_app_meta_data = raw_app_meta_data || '{"plan":"pro"}'`)
	s := c.session(t, "ext-ann", "ann@acme.example")
	if app := flowtest.Claims(t, s.Access)["app_metadata"].(m); jsonOf(t, app["groups"]) != `["Before"]` || app["plan"] != "pro" {
		t.Errorf("%v", app)
	}
	c.notIn(t, "ext-bob", "bob@acme.example", "sso_group_not_allowed")
	stated(bob, "none")
	staff := c.group(t, "Staff", ann, bob)
	stated(ann, `["Before", "Staff"]`)
	stated(bob, `["Staff"]`)
	c.session(t, "ext-bob", "bob@acme.example")
	c.do(t, "PATCH", "/Groups/"+staff, patch(m{"op": "replace", "path": "displayName", "value": "Crew"})).Want(204)
	stated(bob, `["Crew"]`)
	c.do(t, "PATCH", "/Groups/"+staff, patch(m{"op": "remove", "path": `members[value eq "` + bob + `"]`})).Want(204)
	stated(ann, `["Before", "Crew"]`)
	stated(bob, `[]`)
	c.do(t, "PUT", "/Groups/"+staff, m{"displayName": "Crew", "members": []m{{"value": bob}}}).Want(200)
	stated(ann, `["Before"]`)
	stated(bob, `["Crew"]`)
	c.do(t, "PATCH", "/Users/"+ann, patch(m{"op": "replace", "path": "active", "value": false})).Want(200)
	stated(ann, `[]`)
	c.do(t, "PATCH", "/Users/"+ann, patch(m{"op": "replace", "path": "active", "value": true})).Want(200)
	stated(ann, `["Before"]`)
	c.do(t, "DELETE", "/Groups/"+before, nil).Want(204)
	stated(ann, `[]`)
	// Another connection without the rule writes nothing.
	eve := other.push(t, person("eve"))
	other.group(t, "Others", eve)
	if got := flowtest.One[string](t, f.A, `SELECT coalesce(raw_app_meta_data->>'groups', 'none') FROM auth.users WHERE id = $1`, other.userOf(t, eve)); got != "none" {
		t.Errorf("groups %s", got)
	}
	// A session is issued anew with what is stated.
	c.do(t, "PATCH", "/Groups/"+staff, patch(m{"op": "add", "path": "members", "value": []m{{"value": ann}}})).Want(204)
	if app := flowtest.Claims(t, c.session(t, "ext-ann", "ann@acme.example").Access)["app_metadata"].(m); len(app["groups"].([]any)) != 1 {
		t.Errorf("%v", app)
	}
}
