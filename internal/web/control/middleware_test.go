package control

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestFindNUL(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`"\u0000"`: "", `{"a":"x\u0000"}`: "a", `{"a":{"b":["x",{"c":"\u0000"}]}}`: "a.b[1].c", `[["\u0000"]]`: "[0][0]",
		`{"a":{"\u0000":1}}`: "a", `{"a":{"b.c":"\u0000"}}`: "a.b.c",
	} {
		if got, found := findNUL(decoded(t, body)); !found || got != want {
			t.Errorf("%s: %q, %v", body, got, found)
		}
	}
	for _, body := range []string{`null`, `1`, `"x"`, `"\\u0000"`, `{}`, `{"a":[true,{"b":"\u0001"}]}`} {
		if got, found := findNUL(decoded(t, body)); found {
			t.Errorf("%s: finds %q", body, got)
		}
	}
	deep := strings.Repeat(`{"name":`, 5000) + `"\u0000"` + strings.Repeat("}", 5000)
	if got, found := findNUL(decoded(t, deep)); !found || len(got) > maxField+10 {
		t.Errorf("deep: %v, a path of %d bytes", found, len(got))
	}
}

// TestFindNULMakesNoPaths: building a path for each value of a deep or wide
// body would cost the square of its size.
func TestFindNULMakesNoPaths(t *testing.T) {
	for name, body := range map[string]string{
		"deep": strings.Repeat(`{"name":`, 5000) + `"x"` + strings.Repeat("}", 5000),
		"wide": `{"` + strings.Repeat("name", 1000) + `":[` + strings.Repeat(`"x",`, 5000) + `"x"]}`,
	} {
		v := decoded(t, body)
		if n := testing.AllocsPerRun(3, func() { findNUL(v) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func decoded(t *testing.T, body string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
