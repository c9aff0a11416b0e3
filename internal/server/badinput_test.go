package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// leaks are texts that no answer may contain: they reveal internals.
var leaks = []string{"goroutine ", ".go:", "panic", "SQLSTATE", "runtime error", "pgx", "gorm", "json:", "unmarshal", "ERROR:", "/tmp/", "strconv"}

// plain checks an answer to bad input: a 4xx with a code, or, where lenient, a
// success; never a 5xx, and no internals.
func plain(t *testing.T, a *servertest.Answer, what string, lenient bool) {
	t.Helper()
	shown := a.Body[:min(len(a.Body), 300)]
	if lenient && a.Status < 400 {
		return
	}
	if a.Status < 400 || a.Status >= 500 {
		t.Errorf("%s: %d %s, want a 4xx", what, a.Status, shown)
		return
	}
	if len(a.Body) == 0 && a.Code(t) != "" { // HEAD
		return
	}
	var e map[string]any
	if err := json.Unmarshal(a.Body, &e); err != nil {
		t.Errorf("%s: %d %q is no JSON", what, a.Status, shown)
		return
	}
	code, _ := e["error_code"].(string)
	if plain, ok := e["code"].(string); ok {
		code = plain
	}
	if e["schemas"] != nil { // the form of SCIM, whose codes are few
		code = a.Header.Get("X-Sb-Error-Code")
	}
	if code == "" {
		t.Errorf("%s: %d %s has no code", what, a.Status, shown)
	}
	for _, leak := range leaks {
		if leak == "ERROR:" && code == "query_failed" {
			continue // what Postgres says of the developer's own SQL
		}
		if strings.Contains(string(a.Body), leak) {
			t.Errorf("%s: %s shows %q", what, shown, leak)
		}
	}
}

// badBody is a body that is wrong for every route.
type badBody struct {
	name, contentType, body string
}

// typeOnly reports whether only the Content-Type is wrong, which the tenant
// plane ignores.
func (b badBody) typeOnly() bool {
	return slices.Contains([]string{"text", "multipart", "broken content type", "no media type"}, b.name)
}

func badBodies(sound any) []badBody {
	raw, _ := json.Marshal(sound)
	text, deep := string(raw), 200_000
	const asJSON = "application/json"
	return []badBody{
		{"over 1 MB", asJSON, `{"email":"` + strings.Repeat("a", 1<<20) + `"}`},
		{"over 1 MB of blanks", asJSON, strings.Repeat(" ", 1<<20) + text},
		{"text", "text/plain", text},
		{"form", "application/x-www-form-urlencoded", "email=a%40b.c"},
		{"multipart", "multipart/form-data; boundary=x", text},
		{"broken content type", "application/json; charset", text},
		{"no media type", ";", text},
		{"cut off", asJSON, text[:len(text)-1]},
		{"open string", asJSON, `{"email":"`},
		{"trailing", asJSON, text + "x"},
		{"twice", asJSON, text + text},
		{"not JSON", asJSON, "email=a"},
		{"single quotes", asJSON, `{'email':'a'}`},
		{"comment", asJSON, `/**/` + text},
		{"byte order mark", asJSON, "\ufeff" + text},
		{"UTF-16", asJSON, "{\x00\"\x00e\x00"},
		{"gzip", asJSON, "\x1f\x8b\x08\x00\x00"},
		{"NUL", asJSON, "\x00"},
		{"NUL in a string", asJSON, "{\"email\":\"a\x00b\"}"},
		{"array", asJSON, `[]`},
		{"array of the body", asJSON, "[" + text + "]"},
		{"string", asJSON, `"email"`},
		{"number", asJSON, `1`},
		{"infinite number", asJSON, `1e999`},
		{"true", asJSON, `true`},
		{"deep", asJSON, strings.Repeat("[", deep)},
		{"deep and whole", asJSON, strings.Repeat("[", deep) + strings.Repeat("]", deep)},
		{"deep objects", asJSON, strings.Repeat(`{"a":`, deep) + "1" + strings.Repeat("}", deep)},
		{"deep in a member", asJSON, `{"data":` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + "}"},
		{"NUL as a name", asJSON, `{"\u0000":1}`},
	}
}

// badValue is a value for one member; lenient where any text is allowed.
type badValue struct {
	name, json string
	lenient    bool
}

// badValues are wrong values for a member of this JSON type.
func badValues(sound any) []badValue {
	long := `"` + strings.Repeat("a", 300_000) + `"`
	all := []badValue{
		{"array", `["x"]`, false},
		{"empty array", `[]`, false},
		{"array of arrays", `[[["x"]]]`, false},
		{"NUL in a string", `"a\u0000b"`, false},
		{"NUL alone", `"\u0000"`, false},
		{"huge number", `1e400`, false},
		{"null", `null`, true},
	}
	texts := []badValue{
		{"long", long, true},
		{"invalid UTF-8", "\"a\xff\xfe@example.com\"", true},
		{"lone surrogate", `"\ud800"`, true},
		{"control characters", `"\u0001\u001f\u007f"`, true},
		{"blanks", `"   "`, true},
		{"SQL", `"' OR 1=1; --"`, true},
		{"format", `"%s%n{{.}}"`, true},
	}
	number, boolean, object := badValue{"number", `5`, false}, badValue{"boolean", `true`, false}, badValue{"object", `{"x":1}`, false}
	text := badValue{"string", `"x"`, false}
	switch sound.(type) {
	case string:
		return append(append(all, texts...), number, boolean, object)
	case bool:
		return append(all, number, text, object, badValue{"long", long, false})
	case map[string]any:
		deep := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
		return append(all, number, boolean, text,
			badValue{"NUL within", `{"a":{"b":["\u0000"]}}`, false}, badValue{"NUL in a name", `{"a\u0000":1}`, false},
			badValue{"huge number within", `{"a":1e400}`, false}, badValue{"large", `{"a":` + long + `}`, false},
			badValue{"many", "{" + strings.Repeat(`"a":1,`, 30_000) + `"b":2}`, true},
			badValue{"duplicate names", `{"a":1,"a":{}}`, true}, badValue{"lone surrogate within", `{"a":"\ud800"}`, true},
			badValue{"invalid UTF-8 within", "{\"\xff\":\"\xfe\"}", true}, badValue{"no name", `{"":null,"b":{"":[]}}`, true},
			badValue{"deep", deep(9_000), false}, badValue{"rather deep", deep(2_000), true})
	default:
		return all
	}
}

// badQueries are wrong or odd for every route.
var badQueries = []string{
	"redirect_to=%00", "redirect_to=%ff%fe", "%00=1", "a=%zz", "&&&=", ";", "grant_type=%00", "scope=%00", "type=%00&token=%00",
	"page=%00", "filter=%00", "query=author:%00", "redirect_to=" + "javascript:alert(1)", "redirect_to=" + "//evil.example",
}

// TestBadTenantInput sends every kind of bad input to every route of the tenant
// plane, with full rights.
func TestBadTenantInput(t *testing.T) {
	t.Parallel()
	c := &caller{Project: servertest.Start(t).Project(t, "bad input", map[string]any{"passkey_enabled": true})}
	for _, r := range tenantRoutes {
		t.Run(r.String(), func(t *testing.T) { c.badInput(t, r) })
	}
}

// caller may call every route.
type caller struct {
	*servertest.Project
	ann servertest.Session
}

// ready signs ann in again if a case ended her session.
func (c *caller) ready(t *testing.T, r tenantRoute) {
	t.Helper()
	if strings.Contains(r.path, "{id}") || r.guard == signed {
		if c.Admin(t, http.MethodGet, "/admin/users/"+annID, nil).Status != http.StatusOK {
			c.Admin(t, http.MethodPost, "/admin/users", map[string]any{"id": annID, "email": annEmail, "email_confirm": true}).Expect(t, 200)
		}
	}
	if r.guard != signed || c.As(t, c.ann.AccessToken, http.MethodGet, "/user", nil).Status == http.StatusOK {
		return
	}
	user := c.Admin(t, http.MethodGet, "/admin/users/"+annID, nil).Expect(t, 200).JSON(t)
	link := c.Admin(t, http.MethodPost, "/admin/generate_link", map[string]any{"type": "magiclink", "email": user["email"]}).Expect(t, 200).JSON(t)
	c.Do(t, http.MethodPost, "/verify", map[string]any{"type": "magiclink", "token_hash": link["hashed_token"]}).Expect(t, 200).Into(t, &c.ann)
}

// send sends a request with the credentials that the route requires.
func (c *caller) send(t *testing.T, r tenantRoute, path string, body any, headers ...string) *servertest.Answer {
	t.Helper()
	c.ready(t, r)
	headers = append([]string{"apikey", c.SecretKey}, headers...)
	if r.guard == signed {
		headers = append(headers, "Authorization", "Bearer "+c.ann.AccessToken)
	}
	var a *servertest.Answer
	for range 6000 {
		a = c.Reeve.Do(t, r.method, c.Auth(path), body, headers...)
		if a.Status != http.StatusTooManyRequests || a.Code(t) == "over_email_send_rate_limit" {
			break
		}
		time.Sleep(10 * time.Millisecond) // thirty pass at once, the others as the limit refills
	}
	return a
}

func (c *caller) badInput(t *testing.T, r tenantRoute) {
	for _, q := range badQueries {
		path := r.path + "?" + q
		if r.query != "" {
			path = r.path + r.query + "&" + q
		}
		plain(t, c.send(t, r, strings.ReplaceAll(path, "{id}", annID), r.sample()), "query "+q, true)
	}
	if strings.Contains(r.path, "{id}") {
		for _, id := range badIDs {
			plain(t, c.send(t, r, strings.ReplaceAll(r.path, "{id}", id), r.sample()), "id "+id[:min(len(id), 60)], false)
		}
	}
	if r.body == nil {
		return
	}
	for _, b := range badBodies(r.body) {
		plain(t, c.send(t, r, r.at(), b.body, "Content-Type", b.contentType), "body "+b.name, b.typeOnly() || r.form && b.name == "form")
	}
	for _, b := range []string{"", "null", "{}", " ", "{} "} {
		plain(t, c.send(t, r, r.at(), b), fmt.Sprintf("body %q", b), true)
	}
	for member, value := range r.members() {
		for _, v := range badValues(value) {
			body := encodeWith(t, r.body, member, v.json)
			plain(t, c.send(t, r, r.at(), body), member+": "+v.name, v.lenient)
		}
		twice := strings.TrimSuffix(encodeWith(t, r.body, "", ""), "}") + fmt.Sprintf(`,%q:"x",%q:5}`, member, member)
		plain(t, c.send(t, r, r.at(), twice), member+" twice", false)
	}
}

// badIDs do not identify a user; tolerant forms of a UUID do not either.
var badIDs = []string{
	"%00", "%ff", "x", "%2e%2e", "..%2f..", "%7b" + annID + "%7d", "urn:uuid:" + annID, strings.ReplaceAll(annID, "-", ""),
	strings.Repeat("a", 5000), annID + "%00", annID + "/nothing",
}

// encodeWith encodes the body with a member's value replaced by raw text, which
// may be invalid JSON.
func encodeWith(t *testing.T, body map[string]any, member, value string) string {
	t.Helper()
	members, all := []string{}, maps.Clone(body)
	if member != "" {
		all[member] = nil
	}
	for k, v := range all {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if k == member {
			raw = []byte(value)
		}
		members = append(members, fmt.Sprintf("%q:%s", k, raw))
	}
	slices.Sort(members)
	return "{" + strings.Join(members, ",") + "}"
}
