package scim_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

// TestTokens: which tokens open what, and that each says it in the form of SCIM.
func TestTokens(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c, other, there := newCompany(t, f, f.A, "acme.example"), newCompany(t, f, f.A, "other.example"), newCompany(t, f, f.B, "acme.example")
	unauthorized := func(name string, options ...flowtest.Option) {
		t.Helper()
		for _, request := range [][2]string{
			{"GET", "/Users"}, {"POST", "/Users"}, {"PATCH", "/Users/" + uuid.NewString()}, {"GET", "/ServiceProviderConfig"}, {"POST", "/Bulk"}, {"GET", "/Me"}, {"GET", "/Schemas"},
		} {
			res := wantSCIM(t, c.do(t, request[0], request[1], `{"broken`, options...), 401, "")
			if res.Header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s: %v", name, res.Header)
			}
		}
	}
	bearer := func(token string) flowtest.Option { return flowtest.Header("Authorization", "Bearer "+token) }
	unauthorized("none", flowtest.Header("Authorization", ""))
	unauthorized("another scheme", flowtest.Header("Authorization", "Basic "+c.token))
	unauthorized("unknown", bearer(c.token[:len(c.token)-1]+"_"))
	unauthorized("capitals", bearer(strings.ToUpper(c.token)))
	unauthorized("hash", bearer(flowtest.One[string](t, f.A, `SELECT token_hash FROM auth.scim_tokens WHERE sso_provider_id = $1`, c.id)))
	unauthorized("another project's", bearer(there.token))
	unauthorized("long", bearer("scim_"+strings.Repeat("a", 5000)))
	unauthorized("a user's", bearer(f.A.SignUp(t, "ann@example.com", "password123").Access))

	expires := f.Clock.Now().Add(time.Hour)
	f.A.Admin(t, "POST", c.admin()+"/tokens", m{"expires_at": f.Clock.Now()}).WantError(400, "validation_failed")
	f.A.Admin(t, "POST", c.admin()+"/tokens", m{"expires_at": "tomorrow"}).WantError(400, "bad_json")
	made := f.A.Admin(t, "POST", c.admin()+"/tokens", m{"expires_at": expires}).Want(201)
	second := made.Get("token")
	if !strings.HasPrefix(second, made.Get("prefix")) || len(second) < 40 || made.Get("base_url") != f.A.Tenant().Issuer()+"/scim/v2" || made.JSON["token_hash"] != nil {
		t.Errorf("%s", made.Raw)
	}
	c.do(t, "GET", "/Users", nil, bearer(second)).Want(200)
	c.do(t, "GET", "/Users", nil).Want(200) // both until one is revoked
	used := func(at time.Time) {
		t.Helper()
		var got struct {
			Items []struct {
				Prefix string
				Used   *time.Time `json:"last_used_at"`
			}
		}
		res := f.A.Admin(t, "GET", c.admin()+"/tokens", nil).Want(200)
		res.Decode(&got)
		for _, item := range got.Items {
			if item.Used == nil || !item.Used.Equal(at) || !strings.HasPrefix(second+c.token, item.Prefix) && !strings.HasPrefix(c.token, item.Prefix) {
				t.Errorf("%+v, want used at %s", item, at)
			}
		}
		if len(got.Items) != 2 || strings.Contains(string(res.Raw), c.token) || strings.Contains(string(res.Raw), second) {
			t.Errorf("%s", res.Raw)
		}
	}
	start := f.Clock.Now()
	used(start)
	f.Clock.Advance(59 * time.Second)
	c.do(t, "GET", "/Users", nil).Want(200)
	c.do(t, "GET", "/Users", nil, bearer(second)).Want(200)
	used(start) // noted once in a minute
	f.Clock.Advance(time.Second)
	c.do(t, "GET", "/Users", nil).Want(200)
	c.do(t, "GET", "/Users", nil, bearer(second)).Want(200)
	used(f.Clock.Now())
	f.Clock.Advance(time.Hour)
	unauthorized("expired", bearer(second))
	c.do(t, "GET", "/Users", nil).Want(200)

	id := flowtest.One[string](t, f.A, `SELECT id::text FROM auth.scim_tokens WHERE sso_provider_id = $1 AND expires_at IS NULL`, c.id)
	f.A.Admin(t, "DELETE", other.admin()+"/tokens/"+id, nil).WantError(404, "scim_token_not_found")
	f.B.Admin(t, "DELETE", c.admin()+"/tokens/"+id, nil).WantError(404, "sso_provider_not_found")
	f.A.Do(t, "DELETE", c.admin()+"/tokens/"+id, nil).WantError(401, "no_authorization")
	c.do(t, "GET", "/Users", nil).Want(200)
	f.A.Admin(t, "DELETE", c.admin()+"/tokens/"+id, nil).Want(204)
	unauthorized("revoked")
	other.do(t, "GET", "/Users", nil).Want(200)
	for _, action := range []string{"scim_token_created", "scim_token_revoked"} {
		if n := f.A.Count(t, `SELECT count(*) FROM auth.audit_log_entries WHERE payload->>'action' = $1 AND payload->'traits'->>'sso_provider_id' = $2`, action, c.id); n == 0 {
			t.Errorf("no %s", action)
		}
	}

	f.A.Admin(t, "PUT", "/admin/sso/providers/"+other.id, m{"disabled": true}).Want(200)
	other.refused(t, "GET", "/Users", nil, 403, "")
	f.A.Admin(t, "DELETE", "/admin/sso/providers/"+other.id, nil).Want(200)
	other.refused(t, "GET", "/Users", nil, 401, "")
	f.A.Admin(t, "POST", other.admin()+"/tokens", nil).WantError(404, "sso_provider_not_found")
	f.A.Admin(t, "GET", "/admin/sso/providers/nonsense/scim/tokens", nil).WantError(404, "sso_provider_not_found")
	for range 10 {
		f.A.Admin(t, "POST", c.admin()+"/tokens", m{}).Want(201)
	}
	f.A.Admin(t, "POST", c.admin()+"/tokens", m{}).WantError(422, "over_scim_token_quota")
}

// TestIsolation: the directories of two connections, and of two projects, see nothing of
// each other.
func TestIsolation(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	ann := c.push(t, person("ann"))
	group := c.group(t, "Staff", ann)
	c.do(t, "PATCH", "/Users/"+ann, patch(m{"op": "add", "path": "nothing"})).Want(400)
	var log struct{ Items []struct{ ID int } }
	f.A.Admin(t, "GET", c.admin()+"/log", nil).Want(200).Decode(&log)
	for name, other := range map[string]*company{"connection": newCompany(t, f, f.A, "other.example"), "project": newCompany(t, f, f.B, "acme.example")} {
		own := other.push(t, person("bob"))
		for _, path := range []string{"/Users/" + ann, "/Groups/" + group} {
			for method, body := range map[string]any{
				"GET": nil, "PUT": m{"userName": "eve", "displayName": "eve"}, "PATCH": patch(m{"op": "add", "path": "externalId", "value": "eve"}), "DELETE": nil,
			} {
				other.refused(t, method, path, body, 404, "")
			}
		}
		for path, want := range map[string]string{
			"/Users": "1", "/Users?filter=id+eq+%22" + ann + "%22": "0", "/Users?filter=userName+sw+%22ann%22": "0", "/Users?filter=id+eq+%22" + ann + "%22+or+userName+pr": "1",
			"/Groups": "0", "/Users?filter=groups.value+eq+%22" + group + "%22": "0", "/Groups?filter=members+eq+%22" + ann + "%22": "0",
		} {
			if got := other.do(t, "GET", path, nil).Want(200); got.Get("totalResults") != want || strings.Contains(string(got.Raw), "ann@") {
				t.Errorf("another %s: %s: %s", name, path, got.Raw)
			}
		}
		other.refused(t, "POST", "/Groups", m{"displayName": "x", "members": []m{{"value": ann}}}, 400, "invalidValue")
		mine := other.group(t, "Mine", own)
		other.refused(t, "PATCH", "/Groups/"+mine, patch(m{"op": "add", "path": "members", "value": []m{{"value": ann}}}), 400, "invalidValue")
		for _, item := range log.Items {
			if name == "project" {
				break // which numbers its entries itself
			}
			other.project.Admin(t, "POST", other.admin()+"/log/"+jsonOf(t, item.ID)+"/replay", nil).WantError(404, "scim_log_entry_not_found")
		}
	}
	f.B.Admin(t, "GET", c.admin()+"/log", nil).WantError(404, "sso_provider_not_found")
	if got := c.do(t, "GET", "/Users/"+ann, nil).Want(200); got.Get("externalId") != "ext-ann" {
		t.Errorf("%s", got.Raw)
	}
	// Nor does the project's owner see what is in schema reeve.
	for _, table := range []string{"scim_group", "scim_member", "scim_log"} {
		if err := f.A.TryAs(t, f.A.Tenant().Ref.OwnerRole(), `SELECT * FROM reeve.`+table); err == nil {
			t.Errorf("the owner can read reeve.%s", table)
		}
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestRefused: what is refused, in the form of SCIM with the scimType that RFC 7644 has
// for it.
func TestRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	id := c.push(t, person("ann"))
	at := "/Users/" + id
	for _, r := range []struct {
		method, path string
		body         any
		status       int
		scimType     string
	}{
		{"GET", "/Users?filter=userName", nil, 400, "invalidFilter"},
		{"GET", "/Users?filter=userName+eq+%27a%27", nil, 400, "invalidFilter"},
		{"GET", "/Users?filter=password+pr", nil, 400, "invalidFilter"},
		{"GET", "/Users?filter=meta.location+pr", nil, 400, "invalidFilter"},
		{"GET", "/Users?filter=" + strings.Repeat("(", 1000), nil, 400, "invalidFilter"},
		{"GET", "/Users?filter=title+eq+%22" + strings.Repeat("a", 5000) + "%22", nil, 400, "invalidFilter"},
		{"GET", "/Users?sortBy=groups", nil, 400, "invalidPath"},
		{"GET", "/Users?count=many", nil, 400, "invalidValue"},
		{"GET", "/Users?attributes=a&excludedAttributes=b", nil, 400, "invalidValue"},
		{"GET", "/Users?filter=%00", nil, 400, "invalidValue"},
		{"GET", "/Groups?filter=members.%24ref+pr", nil, 400, "invalidFilter"},
		{"GET", "/Schemas?filter=id+pr", nil, 403, ""},
		{"GET", "/Schemas/nothing", nil, 404, ""},
		{"GET", "/Nothing", nil, 404, ""},
		{"PUT", "/Users", person("bob"), 405, ""},
		{"GET", "/Me", nil, 501, ""},
		{"POST", "/.search", m{}, 501, ""},
		{"POST", "/Users/.search", m{"filter": "x"}, 400, "invalidFilter"},
		{"POST", "/Users/.search", `[]`, 400, "invalidSyntax"},
		{"GET", "/Users/" + strings.ToUpper(id) + "0", nil, 404, ""},
		{"GET", "/Users/%7B" + id + "%7D", nil, 404, ""},
		{"GET", "/Users/" + uuid.NewString(), nil, 404, ""},
		{"POST", "/Users", nil, 400, "invalidSyntax"},
		{"POST", "/Users", `{"userName":`, 400, "invalidSyntax"},
		{"POST", "/Users", `[1]`, 400, "invalidSyntax"},
		{"POST", "/Users", `{} x`, 400, "invalidSyntax"},
		{"POST", "/Users", strings.Repeat("[", 200_000), 400, "invalidSyntax"},
		{"POST", "/Users", m{"schemas": []string{"urn:unknown"}, "userName": "x"}, 400, "invalidValue"},
		{"POST", "/Users", m{"schemas": []string{urnUser, "urn:ietf:params:scim:schemas:extension:x:2.0:User"}, "userName": "x"}, 400, "invalidValue"},
		{"POST", "/Users", m{"userName": "a\x00"}, 400, "invalidValue"},
		{"POST", "/Users", m{"userName": strings.Repeat("a", 2000)}, 400, "invalidValue"},
		{"POST", "/Users", `{"userName":"` + strings.Repeat("a", 1<<20) + `"}`, 413, ""},
		{"PATCH", at, m{"Operations": []m{}}, 400, "invalidSyntax"},
		{"PATCH", at, m{"schemas": []string{"x"}, "Operations": []m{{"op": "add", "path": "title", "value": "x"}}}, 400, "invalidSyntax"},
		{"PATCH", at, patch(m{"op": "replace", "path": `emails[type eq "home"]`, "value": m{"value": "x"}}), 400, "noTarget"},
		{"PATCH", at, patch(m{"op": "remove", "path": `emails[type eq "home"]`}), 400, "noTarget"},
		{"PATCH", at, patch(m{"op": "remove"}), 400, "noTarget"},
		{"PATCH", at, patch(m{"op": "add", "path": "nothing", "value": "x"}), 400, "invalidPath"},
		{"PATCH", at, patch(m{"op": "add", "path": `emails[type eq`, "value": "x"}), 400, "invalidFilter"},
		{"PATCH", at, patch(m{"op": "replace", "path": "id", "value": "x"}), 400, "mutability"},
		{"PATCH", at, patch(m{"op": "remove", "path": "userName"}), 400, "mutability"},
		{"PATCH", at, patch(m{"op": "replace", "path": "active", "value": 5}), 400, "invalidValue"},
		{"PUT", at, m{"displayName": "nameless"}, 400, "invalidValue"},
		{"POST", "/Bulk", m{}, 400, "invalidSyntax"},
		{"POST", "/Bulk", m{"Operations": make([]m, 101)}, 413, ""},
	} {
		res := c.refused(t, r.method, r.path, r.body, r.status, r.scimType)
		for _, leak := range []string{"json:", ".go", "SQLSTATE", "unmarshal"} {
			if strings.Contains(string(res.Raw), leak) {
				t.Errorf("%s %s: %s", r.method, r.path, res.Raw)
			}
		}
	}
	if got := c.do(t, "GET", at, nil).Want(200); got.Get("meta.version") == "" || got.Get("title") != "" {
		t.Errorf("%s", got.Raw)
	}
}

// TestList: filters, projections, sorting and pages as directories ask for them.
func TestList(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	ids := map[string]string{}
	for _, name := range []string{"ann", "bob", "kim", "zoe"} {
		who := person(name)
		if name == "kim" {
			who["active"] = false
		}
		ids[name] = c.push(t, who)
		f.Clock.Advance(time.Second)
	}
	staff := c.group(t, "Staff", ids["ann"], ids["kim"])
	list := func(path string) []string {
		t.Helper()
		var got struct {
			Schemas   []string
			Total     int `json:"totalResults"`
			Resources []struct{ ID, UserName, DisplayName string }
		}
		c.do(t, "GET", path, nil).Want(200).Decode(&got)
		if len(got.Schemas) != 1 || got.Schemas[0] != "urn:ietf:params:scim:api:messages:2.0:ListResponse" || got.Resources == nil {
			t.Errorf("%s: %+v", path, got)
		}
		names := []string{jsonOf(t, got.Total)}
		for _, r := range got.Resources {
			name, _, _ := strings.Cut(r.UserName+r.DisplayName, "@")
			names = append(names, name)
		}
		return names
	}
	for filter, want := range map[string]string{
		`userName eq "ANN@acme.example"`: "1 ann", `externalId eq "ext-bob"`: "1 bob", `id eq "` + ids["zoe"] + `"`: "1 zoe", `userName eq "nobody"`: "0", `active eq false`: "1 kim",
		`emails[type eq "work" and value sw "zo"]`: "1 zoe", `groups.value eq "` + staff + `"`: "2 ann kim", `groups[display eq "staff"] and active eq true`: "1 ann",
		`not (groups pr)`: "2 bob zoe", enterprise + `:department eq "research" and name.givenName gt "B"`: "3 bob kim zoe", `emails[type eq "work"].value eq "bob@acme.example"`: "1 bob",
		`meta.created gt "` + f.Clock.Now().Add(-2500*time.Millisecond).Format(time.RFC3339Nano) + `"`: "2 kim zoe",
	} {
		names := list("/Users?attributes=userName&filter=" + url.QueryEscape(filter))
		slices.Sort(names[1:]) // members of a group come in the order of their ids
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s, want %s", filter, got, want)
		}
	}
	for query, want := range map[string]string{
		"": "4 ann bob kim zoe", "&startIndex=2&count=2": "4 bob kim", "&count=0": "4", "&startIndex=9": "4", "&sortBy=userName&sortOrder=descending": "4 zoe kim bob ann",
		"&sortBy=emails.value&count=1&sortOrder=descending": "4 zoe",
	} {
		if got := strings.Join(list("/Users?attributes=userName"+query), " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if got := c.do(t, "POST", "/Users/.search", m{"filter": `userName sw "b"`, "attributes": []string{"userName"}}).Want(200); got.Get("totalResults") != "1" {
		t.Errorf("%s", got.Raw)
	}
	for filter, want := range map[string]string{
		`displayName eq "STAFF"`: "1 Staff", `displayName eq "x"`: "0", `members.value eq "` + ids["ann"] + `"`: "1 Staff", `members eq "` + ids["bob"] + `"`: "0",
		`id eq "` + staff + `" and members eq "` + ids["kim"] + `"`: "1 Staff", `externalId pr`: "0", `members[display co "kim"]`: "1 Staff",
	} {
		if got := strings.Join(list("/Groups?excludedAttributes=members&filter="+url.QueryEscape(filter)), " "); got != want {
			t.Errorf("%s: %s, want %s", filter, got, want)
		}
	}
}

// TestBulk: what refers to each other is made in order, and each operation stands for
// itself.
func TestBulk(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	old := c.push(t, person("old"))
	body := m{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"}, "Operations": []m{
		{"method": "POST", "path": "/Groups", "bulkId": "g", "data": m{"displayName": "Staff", "members": []m{{"value": "bulkId:a"}, {"value": "bulkId:b"}}}},
		{"method": "POST", "path": "/Users", "bulkId": "a", "data": person("ann")},
		{"method": "POST", "path": "/Users", "bulkId": "b", "data": person("bob")},
		{"method": "POST", "path": "/Users", "bulkId": "c", "data": person("ann")}, // there already
		{"method": "PATCH", "path": "/Users/" + old, "data": patch(m{"op": "replace", "path": "active", "value": false})},
		{"method": "PUT", "path": "/Users/bulkId:c", "data": person("eve")},
		{"method": "DELETE", "path": "/Users/" + old, "version": `W/"other"`},
		{"method": "DELETE", "path": "/Users/" + old},
	}}
	var got struct {
		Schemas    []string
		Operations []struct {
			Method, BulkID, Location, Status, Version string
			Response                                  m
		}
	}
	c.do(t, "POST", "/Bulk", body).Want(200).Decode(&got)
	statuses := []string{}
	for _, op := range got.Operations {
		statuses = append(statuses, op.Status)
		if (op.Status >= "400") != (op.Response["detail"] != nil) || op.Status < "400" && op.Location == "" {
			t.Errorf("%+v", op)
		}
	}
	if want := "201 201 201 409 200 400 412 204"; strings.Join(statuses, " ") != want || got.Schemas[0] != "urn:ietf:params:scim:api:messages:2.0:BulkResponse" {
		t.Errorf("%v, want %s", statuses, want)
	}
	group := got.Operations[0].Location[strings.LastIndexByte(got.Operations[0].Location, '/')+1:]
	if n := len(c.members(t, group)); n != 2 {
		t.Errorf("%d members", n)
	}
	body["failOnErrors"] = 1
	c.do(t, "POST", "/Bulk", body).Want(200).Decode(&got)
	if n := len(got.Operations); n != 1 || got.Operations[0].Status != "409" {
		t.Errorf("%d operations after an error: %+v", n, got.Operations)
	}
}

// TestDiscovery: what the service says of itself.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	if got := c.do(t, "GET", "/ServiceProviderConfig", nil).Want(200); got.Get("patch.supported") != "true" || got.Get("bulk.maxPayloadSize") != "1.048576e+06" ||
		got.Header.Get("Content-Type") != "application/scim+json" || got.Get("meta.location") != f.A.Tenant().Issuer()+"/scim/v2/ServiceProviderConfig" {
		t.Errorf("%s", got.Raw)
	}
	for path, want := range map[string]string{"/ResourceTypes": "2", "/Schemas": "3"} {
		if got := c.do(t, "GET", path, nil).Want(200); got.Get("totalResults") != want {
			t.Errorf("%s", got.Raw)
		}
	}
	for path, want := range map[string]string{"/ResourceTypes/User": "User", "/Schemas/" + urnUser: urnUser, "/Schemas/" + enterprise: enterprise} {
		if got := c.do(t, "GET", path, nil).Want(200); got.Get("id") != want {
			t.Errorf("%s", got.Raw)
		}
	}
}

// TestLog: pushes are noted without passwords, and can be made again.
func TestLog(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	type entry struct {
		ID                           int64
		Method, Path, Request, Error string
		Status                       int
		TokenID                      *string `json:"token_id"`
		Cut                          bool    `json:"request_cut"`
		ReplayOf                     *int64  `json:"replay_of"`
	}
	log := func(query string) []entry {
		t.Helper()
		var got struct{ Items []entry }
		f.A.Admin(t, "GET", c.admin()+"/log"+query, nil).Want(200).Decode(&got)
		return got.Items
	}
	who := person("ann")
	who["password"] = "canary"
	id := c.push(t, who)
	c.do(t, "GET", "/Users/"+id, nil).Want(200)
	c.do(t, "GET", "/Users?filter=x", nil).Want(400)
	bob := c.push(t, person("bob"))
	c.do(t, "PATCH", "/Users/"+id+"?attributes=userName", patch(m{"op": "replace", "path": "password", "value": "canary"}, m{"op": "replace", "path": "title", "value": "x"})).Want(400)
	c.do(t, "PUT", "/Users/"+id, m{"userName": "bob@acme.example", "Password": m{"x": "canary"}}).Want(409)
	c.do(t, "POST", "/Users", `{"password":"canary`).Want(400)
	large := person("kim")
	large["nonsense"] = strings.Repeat("a", 70_000)
	c.do(t, "POST", "/Users", large).Want(201)
	all := log("")
	got := []string{}
	for _, e := range all {
		got = append(got, e.Method+" "+strings.ReplaceAll(e.Path, id, "ID")+" "+jsonOf(t, e.Status))
		if strings.Contains(e.Request, "canary") || strings.Contains(e.Path, "canary") || e.TokenID == nil || (e.Status >= 400) != (e.Error != "") || len(e.Request) > 65536 {
			t.Errorf("%+v", e)
		}
	}
	if want := "POST /Users 201, POST /Users 400, PUT /Users/ID 409, PATCH /Users/ID?attributes=userName 400, POST /Users 201, GET /Users?filter=x 400, POST /Users 201"; strings.Join(got, ", ") != want {
		t.Fatalf("%s", strings.Join(got, ", "))
	}
	if !all[0].Cut || !all[1].Cut || all[2].Cut || all[2].Error == "" || !strings.HasPrefix(all[2].Error, "uniqueness: ") || !strings.Contains(all[4].Request, "bob@acme.example") {
		t.Errorf("%+v", all)
	}
	if failed := log("?failed=true&limit=2"); len(failed) != 2 || failed[0].ID != all[1].ID || failed[1].ID != all[2].ID {
		t.Errorf("%+v", failed)
	}
	if older := log("?before=" + jsonOf(t, all[5].ID)); len(older) != 1 || older[0].ID != all[6].ID {
		t.Errorf("%+v", older)
	}
	for _, query := range []string{"?limit=0", "?before=x", "?failed=perhaps"} {
		f.A.Admin(t, "GET", c.admin()+"/log"+query, nil).WantError(400, "validation_failed")
	}
	replay := func(id int64) *flowtest.Response {
		return f.A.Admin(t, "POST", c.admin()+"/log/"+jsonOf(t, id)+"/replay", nil)
	}
	// What was refused for another user succeeds when that one is gone.
	if res := replay(all[2].ID).Want(200); res.Get("status") != "409" || res.Get("body.scimType") != "uniqueness" {
		t.Errorf("%s", res.Raw)
	}
	c.do(t, "DELETE", "/Users/"+bob, nil).Want(204)
	if res := replay(all[2].ID).Want(200); res.Get("status") != "200" || res.Get("body.userName") != "bob@acme.example" {
		t.Errorf("%s", res.Raw)
	}
	if e := log("?limit=1")[0]; e.TokenID != nil || e.ReplayOf == nil || *e.ReplayOf != all[2].ID || e.Status != 200 {
		t.Errorf("%+v", e)
	}
	replay(all[0].ID).WantError(422, "scim_log_entry_not_replayable")
	replay(all[1].ID).WantError(422, "scim_log_entry_not_replayable")
	f.A.Admin(t, "POST", c.admin()+"/log/99999999/replay", nil).WantError(404, "scim_log_entry_not_found")
	f.A.Admin(t, "POST", c.admin()+"/log/x/replay", nil).WantError(404, "scim_log_entry_not_found")
	f.A.Do(t, "GET", c.admin()+"/log", nil).WantError(401, "no_authorization")
	f.A.Do(t, "POST", c.admin()+"/log/"+jsonOf(t, all[2].ID)+"/replay", nil).WantError(401, "no_authorization")
}

// TestLogBounded: however much a directory pushes, a bounded number is kept, and of one
// that is gone nothing.
func TestLogBounded(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c, other := newCompany(t, f, f.A, "acme.example"), newCompany(t, f, f.A, "other.example")
	const fill = `INSERT INTO reeve.scim_log (provider_id, at, method, path, status, request, cut, error) SELECT $1::uuid, now(), 'POST', '/Users', 400, '', false, '' FROM generate_series(1, 600)`
	f.A.Exec(t, fill, c.id)
	f.A.Exec(t, fill, other.id)
	for range 16 {
		c.do(t, "POST", "/Users", m{}).Want(400)
	}
	const kept = `SELECT count(*) FROM reeve.scim_log WHERE provider_id = $1`
	if n := f.A.Count(t, kept, c.id); n < 500 || n > 516 {
		t.Errorf("%d entries", n)
	}
	if n := f.A.Count(t, kept, other.id); n != 600 {
		t.Errorf("%d entries of another connection", n)
	}
	ann := other.push(t, person("ann"))
	other.group(t, "Staff", ann)
	f.A.Admin(t, "DELETE", "/admin/sso/providers/"+other.id, nil).Want(200)
	f.Clock.Advance(time.Minute)
	if _, err := f.A.DB.Tidy(t.Context(), f.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if n := f.A.Count(t, kept, other.id) + f.A.Count(t, `SELECT count(*) FROM reeve.scim_group`) + f.A.Count(t, `SELECT count(*) FROM reeve.scim_member`); n != 0 {
		t.Errorf("%d rows of a connection that is gone", n)
	}
	f.Clock.Advance(31 * 24 * time.Hour)
	token := flowtest.One[string](t, f.A, `SELECT id::text FROM auth.scim_tokens`)
	f.A.Admin(t, "DELETE", c.admin()+"/tokens/"+token, nil).Want(http.StatusNoContent)
	if _, err := f.A.DB.Tidy(t.Context(), f.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if n := f.A.Count(t, kept, c.id); n != 0 {
		t.Errorf("%d old entries", n)
	}
	f.Clock.Advance(31 * 24 * time.Hour)
	if _, err := f.A.DB.Tidy(t.Context(), f.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.scim_tokens`); n != 0 {
		t.Errorf("%d old tokens", n)
	}
}
