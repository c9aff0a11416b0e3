package scim

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/reevehq/reeve/internal/fault"
)

// patchCases are changes as the specification describes them and as directories send
// them: a resource, the operations, and what becomes of the resource or the error.
var patchCases = map[string]struct {
	of        *ResourceType
	before    string
	ops       string
	after     string
	err       *fault.Error
	unchanged bool
}{
	// The specification.
	"add a value": {
		ops: `[{"op":"add","path":"nickName","value":"Babs"}]`, after: `{"userName":"b","nickName":"Babs"}`,
	},
	"add without a path": {
		before: `{"userName":"b","emails":[{"value":"b@a","type":"home"}]}`,
		ops:    `[{"op":"add","value":{"emails":[{"value":"b@w","type":"work"}],"nickName":"Babs"}}]`,
		after:  `{"userName":"b","nickName":"Babs","emails":[{"value":"b@a","type":"home"},{"value":"b@w","type":"work"}]}`,
	},
	"add what is there": {
		before: `{"userName":"b","emails":[{"value":"b@a","type":"home"}]}`,
		ops:    `[{"op":"add","path":"emails","value":[{"value":"b@a","type":"home"}]}]`, unchanged: true,
	},
	"add a second main value": {
		before: `{"userName":"b","emails":[{"value":"b@a","primary":true}]}`,
		ops:    `[{"op":"add","path":"emails","value":[{"value":"b@w","primary":true}]}]`,
		after:  `{"userName":"b","emails":[{"value":"b@a","primary":false},{"value":"b@w","primary":true}]}`,
	},
	"add to a complex attribute": {
		before: `{"userName":"b","name":{"givenName":"Barbara"}}`, ops: `[{"op":"add","path":"name","value":{"familyName":"Jensen"}}]`,
		after: `{"userName":"b","name":{"givenName":"Barbara","familyName":"Jensen"}}`,
	},
	"replace a part": {
		before: `{"userName":"b","name":{"givenName":"Barbara"}}`, ops: `[{"op":"replace","path":"name.givenName","value":"Babs"}]`,
		after: `{"userName":"b","name":{"givenName":"Babs"}}`,
	},
	"replace all values": {
		before: `{"userName":"b","emails":[{"value":"1"},{"value":"2"}]}`, ops: `[{"op":"replace","path":"emails","value":[{"value":"3"}]}]`,
		after: `{"userName":"b","emails":[{"value":"3"}]}`,
	},
	"replace parts of a selected value": {
		before: `{"userName":"b","addresses":[{"type":"work","locality":"A","region":"R"},{"type":"home","locality":"C"}]}`,
		ops:    `[{"op":"replace","path":"addresses[type eq \"work\"]","value":{"locality":"B"}}]`,
		after:  `{"userName":"b","addresses":[{"type":"work","locality":"B","region":"R"},{"type":"home","locality":"C"}]}`,
	},
	"replace a part of a selected value": {
		before: `{"userName":"b","addresses":[{"type":"work","streetAddress":"A"}]}`,
		ops:    `[{"op":"replace","path":"addresses[type eq \"work\"].streetAddress","value":"1010 Broadway"}]`,
		after:  `{"userName":"b","addresses":[{"type":"work","streetAddress":"1010 Broadway"}]}`,
	},
	"replace a part of all values": {
		before: `{"userName":"b","emails":[{"value":"1"},{"value":"2"}]}`, ops: `[{"op":"replace","path":"emails.type","value":"work"}]`,
		after: `{"userName":"b","emails":[{"value":"1","type":"work"},{"value":"2","type":"work"}]}`,
	},
	"remove an attribute": {
		before: `{"userName":"b","title":"x"}`, ops: `[{"op":"remove","path":"title"}]`, after: `{"userName":"b"}`,
	},
	"remove what is not there": {ops: `[{"op":"remove","path":"title"}]`, unchanged: true},
	"remove the last part": {
		before: `{"userName":"b","name":{"givenName":"x"}}`, ops: `[{"op":"remove","path":"name.givenName"}]`, after: `{"userName":"b"}`,
	},
	"remove selected values": {
		before: `{"userName":"b","emails":[{"value":"1","type":"work"},{"value":"2","type":"home"}]}`,
		ops:    `[{"op":"remove","path":"emails[type eq \"work\" and value ew \"1\"]"}]`, after: `{"userName":"b","emails":[{"value":"2","type":"home"}]}`,
	},
	"remove the last value": {
		before: `{"userName":"b","emails":[{"value":"1","type":"work"}]}`, ops: `[{"op":"remove","path":"emails[value pr]"}]`, after: `{"userName":"b"}`,
	},
	"an attribute of an extension": {
		ops:   `[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber","value":"7"}]`,
		after: `{"userName":"b","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"7"}}`,
	},
	"a part of an attribute of an extension": {
		ops:   `[{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value","value":"9"}]`,
		after: `{"userName":"b","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"9"}}}`,
	},
	"all of an extension": {
		before: `{"userName":"b","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"division":"D"}}`,
		ops:    `[{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":{"department":"R"}}]`,
		after:  `{"userName":"b","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"division":"D","department":"R"}}`,
	},
	"remove an extension": {
		before: `{"userName":"b","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"division":"D"}}`,
		ops:    `[{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}]`, after: `{"userName":"b"}`,
	},
	"one after the other": {
		ops:   `[{"op":"add","path":"title","value":"x"},{"op":"replace","path":"title","value":"y"},{"op":"remove","path":"title"},{"op":"add","path":"locale","value":"de"}]`,
		after: `{"userName":"b","locale":"de"}`,
	},

	// Entra ID.
	"capital operations, booleans as text": {
		before: `{"userName":"b","active":true}`, ops: `[{"op":"Replace","path":"active","value":"False"}]`, after: `{"userName":"b","active":false}`,
	},
	"replace a value that is not there": {
		ops:   `[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"b@w"}]`,
		after: `{"userName":"b","emails":[{"type":"work","value":"b@w"}]}`,
	},
	"add a value that is not there, beside another": {
		before: `{"userName":"b","phoneNumbers":[{"value":"1","type":"mobile"}]}`,
		ops:    `[{"op":"Add","path":"phoneNumbers[type eq \"work\"].value","value":"2"}]`,
		after:  `{"userName":"b","phoneNumbers":[{"value":"1","type":"mobile"},{"type":"work","value":"2"}]}`,
	},
	"the main value, by text": {
		ops:   `[{"op":"Add","path":"roles[primary eq \"True\"].value","value":"admin"},{"op":"Add","path":"roles[primary eq \"True\"].display","value":"Admin"}]`,
		after: `{"userName":"b","roles":[{"primary":true,"value":"admin","display":"Admin"}]}`,
	},
	"names with dots, without a path": {
		before: `{"userName":"b","name":{"givenName":"Barbara","familyName":"Jensen"}}`,
		ops: `[{"op":"Replace","value":{"name.givenName":"Babs","displayName":"Babs J",
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"R","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager":"42"}}]`,
		after: `{"userName":"b","name":{"givenName":"Babs","familyName":"Jensen"},"displayName":"Babs J",
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R","manager":{"value":"42"}}}`,
	},
	"paths with filters as names, without a path": {
		ops:   `[{"op":"add","value":{"emails[type eq \"work\"].value":"b@w","emails[type eq \"work\"].primary":true,"active":"True"}}]`,
		after: `{"userName":"b","active":true,"emails":[{"type":"work","value":"b@w","primary":true}]}`,
	},
	"a manager by the bare id": {
		ops:   `[{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"42"}]`,
		after: `{"userName":"b","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"42"}}}`,
	},
	"a value that is no array": {
		ops: `[{"op":"Add","path":"emails","value":{"value":"b@w","type":"work"}}]`, after: `{"userName":"b","emails":[{"value":"b@w","type":"work"}]}`,
	},
	"values removed by value": {
		before: `{"userName":"b","roles":[{"value":"x","display":"X"},{"value":"y"}]}`,
		ops:    `[{"op":"Remove","path":"roles","value":[{"value":"x"},{"value":"z"}]}]`, after: `{"userName":"b","roles":[{"value":"y"}]}`,
	},
	"addresses part by part": {
		ops: `[{"op":"Add","path":"addresses[type eq \"work\"].formatted","value":"X"},{"op":"Add","path":"addresses[type eq \"work\"].country","value":"DE"},
			{"op":"Add","path":"addresses[type eq \"work\"].postalCode","value":"1"}]`,
		after: `{"userName":"b","addresses":[{"type":"work","formatted":"X","country":"DE","postalCode":"1"}]}`,
	},

	// Okta.
	"deactivate without a path": {
		before: `{"userName":"b","active":true}`, ops: `[{"op":"replace","value":{"active":false}}]`, after: `{"userName":"b","active":false}`,
	},
	"a group with its id": {
		of: Group, before: `{"displayName":"old"}`, ops: `[{"op":"replace","value":{"id":"abf4","displayName":"new"}}]`, after: `{"displayName":"new"}`,
	},
	"members that nobody knows of": {
		ops: `[{"op":"replace","value":{"nonsense":1,"schemas":["x"],"groups":[],"meta":{},"title":"x"}}]`, after: `{"userName":"b","title":"x"}`,
	},
	"null removes": {
		before: `{"userName":"b","title":"x","name":{"givenName":"a","familyName":"b"}}`,
		ops:    `[{"op":"replace","value":{"title":null,"name":{"givenName":null}}}]`, after: `{"userName":"b","name":{"familyName":"b"}}`,
	},
	"names in other spellings": {
		ops: `[{"op":"replace","path":"DISPLAYNAME","value":"x"},{"op":"add","path":"Name.GivenName","value":"y"}]`, after: `{"userName":"b","displayName":"x","name":{"givenName":"y"}}`,
	},

	// What is refused.
	"no path to remove":             {ops: `[{"op":"remove"}]`, err: ErrNoTarget},
	"the filter matches nothing":    {ops: `[{"op":"replace","path":"emails[value eq \"x\"].type","value":"work"}]`, err: ErrNoTarget},
	"nothing to remove":             {ops: `[{"op":"remove","path":"emails[type eq \"work\"]"}]`, err: ErrNoTarget},
	"nothing to replace":            {ops: `[{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"x"}}]`, err: ErrNoTarget},
	"a filter that makes no value":  {ops: `[{"op":"replace","path":"emails[type ne \"work\"].value","value":"x"}]`, err: ErrNoTarget},
	"unknown attribute":             {ops: `[{"op":"add","path":"nothing","value":1}]`, err: ErrPath},
	"unknown part":                  {ops: `[{"op":"add","path":"name.nothing","value":"x"}]`, err: ErrPath},
	"unknown part of a value":       {ops: `[{"op":"add","path":"emails[type eq \"work\"].nothing","value":"x"}]`, err: ErrPath},
	"text after the filter":         {ops: `[{"op":"add","path":"emails[type eq \"work\"]value","value":"x"}]`, err: ErrPath},
	"a filter of a plain attribute": {ops: `[{"op":"add","path":"title[value eq \"x\"]","value":"x"}]`, err: ErrPath},
	"unknown extension":             {ops: `[{"op":"add","path":"urn:x:y:2.0:User:z","value":"x"}]`, err: ErrPath},
	"an open filter":                {ops: `[{"op":"add","path":"emails[type eq \"work\"","value":"x"}]`, err: ErrFilter},
	"a filter with a wrong name":    {ops: `[{"op":"add","path":"emails[userName eq \"work\"].value","value":"x"}]`, err: ErrFilter},
	"a wrong type":                  {ops: `[{"op":"replace","path":"active","value":"perhaps"}]`, err: ErrValue},
	"a number":                      {ops: `[{"op":"replace","path":"title","value":5}]`, err: ErrValue},
	"an object for a string":        {ops: `[{"op":"replace","path":"title","value":{"a":1}}]`, err: ErrValue},
	"a string for an object":        {ops: `[{"op":"replace","path":"name","value":"x"}]`, err: ErrValue},
	"no object without a path":      {ops: `[{"op":"replace","value":"x"}]`, err: ErrValue},
	"no name":                       {ops: `[{"op":"replace","path":"userName","value":" "}]`, err: ErrValue},
	"remove what is required":       {ops: `[{"op":"remove","path":"userName"}]`, err: ErrMutability},
	"read only":                     {ops: `[{"op":"replace","path":"id","value":"x"}]`, err: ErrMutability},
	"read only groups":              {ops: `[{"op":"add","path":"groups","value":[{"value":"x"}]}]`, err: ErrMutability},
	"no operations":                 {ops: `[]`, err: ErrSyntax},
	"unknown operation":             {ops: `[{"op":"move","path":"title","value":"x"}]`, err: ErrSyntax},
	"a path that is no text":        {ops: `[{"op":"add","path":5,"value":"x"}]`, err: ErrPath},
	"an operation that is none":     {ops: `["add"]`, err: ErrSyntax},
}

func TestPatch(t *testing.T) {
	t.Parallel()
	for name, c := range patchCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.of == nil {
				c.of = User
			}
			if c.before == "" {
				c.before = `{"userName":"b"}`
			}
			before := read(t, c.of, c.before)
			kept := before.Clone()
			ops, err := ReadPatch([]byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":` + c.ops + `}`))
			var after Resource
			if err == nil {
				after, err = Patch(c.of, before, ops)
			}
			switch {
			case c.err != nil:
				if !errors.Is(err, c.err) {
					t.Errorf("%v, %v", after, err)
				}
			case err != nil:
				t.Error(err)
			case c.unchanged && !after.Equal(before), !c.unchanged && !after.Equal(read(t, c.of, c.after)):
				got, _ := json.Marshal(after)
				t.Errorf("became %s", got)
			}
			if !before.Equal(kept) {
				t.Errorf("the resource itself changed to %v", before)
			}
		})
	}
}

// TestPatchGroup: changes of members are taken out, in each of their forms.
func TestPatchGroup(t *testing.T) {
	t.Parallel()
	for ops, want := range map[string]string{
		`[{"op":"add","path":"members","value":[{"value":"B"},{"value":"a"},{"value":"b"}]}]`:                               `[] [{"Op":"add","All":false,"IDs":["a","b"]}]`,
		`[{"op":"Add","path":"Members","value":[{"$ref":null,"value":"a"}]}]`:                                               `[] [{"Op":"add","All":false,"IDs":["a"]}]`,
		`[{"op":"add","path":"members","value":{"value":"a","display":"x"}}]`:                                               `[] [{"Op":"add","All":false,"IDs":["a"]}]`,
		`[{"op":"Remove","path":"members","value":[{"value":"a"}]}]`:                                                        `[] [{"Op":"remove","All":false,"IDs":["a"]}]`,
		`[{"op":"remove","path":"members[value eq \"a\"]"}]`:                                                                `[] [{"Op":"remove","All":false,"IDs":["a"]}]`,
		`[{"op":"remove","path":"members[value eq \"a\" or value eq \"b\"]"}]`:                                              `[] [{"Op":"remove","All":false,"IDs":["a","b"]}]`,
		`[{"op":"remove","path":"members"}]`:                                                                                `[] [{"Op":"remove","All":true,"IDs":null}]`,
		`[{"op":"replace","path":"members","value":[]}]`:                                                                    `[] [{"Op":"replace","All":false,"IDs":[]}]`,
		`[{"op":"replace","value":{"displayName":"x","members":[{"value":"a"}]}}]`:                                          `[{"Op":"replace","Path":"","Value":{"displayName":"x"}}] [{"Op":"replace","All":false,"IDs":["a"]}]`,
		`[{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:Group:members","value":[{"value":"a","type":"User"}]}]`: `[] [{"Op":"add","All":false,"IDs":["a"]}]`,
		`[{"op":"replace","path":"displayName","value":"x"},{"op":"add","path":"members","value":["a"]}]`:                   `[{"Op":"replace","Path":"displayName","Value":"x"}] [{"Op":"add","All":false,"IDs":["a"]}]`,
		`[{"op":"add","path":"members","value":[{"value":"a","type":"Group"}]}]`:                                            `invalidValue`,
		`[{"op":"add","path":"members","value":[{"display":"a"}]}]`:                                                         `invalidValue`,
		`[{"op":"remove","path":"members[display eq \"a\"]"}]`:                                                              `invalidFilter`,
		`[{"op":"remove","path":"members[value eq \"a\" and value eq \"b\"]"}]`:                                             `invalidFilter`,
		`[{"op":"replace","path":"members[value eq \"a\"]","value":{"value":"b"}}]`:                                         `invalidPath`,
		`[{"op":"replace","path":"members[value eq \"a\"].display","value":"b"}]`:                                           `mutability`,
		`[{"op":"add","path":"nothing","value":"b"}]`:                                                                       `invalidPath`,
	} {
		in, err := ReadPatch([]byte(`{"Operations":` + ops + `}`))
		if err != nil {
			t.Fatal(err)
		}
		rest, members, err := PatchGroup(in)
		if rest == nil {
			rest = []Operation{}
		}
		a, _ := json.Marshal(rest)
		b, _ := json.Marshal(members)
		got := string(a) + " " + string(b)
		if err != nil {
			got = fault.From(err).Code
		}
		if got != want {
			t.Errorf("%s: %s", ops, got)
		}
	}
}

// FuzzPatch: no change breaks a resource: what is left can be read again and is the same.
func FuzzPatch(f *testing.F) {
	for _, c := range patchCases {
		f.Add([]byte(`{"Operations":` + c.ops + `}`))
	}
	r := read(f, User, ann)
	f.Fuzz(func(t *testing.T, body []byte) {
		ops, err := ReadPatch(body)
		if err != nil {
			return
		}
		_, _, _ = PatchGroup(ops)
		after, err := Patch(User, r, ops)
		if err != nil {
			if fault.From(err).Kind != fault.Invalid {
				t.Fatal(err)
			}
			return
		}
		again, err := Read(User, after.Clone())
		if err != nil || !again.Equal(after) {
			t.Fatalf("%v\nis read again as\n%v, %v", after, again, err)
		}
	})
}
