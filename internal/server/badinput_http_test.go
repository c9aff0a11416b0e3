package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestBadPages: a malformed page number is refused, and one past the end is
// empty.
func TestBadPages(t *testing.T) {
	t.Parallel()
	p := servertest.Start(t).Project(t, "pages", nil)
	for _, path := range []string{"/admin/users", "/admin/audit"} {
		for _, q := range []string{
			"page=-1", "page=x", "page=1.5", "page=1e3", "page=99999999999999999999", "page=%2B1%20", "per_page=-1", "per_page=0",
			"per_page=10000000000", "page=4611686018427387904", "page=0x10",
		} {
			plain(t, p.Admin(t, http.MethodGet, path+"?"+q, nil), path+" "+q, false)
		}
		p.Admin(t, http.MethodGet, path+"?page=1000000&per_page=1000", nil).Expect(t, 200)
	}
	for _, q := range []string{"query=author", "query=payload:x", "query=" + strings.Repeat("a", 10_000)} {
		plain(t, p.Admin(t, http.MethodGet, "/admin/audit?"+q, nil), q[:min(len(q), 40)], false)
	}
	for _, q := range []string{"%25", "_", "%5C", "%27%3B--", "%25%25%25%25%25"} {
		p.Admin(t, http.MethodGet, "/admin/users?filter="+q, nil).Expect(t, 200)
		p.Admin(t, http.MethodGet, "/admin/audit?query=action:"+q, nil).Expect(t, 200)
	}
	plain(t, p.Admin(t, http.MethodGet, "/admin/users?filter="+strings.Repeat("a", 10_000), nil), "long filter", false)
}

// TestUnknownGrants: the grant type must be one of three.
func TestUnknownGrants(t *testing.T) {
	t.Parallel()
	p := servertest.Start(t).Project(t, "grants", nil)
	body := map[string]any{"email": annEmail, "password": annPassword}
	for _, grant := range []string{"", "?grant_type=", "?grant_type=client_credentials", "?grant_type=PASSWORD", "?grant_type=password%20", "?grant_type=" + strings.Repeat("a", 9000)} {
		p.Do(t, http.MethodPost, "/token"+grant, body).Refused(t, 400, "invalid_credentials")
	}
}

// TestOddUserAgents: no User-Agent prevents a sign-in.
func TestOddUserAgents(t *testing.T) {
	t.Parallel()
	p := servertest.Start(t).Project(t, "agents", nil)
	p.SignUp(t, annEmail, annPassword)
	for _, agent := range []string{
		"", "\xff\xfe", strings.Repeat("a", 511) + "é", strings.Repeat("é", 2000), "a\tb", strings.Repeat("x", 20_000), "'; DROP TABLE x; --",
	} {
		var s servertest.Session
		p.Do(t, http.MethodPost, "/token?grant_type=password", map[string]any{"email": annEmail, "password": annPassword}, "User-Agent", agent).
			Expect(t, 200).Into(t, &s)
		p.Do(t, http.MethodPost, "/token?grant_type=refresh_token", map[string]any{"refresh_token": s.RefreshToken}, "User-Agent", agent).
			Expect(t, 200)
	}
}

// TestBadMethods: any method that a path lacks is 405.
func TestBadMethods(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "methods", nil)
	for _, method := range []string{"PATCH", "TRACE", "PROPFIND", "FOO", "get", "SEARCH"} {
		for _, path := range []string{p.Auth("/user"), p.Auth("/token"), "/auth/v1/settings", "/v1/projects", "/v1/projects/" + p.Ref + "/health"} {
			a := reeve.Do(t, method, path, nil, "apikey", p.SecretKey, "Authorization", "Bearer "+reeve.Token)
			plain(t, a, method+" "+path, false)
			if a.Status != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d, want 405", method, path, a.Status)
			}
		}
	}
	for _, path := range []string{
		"/", "/auth", "/auth/v1", "/auth/v1/", "/auth/v1/nosuch", "/p/", "/p/x", p.Auth(""), p.Auth("/nosuch"), p.Auth("/user/"), p.Auth("//user"),
		p.Auth("/../../admin"), "/p/%00/auth/v1/user", "/p/%ff/auth/v1/user", "/v1", "/v1/", "/v1/nosuch", "/v1//projects", "/rest/v1/x", "/.git/config",
		"/p/" + strings.Repeat("a", 10_000) + "/auth/v1/user",
	} {
		for _, as := range [][]string{nil, {"apikey", p.SecretKey, "Authorization", "Bearer " + reeve.Token}} {
			a := reeve.Do(t, http.MethodGet, path, nil, as...)
			plain(t, a, "GET "+path[:min(len(path), 60)], false)
			if a.Status != 404 && a.Status != 401 {
				t.Errorf("GET %s: %d", path[:min(len(path), 60)], a.Status)
			}
		}
	}
}

// TestBadHTTP: malformed or oversized HTTP is refused before any route, and the
// server keeps running.
func TestBadHTTP(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "http", nil)
	get := "GET " + p.Auth("/settings") + " HTTP/1.1\r\nHost: reeve.test\r\napikey: " + p.PublishableKey + "\r\n"
	post := "POST " + p.Auth("/signup") + " HTTP/1.1\r\nHost: reeve.test\r\nContent-Type: application/json\r\napikey: " + p.PublishableKey + "\r\n"
	for _, c := range []struct {
		name, request string
		status        []int
	}{
		{"one huge header", get + "X-Big: " + strings.Repeat("a", 200<<10) + "\r\n\r\n", []int{431}},
		{"many headers", get + strings.Repeat("X-Many: "+strings.Repeat("a", 100)+"\r\n", 2000) + "\r\n", []int{431}},
		{"long path", "GET /" + strings.Repeat("a", 200<<10) + " HTTP/1.1\r\nHost: reeve.test\r\n\r\n", []int{414, 431}},
		{"no host", strings.Replace(get, "Host: reeve.test\r\n", "", 1) + "\r\n", []int{400}},
		{"two hosts", get + "Host: other.test\r\n\r\n", []int{400}},
		{"strange host", strings.Replace(get, "reeve.test", "a b", 1) + "\r\n", []int{400}},
		{"host of signs", strings.Replace(get, "reeve.test", "%00.localhost", 1) + "\r\n", []int{400, 404}},
		{"NUL in a header", get + "X-Nul: a\x00b\r\n\r\n", []int{400}},
		{"NUL in the key", strings.Replace(get, "apikey: ", "apikey: \x00", 1) + "\r\n", []int{400}},
		{"no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", []int{400}},
		{"HTTP/9.9", strings.Replace(get, "HTTP/1.1", "HTTP/9.9", 1) + "\r\n", []int{400, 505}},
		{"negative length", post + "Content-Length: -1\r\n\r\n", []int{400}},
		{"two lengths", post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", []int{400}},
		{"length and chunks", post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", []int{400}},
		{"broken chunk", post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", []int{400}},
		{"unknown transfer coding", post + "Transfer-Encoding: gzip\r\n\r\n", []int{400, 501}},
		{"body announced too large", post + "Content-Length: 99999999\r\n\r\n" + strings.Repeat("a", 2<<20), []int{413}},
	} {
		if got := raw(t, reeve, c.request); !contains(c.status, got) {
			t.Errorf("%s: %d, want %v", c.name, got, c.status)
		}
	}
	p.Do(t, http.MethodGet, "/settings", nil).Expect(t, 200)
}

// raw sends bytes and returns the status of the answer, whose body is bounded.
func raw(t *testing.T, reeve *servertest.Reeve, request string) int {
	t.Helper()
	u, err := url.Parse(reeve.URL)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	go func() { _, _ = io.WriteString(conn, request) }() // the server may stop reading
	line, err := bufio.NewReader(io.LimitReader(conn, 1<<20)).ReadString('\n')
	if err != nil {
		t.Errorf("no answer: %v", err)
		return 0
	}
	var status int
	if _, err := fmt.Sscanf(line, "HTTP/1.1 %d", &status); err != nil {
		t.Errorf("answer %q: %v", line, err)
	}
	return status
}

func contains(all []int, one int) bool {
	for _, v := range all {
		if v == one {
			return true
		}
	}
	return false
}

// TestBadManagementInput sends every kind of bad input to every operation of
// the Management API, as the owner. Bodies are those of the OpenAPI document,
// with one member replaced.
func TestBadManagementInput(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "bad input", nil)
	key, signing := ids(t, reeve, p.Ref)
	for _, op := range operations(t, reeve) {
		t.Run(op.id, func(t *testing.T) {
			id := key
			if strings.Contains(op.path, "signing-keys") {
				id = signing
			}
			op.badPaths(t, reeve, p.Ref)
			if op.schema == nil {
				return
			}
			base := map[string]any{}
			if b, ok := sound[op.id].body.(map[string]any); ok {
				base = b
			}
			if op.id == "create-project" { // a sound one takes a database
				base = map[string]any{"name": "x", "organization_slug": "nosuch"}
			}
			at := op.at("default", p.Ref, id)
			for _, b := range badBodies(base) {
				plain(t, reeve.Do(t, op.method, at, b.body, "Authorization", "Bearer "+reeve.Token, "Content-Type", b.contentType), b.name, false)
			}
			for _, b := range []string{"", " ", "null", "{}", `{"unknown":1}`} {
				plain(t, reeve.Manage(t, op.method, at, b), fmt.Sprintf("body %q", b), b != `{"unknown":1}`)
			}
			properties, _ := op.schema["properties"].(map[string]any)
			if len(properties) == 0 {
				t.Error("the document tells no members")
			}
			for member, schema := range properties {
				for _, v := range badValues(example(schema)) {
					body := encodeWith(t, base, member, v.json)
					plain(t, reeve.Manage(t, op.method, at, body), member+": "+v.name, v.lenient || v.name == "empty array" || v.name == "array" && ofTexts(schema))
				}
			}
		})
	}
}

// ofTexts reports whether a member is a list of texts, of which ["x"] may be a sound one.
func ofTexts(schema any) bool {
	s, _ := schema.(map[string]any)
	items, _ := s["items"].(map[string]any)
	return items["type"] == "string"
}

// badPaths are malformed refs, slugs and ids, and odd queries.
func (o operation) badPaths(t *testing.T, reeve *servertest.Reeve, ref string) {
	t.Helper()
	for _, odd := range []string{"%00", "%ff", "%20", "'", "..%2f..", "%7bref%7d", strings.Repeat("a", 5000), strings.ToUpper(ref)} {
		path := strings.NewReplacer("{slug}", odd, "{ref}", odd, "{id}", odd).Replace(o.path)
		if path != o.path {
			plain(t, reeve.Manage(t, o.method, path+sound[o.id].query, sound[o.id].body), path[:min(len(path), 80)], false)
		}
	}
	for _, q := range []string{"%00=1", "offset=-1", "limit=0", "limit=1e99", "limit=99999999999999999999", "sort=%00", "statuses=%ff", "enabled=maybe", "reveal=maybe", "services=nosuch", "timeout_ms=-1"} {
		if o.id == "tail-project-logs" { // does not end; TestTail has its bad queries
			continue
		}
		if o.method == http.MethodGet || o.method == http.MethodPut {
			plain(t, reeve.Manage(t, o.method, strings.NewReplacer("{slug}", "default", "{ref}", ref, "{id}", "x").Replace(o.path)+"?"+q, nil), q, true)
		}
	}
}

// example is a value of the type in a schema.
func example(schema any) any {
	s, _ := schema.(map[string]any)
	kind := s["type"]
	if several, ok := kind.([]any); ok && len(several) > 0 {
		kind = several[0]
	}
	switch kind {
	case "string":
		return ""
	case "boolean":
		return false
	case "object":
		return map[string]any{}
	default:
		return nil
	}
}
