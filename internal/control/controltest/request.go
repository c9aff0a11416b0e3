package controltest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Response is an answer of the router.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request with a token ("" sends none) and a body ("" sends none);
// headers are names and values in turn.
func (w *World) Do(t testing.TB, token, method, path, body string, headers ...string) Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.Handler.ServeHTTP(rec, r)
	return Response{Status: rec.Code, Header: rec.Header(), Body: rec.Body.Bytes()}
}

// Want fails the test unless the status is this one and the body contains every
// text.
func (r Response) Want(t testing.TB, status int, texts ...string) Response {
	t.Helper()
	if r.Status != status {
		t.Fatalf("status = %d, want %d: %s", r.Status, status, r.Body)
	}
	for _, text := range texts {
		if !strings.Contains(string(r.Body), text) {
			t.Errorf("the answer does not hold %q: %s", text, r.Body)
		}
	}
	return r
}

// Refused is Want for an error: its code, and the prefix of its message.
func (r Response) Refused(t testing.TB, status int, code, message string) Response {
	t.Helper()
	r.Want(t, status)
	var e struct{ Message, Code string }
	r.Into(t, &e)
	if e.Code != code || !strings.HasPrefix(e.Message, message) {
		t.Errorf("refused with %q, %q; want %q, %q...", e.Code, e.Message, code, message)
	}
	if ct := r.Header.Get("Content-Type"); !strings.HasPrefix(ct, "application/json") {
		t.Errorf("Content-Type = %q", ct)
	}
	return r
}

// Into decodes the body.
func (r Response) Into(t testing.TB, into any) Response {
	t.Helper()
	if err := json.Unmarshal(r.Body, into); err != nil {
		t.Fatalf("%v: %s", err, r.Body)
	}
	return r
}

// volatile matches the parts of an answer that differ between runs.
var volatile = []struct {
	form *regexp.Regexp
	name string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "<uuid>"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "<time>"},
	{regexp.MustCompile(`(sb_(?:publishable|secret)_)[A-Za-z0-9_-]{31}`), "${1}<text>"},
	{regexp.MustCompile(`(sb_(?:publishable|secret)_)[A-Za-z0-9_-]{5}"`), `${1}<5>"`},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "<hash>"},
	{regexp.MustCompile(`"[A-Z2-7]{26}"`), `"<request>"`},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`), "<jwt>"},
	{regexp.MustCompile(`"(x|y|n)": "[A-Za-z0-9_-]{40,}"`), `"$1": "<coordinate>"`},
	{regexp.MustCompile(`(\b|_)[a-z]{20}(\b|_)`), "$1<ref>$2"},
}

// Golden compares an answer, without its volatile parts, with
// testdata/NAME.json. UPDATE_GOLDEN=1 writes the file instead.
func (r Response) Golden(t testing.TB, name string) Response {
	t.Helper()
	var v any
	r.Into(t, &v)
	pretty, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got := string(pretty) + "\n"
	for _, r := range volatile {
		got = r.form.ReplaceAllString(got, r.name)
	}
	file := filepath.Join("testdata", name+".json")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", file, diff)
	}
	return r
}
