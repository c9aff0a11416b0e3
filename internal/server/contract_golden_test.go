package server_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/server/servertest"
)

var update = flag.Bool("update", false, "write the golden files of the contract")

const goldenFolder = "testdata/contract"

// spelled are the members whose strings are part of the contract, not data.
var spelled = []string{
	"action", "alg", "amr", "aud", "code", "crv", "error", "error_code", "key_ops", "kty", "log_type", "method", "name",
	"provider", "providers", "role", "token_type", "type", "use", "verification_type",
}

// golden compares a success with its golden file, in which kinds replace values,
// so that every change of the contract is a visible diff.
func golden(t *testing.T, name string, a *servertest.Answer) {
	t.Helper()
	out := map[string]any{"status": a.Status}
	if l := a.Header.Get("Location"); l != "" {
		out["location"] = locationKinds(t, a)
	} else if len(a.Body) > 0 {
		out["body"] = kinds("", decoded(t, a))
	}
	headers := map[string]any{}
	for _, h := range []string{"Cache-Control", "Content-Type", "Link", "X-Total-Count"} {
		if v := a.Header.Get(h); v != "" {
			headers[h] = v
		}
	}
	out["headers"] = headers
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		t.Fatal(err)
	}
	compare(t, filepath.Join(goldenFolder, fileName(name)), buf.Bytes())
}

func compare(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with go test ./internal/server -run TestContract -update", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-was +is now):\n%s", path, diff)
	}
}

// onlyThese fails the test for golden files without a fact.
func onlyThese(t *testing.T, files map[string]bool) {
	t.Helper()
	entries, err := os.ReadDir(goldenFolder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !files[e.Name()] {
			t.Errorf("%s belongs to no fact", e.Name())
		}
	}
}

func fileName(name string) string {
	return strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(name), "-"), "-") + ".json"
}

// kinds replaces values by their kinds.
func kinds(member string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = kinds(k, e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = kinds(member, e)
		}
		return out
	case float64:
		return "<number>"
	case string:
		return textKind(member, v)
	}
	return v // true, false and null stay
}

func textKind(member, s string) string {
	_, err := uuid.Parse(s)
	switch {
	case s == "" || slices.Contains(spelled, member):
		return s
	case err == nil:
		return "<uuid>"
	case isTime(s):
		return "<time>"
	case strings.HasPrefix(s, "http") && strings.Contains(s, "?"):
		return urlKinds(s)
	case jwtForm.MatchString(s) && len(s) > 100:
		return "<jwt>"
	}
	return "<text>"
}

func urlKinds(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "<text>"
	}
	path := regexp.MustCompile(`/p/[a-z]{20}/`).ReplaceAllString(u.Path, "/p/<ref>/")
	return u.Scheme + "://" + u.Host + path + "?" + strings.Join(slices.Sorted(paramKinds(u.Query())), "&")
}

func paramKinds(values url.Values) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range values {
			kind := "<" + name + ">"
			if v := values.Get(name); v == "" || slices.Contains(spelled, name) {
				kind = v
			}
			if !yield(name + "=" + kind) {
				return
			}
		}
	}
}

func locationKinds(t *testing.T, a *servertest.Answer) map[string]any {
	t.Helper()
	target, query, fragment := location(t, a)
	out := map[string]any{"target": target}
	for name, raw := range map[string]string{"query": query, "fragment": fragment} {
		values, err := url.ParseQuery(raw)
		if err != nil {
			t.Fatal(err)
		}
		if name == "query" && values.Has("code") { // of PKCE, not of an error
			values.Set("code", "")
			out[name] = []string{"code=<code>"}
			continue
		}
		out[name] = slices.Sorted(paramKinds(values))
	}
	if a.Status != http.StatusSeeOther {
		t.Errorf("redirects with %d", a.Status)
	}
	return out
}
