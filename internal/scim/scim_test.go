package scim

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/fault"
)

// TestRead: what is kept of a resource that a client sends.
func TestRead(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		`{"userName":"a"}`: `{"userName":"a"}`,
		`{"schemas":["URN:ietf:params:scim:schemas:core:2.0:User"],"USERNAME":"a","active":"False"}`:         `{"userName":"a","active":false}`,
		`{"userName":"a","id":"x","meta":{"created":"x"},"groups":[{"value":"x"}],"password":"p","other":1}`: `{"userName":"a"}`,
		`{"userName":"a","title":null,"emails":[],"name":{},"phoneNumbers":[{}]}`:                            `{"userName":"a"}`,
		`{"userName":"a","emails":{"VALUE":"x","primary":"true","other":1}}`:                                 `{"userName":"a","emails":[{"value":"x","primary":true}]}`,
		`{"userName":"a","emails":["x"]}`:                                                                    `{"userName":"a","emails":[{"value":"x"}]}`,
		`{"userName":"a","emails":[{"value":"x","primary":true},{"value":"y","primary":true}]}`:              `{"userName":"a","emails":[{"value":"x","primary":true},{"value":"y"}]}`,
		`{"userName":"a","urn:ietf:params:scim:schemas:extension:enterprise:2.0:user":{"Department":"d"}}`:   `{"userName":"a","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"d"}}`,
		`{"userName":"a","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":"m"}}`:      `{"userName":"a","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"m"}}}`,
		`{}`:                              `invalidValue`,
		`{"userName":""}`:                 `invalidValue`,
		`{"userName":5}`:                  `invalidValue`,
		`{"userName":"a","USERNAME":"b"}`: `invalidValue`,
		`{"userName":"a\u0000"}`:          `invalidValue`,
		`{"userName":"a","active":2}`:     `invalidValue`,
		`{"userName":"a","name":"x"}`:     `invalidValue`,
		`{"userName":"a","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":5}`: `invalidValue`,
		`{"userName":"a","schemas":["urn:unknown"]}`:                                      `invalidValue`,
		`{"userName":"a","schemas":[]}`:                                                   `invalidValue`,
		`{"userName":"a","schemas":"x"}`:                                                  `invalidValue`,
		`{"userName":"a","schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:x:2.0:User"]}`: `invalidValue`,
		`{"userName":"` + strings.Repeat("a", maxName+1) + `"}`:                                                                         `invalidValue`,
		`{"userName":"a","title":"` + strings.Repeat("a", maxText+1) + `"}`:                                                             `invalidValue`,
		`{"userName":"a","emails":[` + strings.Repeat(`{"value":"x"},`, maxValues) + `{"value":"x"}]}`:                                  `invalidValue`,
		`{"userName":"a","photos":[` + strings.Repeat(`{"value":"`+strings.Repeat("x", maxText)+`"},`, 17) + `{"value":"x"}]}`:          `invalidValue`,
		``: `invalidSyntax`, `[]`: `invalidSyntax`, `null`: `invalidSyntax`, `{"userName":"a"}x`: `invalidSyntax`, `{`: `invalidSyntax`, "{\"userName\":\"\xff\"}": `invalidSyntax`,
	} {
		m, err := Decode([]byte(sent))
		var r Resource
		if err == nil {
			r, err = Read(User, m)
		}
		got := fault.From(err)
		if err == nil {
			var expected Resource
			if json.Unmarshal([]byte(want), &expected) != nil || !r.Equal(expected) {
				t.Errorf("%.200s is kept as %v", sent, r)
			}
		} else if got.Code != want {
			t.Errorf("%.200s: %v", sent, err)
		}
	}
	g := read(t, Group, `{"displayName":"g","members":[{"value":"B"},{"value":"a"},"b"]}`)
	if ids, given, err := g.Members(); err != nil || !given || !slices.Equal(ids, []string{"a", "b"}) || g["members"] != nil {
		t.Errorf("members %v, %v, %v", ids, given, err)
	}
}

func TestPrimary(t *testing.T) {
	t.Parallel()
	for emails, want := range map[string]string{
		`[]`: "", `[{"type":"work"}]`: "", `[{"value":"a"},{"value":"b"}]`: "a", `[{"value":"a"},{"value":"b","type":"Work"}]`: "b",
		`[{"value":"a","type":"work"},{"value":"b","type":"home","primary":true}]`: "b",
	} {
		r := read(t, User, `{"userName":"u","emails":`+emails+`}`)
		if got, _ := r.Primary("emails")["value"].(string); got != want {
			t.Errorf("%s: %q", emails, got)
		}
	}
}

func TestProjection(t *testing.T) {
	t.Parallel()
	r := read(t, User, ann)
	r["id"], r["schemas"], r["meta"] = "1", User.SchemasOf(r), map[string]any{"version": "v"}
	for _, c := range []struct{ only, without, want string }{
		{"userName", "", `{"id":"1","schemas":0,"userName":"Ann@Acme.example"}`},
		{"USERNAME,name.givenName", "", `{"id":"1","schemas":0,"userName":"Ann@Acme.example","name":{"givenName":"Ann"}}`},
		{"emails.value, emails.type", "", `{"id":"1","schemas":0,"emails":[{"value":"ann@acme.example","type":"work"},{"value":"ann@home.example","type":"home"}]}`},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "", `{"id":"1","schemas":0,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D"}}`},
		{"nothing", "", `{"id":"1","schemas":0}`},
		{"", "id,schemas,name,emails,active,title,externalId,meta,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", `{"id":"1","schemas":0,"userName":"Ann@Acme.example"}`},
		{"", "name.familyName,emails.value,emails.primary,title,active,externalId,meta,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
			`{"id":"1","schemas":0,"userName":"Ann@Acme.example","name":{"givenName":"Ann"},"emails":[{"type":"work"},{"type":"home"}],
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D"}}`},
	} {
		p, err := NewProjection(User, Names(c.only), Names(c.without))
		if err != nil {
			t.Fatal(err)
		}
		got := p.Apply(User, r).Clone()
		if len(got["schemas"].([]any)) != 2 {
			t.Errorf("%s %s: schemas %v", c.only, c.without, got["schemas"])
		}
		got["schemas"] = 0
		var want Resource
		if err := json.Unmarshal([]byte(c.want), &want); err != nil || !got.Equal(want) {
			t.Errorf("%s %s: %v", c.only, c.without, got)
		}
	}
	if _, err := NewProjection(User, []string{"a"}, []string{"b"}); !errors.Is(err, ErrValue) {
		t.Error(err)
	}
	without, _ := NewProjection(Group, nil, []string{"members"})
	only, _ := NewProjection(Group, []string{"members.value"}, nil)
	if without.Wants("members") || !only.Wants("members") || only.Wants("displayName") || !(Projection{}).Wants("members") {
		t.Error("which attributes are wanted")
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"": "1 100", "startIndex=0&count=5": "1 5", "startIndex=-7&count=-1": "1 0", "startIndex=11&count=99999": "11 1000", "startIndex=&count=": "1 100",
		"count=x": "invalidValue", "startIndex=1.5": "invalidValue", "count=99999999999": "invalidValue", "sortOrder=up": "invalidValue", "sortBy=nothing": "invalidPath",
		"sortBy=name": "invalidPath", "sortBy=name.familyName&sortOrder=Descending": "1 100 name.familyName desc", "sortby=emails": "1 100 emails.value", "filter=x": "invalidFilter",
		"filter=title+pr": "1 100 title pr", "attributes=a&excludedAttributes=b": "invalidValue",
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		q, err := ReadQuery(User, values)
		if got := describeQuery(q, err); got != want {
			t.Errorf("%s: %s", query, got)
		}
	}
	for body, want := range map[string]string{
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"title pr","startIndex":3,"count":"4","sortBy":"userName","sortOrder":"descending"}`: "3 4 title pr userName desc",
		`{"schemas":["x"]}`: "invalidSyntax", `{"filter":5}`: "invalidSyntax", `{"count":"x"}`: "invalidValue", `{"count":1.5}`: "invalidValue", `{"attributes":5}`: "invalidSyntax",
		`{"attributes":[5]}`: "invalidSyntax", `{"attributes":["userName"]}`: "1 100", `[]`: "invalidSyntax",
	} {
		q, err := ReadSearch(User, []byte(body))
		if got := describeQuery(q, err); got != want {
			t.Errorf("%s: %s", body, got)
		}
	}
}

func describeQuery(q Query, err error) string {
	if err != nil {
		return fault.From(err).Code
	}
	raw, _ := json.Marshal([]int{q.Start, q.Count})
	out := strings.Trim(strings.ReplaceAll(string(raw), ",", " "), "[]")
	if q.Filter != nil {
		out += " " + q.Filter.String()
	}
	if q.SortBy != nil {
		out += " " + q.SortBy.String()
	}
	if q.Descending {
		out += " desc"
	}
	return out
}

func TestBulk(t *testing.T) {
	t.Parallel()
	b, err := ReadBulk([]byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"failOnErrors":1,"Operations":[
		{"method":"PATCH","path":"/Groups/bulkId:g","data":{"Operations":[]}},
		{"method":"post","path":"/Groups","bulkId":"g","data":{"displayName":"x","members":[{"value":"bulkId:u"}]}},
		{"method":"POST","path":"Users","bulkId":"u","data":{"userName":"x"}},
		{"method":"DELETE","path":"/Users/1","version":"W/\"1\""},
		{"method":"PUT","path":"/Users/2","data":{"title":"bulkId:nobody"}}]}`))
	if err != nil || b.FailOnErrors != 1 {
		t.Fatal(b, err)
	}
	if got := b.Order(); !slices.Equal(got, []int{2, 3, 1, 0, 4}) {
		t.Errorf("order %v", got)
	}
	op := b.Operations[1]
	op.Resolve(map[string]string{"u": "11"})
	if id := op.Data.(map[string]any)["members"].([]any)[0].(map[string]any)["value"]; id != "11" {
		t.Errorf("resolved to %v", id)
	}
	for _, body := range []string{
		`{}`, `{"Operations":{}}`, `{"Operations":[5]}`, `{"Operations":[{"method":"GET","path":"/Users/1"}]}`, `{"Operations":[{"method":"POST","path":"/Users"}]}`,
		`{"Operations":[{"method":"POST","path":"/Users/1","bulkId":"a"}]}`, `{"Operations":[{"method":"PUT","path":"/Users"}]}`,
		`{"Operations":[{"method":"PUT","path":"/Users/1/2"}]}`, `{"Operations":[{"method":"PUT","path":"/Schemas/1"}]}`, `{"failOnErrors":"x","Operations":[]}`,
		`{"failOnErrors":-1,"Operations":[]}`, `{"Operations":[{"method":"POST","path":"/Users","bulkId":"a"},{"method":"POST","path":"/Users","bulkId":"a"}]}`,
	} {
		if b, err := ReadBulk([]byte(body)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: %v, %v", body, b, err)
		}
	}
	many := `{"Operations":[` + strings.Repeat(`{"method":"DELETE","path":"/Users/1"},`, MaxBulk) + `{"method":"DELETE","path":"/Users/1"}]}`
	if _, err := ReadBulk([]byte(many)); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

// TestDiscovery: what is announced is what is done.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(ServiceProviderConfig("https://x/scim/v2"))
	if err != nil || !strings.Contains(string(raw), `"filter":{"maxResults":1000,"supported":true}`) {
		t.Errorf("%s, %v", raw, err)
	}
	for _, rt := range ResourceTypes {
		if d := rt.Describe("https://x"); d["schema"] != rt.Core.ID || d["endpoint"] != rt.Endpoint {
			t.Errorf("%v", d)
		}
	}
	for _, s := range Schemas {
		for _, a := range s.Attributes {
			if a.Description == "" || (a.Type == Complex) != (a.Sub != nil) {
				t.Errorf("%s of %s: %+v", a.Name, s.Name, a)
			}
		}
	}
}

func TestError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		f          *fault.Error
		wantedType string
	}{
		{400, ErrFilter, "invalidFilter"}, {409, ErrUniqueness, "uniqueness"}, {413, ErrTooLarge, ""}, {400, fault.New(fault.Invalid, "bad_json", "x"), "invalidSyntax"},
		{404, fault.New(fault.NotFound, "scim_not_found", "x"), ""}, {400, fault.New(fault.Invalid, "validation_failed", "x"), "invalidValue"},
	} {
		e := NewError(c.status, c.f)
		if e.Type != c.wantedType || e.Detail != c.f.Message || e.Schemas[0] != URNError || len(e.Status) != 3 {
			t.Errorf("%+v", e)
		}
	}
}
