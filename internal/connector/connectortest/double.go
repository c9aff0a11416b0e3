// Package connectortest stands in for identity providers at the network's
// border: one local server answers for all host names, and records what it was
// asked.
package connectortest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// Double is a server that answers for every host.
type Double struct {
	// Direct calls the handlers without a network, for fuzzing.
	Direct bool
	server *httptest.Server

	mu       sync.Mutex
	routes   map[string]http.HandlerFunc
	requests map[string][]Request
}

// Request is a request that arrived.
type Request struct {
	Method string
	Query  url.Values
	Form   url.Values // of the body
	Header http.Header
}

// New starts a Double; it ends with the test.
func New(tb testing.TB) *Double {
	tb.Helper()
	d := &Double{routes: map[string]http.HandlerFunc{}, requests: map[string][]Request{}}
	d.server = httptest.NewServer(http.HandlerFunc(d.serve))
	tb.Cleanup(d.server.Close)
	return d
}

func (d *Double) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	form, _ := url.ParseQuery(string(body))
	at := r.Header.Get("X-Scheme") + "://" + r.Host + r.URL.Path
	d.mu.Lock()
	route := d.routes[at]
	if !d.Direct {
		d.requests[at] = append(d.requests[at], Request{r.Method, r.URL.Query(), form, r.Header})
	}
	d.mu.Unlock()
	if route == nil {
		http.Error(w, "no route for "+at, http.StatusNotFound)
		return
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	route(w, r)
}

// Handle sets who answers at a URL without query.
func (d *Double) Handle(address string, h http.HandlerFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.routes[address] = h
}

// Answer sets the answer at a URL without query.
func (d *Double) Answer(address string, status int, contentType, body string) {
	d.Handle(address, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// JSON sets a successful answer at a URL without query.
func (d *Double) JSON(address, body string) {
	d.Answer(address, http.StatusOK, "application/json", body)
}

// Requests returns what arrived at a URL.
func (d *Double) Requests(address string) []Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Request(nil), d.requests[address]...)
}

// Last returns the last request at a URL, and fails the test without one.
func (d *Double) Last(tb testing.TB, address string) Request {
	tb.Helper()
	all := d.Requests(address)
	if len(all) == 0 {
		tb.Fatalf("nothing arrived at %s", address)
	}
	return all[len(all)-1]
}

// Client returns a client whose requests to any host arrive at d.
func (d *Double) Client() *http.Client {
	return &http.Client{Transport: d, Timeout: 10 * time.Second}
}

// RoundTrip implements http.RoundTripper.
func (d *Double) RoundTrip(r *http.Request) (*http.Response, error) {
	to, err := url.Parse(d.server.URL)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("X-Scheme", r.URL.Scheme)
	r.Host = r.URL.Host
	if d.Direct {
		if r.Body == nil {
			r.Body = http.NoBody
		}
		answer := httptest.NewRecorder()
		d.serve(answer, r)
		return answer.Result(), nil
	}
	r.URL.Scheme, r.URL.Host = to.Scheme, to.Host
	return d.server.Client().Transport.RoundTrip(r)
}

// Broken are answers that no client may take for a success, or let crash it.
func Broken() map[string]http.HandlerFunc {
	text := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	return map[string]http.HandlerFunc{
		"HTML":           text(200, "text/html", "<html><body>Maintenance</body></html>"),
		"empty":          text(200, "application/json", ""),
		"no JSON":        text(200, "application/json", "not json"),
		"null":           text(200, "application/json", "null"),
		"array":          text(200, "application/json", "[1,2]"),
		"empty object":   text(200, "application/json", "{}"),
		"wrong types":    text(200, "application/json", `{"id":{},"sub":[],"email":7,"data":"x","access_token":9}`),
		"truncated JSON": text(200, "application/json", `{"id":"1","email":"a@`),
		"no content":     text(204, "application/json", ""),
		"moved":          text(302, "text/plain", ""),
		"bad request":    text(400, "application/json", `{"error":"bad"}`),
		"unauthorized":   text(401, "text/html", "<h1>401</h1>"),
		"not found":      text(404, "text/plain", "not found"),
		"too many":       text(429, "application/json", `{}`),
		"server error":   text(500, "text/html", "<h1>500</h1>"),
		"unavailable":    text(503, "text/plain", "try later"),
		"huge":           text(200, "application/json", `{"id":"`+strings.Repeat("x", 3<<20)+`"}`),
		"deep":           text(200, "application/json", strings.Repeat(`{"a":`, 20000)+"1"+strings.Repeat("}", 20000)),
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"id":"1"`)
		},
		"hung up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
}

// Token sets a successful answer of a token endpoint; more is further members.
func (d *Double) Token(address, access string, more string) {
	d.JSON(address, fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expires_in":3600%s}`, access, more))
}
