package leaked_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/leaked"
	"github.com/reevehq/reeve/internal/testkit/services"
)

func TestContains(t *testing.T) {
	t.Parallel()
	s := services.Start(t)
	s.Leak("password123")
	list := &leaked.List{HTTP: s.Client(leaked.Timeout), URL: s.URL + "/"}
	for password, want := range map[string]bool{"password123": true, "Password123": false, "": false, "naïve 🔑": false} {
		if got, err := list.Contains(t.Context(), password); err != nil || got != want {
			t.Errorf("%q: %v, %v", password, got, err)
		}
	}
	for _, path := range s.Ranges() {
		if len(path) != len("/range/ABCDE") {
			t.Errorf("the list was told %s", path)
		}
	}
}

// The suffix of "password123" is CBFDAC6008F9CAB4083784CBD1874F76618D2A97 without
// its first five digits.
const suffix = "C6008F9CAB4083784CBD1874F76618D2A97"

func TestAnswers(t *testing.T) {
	t.Parallel()
	text := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
	}
	for name, c := range map[string]struct {
		how    http.HandlerFunc
		found  bool
		failed bool
	}{
		"found":               {how: text(suffix + ":3"), found: true},
		"in lower case":       {how: text(strings.ToLower(suffix) + ":3\n"), found: true},
		"last of many":        {how: text(strings.Repeat(strings.Repeat("0", 35)+":1\r\n", 2000) + suffix + ":3"), found: true},
		"padding":             {how: text(suffix + ":0\r\n")},
		"empty":               {how: text(""), failed: true},
		"blank lines":         {how: text("\r\n\r\n"), failed: true},
		"HTML":                {how: text("<html>"), failed: true},
		"garbage after it":    {how: text(suffix + ":3\r\n<html>"), failed: true},
		"a count of letters":  {how: text(suffix + ":x"), failed: true},
		"one long line":       {how: text(strings.Repeat("A", 2<<20)), failed: true},
		"endless":             {how: text(strings.Repeat(strings.Repeat("0", 35)+":1\r\n", 40_000)), failed: true},
		"500":                 {how: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, suffix+":3", 500) }, failed: true},
		"connection is lost":  {how: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, failed: true},
		"slower than allowed": {how: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, failed: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := services.Start(t)
			s.Break(c.how)
			timeout := leaked.Timeout
			if name == "slower than allowed" {
				timeout = 50 * time.Millisecond
			}
			found, err := (&leaked.List{HTTP: s.Client(timeout), URL: s.URL}).Contains(t.Context(), "password123")
			if found != c.found || (err != nil) != c.failed {
				t.Errorf("%v, %v", found, err)
			}
		})
	}
}
