package flowtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Option changes a request.
type Option func(*http.Request)

// User sends an access token in addition to the publishable key.
func User(access string) Option { return Header("Authorization", "Bearer "+access) }

// Key sends another API key; "" sends none.
func Key(key string) Option { return Header("apikey", key) }

// Header sets a header; "" removes it.
func Header(name, value string) Option {
	return func(r *http.Request) {
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
}

// From sets the client address of the request.
func From(ip string) Option {
	return func(r *http.Request) { r.RemoteAddr = net.JoinHostPort(ip, "1") }
}

// Do sends a request to the project's routes, with the publishable key unless
// an option says otherwise. A body that is a string is sent as it is, nil is no
// body, any other value is sent as JSON.
func (p *Project) Do(tb testing.TB, method, path string, body any, options ...Option) *Response {
	tb.Helper()
	req := httptest.NewRequest(method, path, reader(tb, body))
	req.RemoteAddr = "192.0.2.1:1"
	req.Header.Set("apikey", p.Publishable)
	req.Header.Set("User-Agent", "flowtest")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, o := range options {
		o(req)
	}
	rec := httptest.NewRecorder()
	p.engine.ServeHTTP(rec, req)
	res := &Response{tb: tb, request: method + " " + path, Status: rec.Code, Header: rec.Header(), Raw: rec.Body.Bytes()}
	_ = json.Unmarshal(res.Raw, &res.JSON) // stays nil if the body is not an object
	return res
}

// Admin is Do with the secret key.
func (p *Project) Admin(tb testing.TB, method, path string, body any, options ...Option) *Response {
	tb.Helper()
	return p.Do(tb, method, path, body, append([]Option{Key(p.Secret)}, options...)...)
}

func reader(tb testing.TB, body any) io.Reader {
	tb.Helper()
	switch b := body.(type) {
	case nil:
		return http.NoBody
	case string:
		return strings.NewReader(b)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		tb.Fatal(err)
	}
	return bytes.NewReader(raw)
}

// M is a JSON object.
type M = map[string]any

// Response is an answer with its body.
type Response struct {
	Status int
	Header http.Header
	Raw    []byte
	JSON   M // nil if the body is not an object

	tb      testing.TB
	request string
}

// Want ends the test unless the status is this one.
func (r *Response) Want(status int) *Response {
	r.tb.Helper()
	if r.Status != status {
		r.tb.Fatalf("%s: status %d, want %d: %s", r.request, r.Status, status, r.Raw)
	}
	return r
}

// WantError ends the test unless the answer is this error, in the wire's shape.
func (r *Response) WantError(status int, code string) *Response {
	r.tb.Helper()
	r.Want(status)
	if got, _ := r.JSON["error_code"].(string); got != code {
		r.tb.Fatalf("%s: error_code %q, want %q: %s", r.request, got, code, r.Raw)
	}
	if n, _ := r.JSON["code"].(float64); int(n) != status || r.Get("msg") == "" {
		r.tb.Fatalf("%s: not the wire's error: %s", r.request, r.Raw)
	}
	return r
}

// Get returns a member as text, by its path with dots:
// user.app_metadata.provider. It returns "" for null and for a missing member.
func (r *Response) Get(path string) string {
	v, ok := r.Find(path)
	if !ok || v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// Find returns a member by its path, and whether it exists.
func (r *Response) Find(path string) (any, bool) {
	var at any = r.JSON
	for name := range strings.SplitSeq(path, ".") {
		object, ok := at.(M)
		if !ok {
			return nil, false
		}
		if at, ok = object[name]; !ok {
			return nil, false
		}
	}
	return at, true
}

// Decode reads the body into v.
func (r *Response) Decode(v any) {
	r.tb.Helper()
	if err := json.Unmarshal(r.Raw, v); err != nil {
		r.tb.Fatalf("%s: %v: %s", r.request, err, r.Raw)
	}
}

// Location is the target of a redirect; the answer must be one.
func (r *Response) Location() *url.URL {
	r.tb.Helper()
	r.Want(http.StatusSeeOther)
	u, err := url.Parse(r.Header.Get("Location"))
	if err != nil {
		r.tb.Fatal(err)
	}
	return u
}

// Fragment are the values in the fragment of a redirect.
func (r *Response) Fragment() url.Values {
	r.tb.Helper()
	values, err := url.ParseQuery(r.Location().EscapedFragment())
	if err != nil {
		r.tb.Fatal(err)
	}
	return values
}
