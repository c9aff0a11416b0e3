//go:build linux || darwin

package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSiegeOf(t *testing.T) {
	t.Parallel()
	of := func(kind string, longest time.Duration, refused map[int]int) waits {
		return waits{kind: kind, good: 10, times: []time.Duration{time.Millisecond, longest}, refused: refused, example: "503 busy"}
	}
	for _, tc := range []struct {
		name         string
		alone, under waits
		state        string
		missed       []string
	}{
		{name: "met", alone: of("user", time.Second, nil), under: of("user", 3999*time.Millisecond, nil)},
		{
			name: "a long wait", alone: of("user", 5*time.Second, nil), under: of("user", 4*time.Second, nil),
			missed: []string{"user waited 4.0 s"},
		},
		{
			name: "refused only during the attack", alone: of("user", time.Second, map[int]int{429: 1}),
			under: of("user", time.Second, map[int]int{429: 2, 503: 3}), missed: []string{"user refused 3 times (503): 503 busy"},
		},
		{
			name: "no answer", alone: of("user", time.Second, nil), under: of("user", time.Second, map[int]int{0: 1}),
			missed: []string{"user refused 1 times (no answer): 503 busy"},
		},
		{
			name: "never reached", state: neverReached, alone: of("user", time.Second, nil), under: of("user", time.Second, nil),
			missed: []string{"its state was never reached"},
		},
		{name: "refused as without it", alone: of("user", time.Second, map[int]int{429: 1}), under: of("user", time.Second, map[int]int{429: 9})},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := siegeOf("attack", cmp.Or(tc.state, reached), []waits{tc.alone}, []waits{tc.under})
			if !slices.Equal(got.Missed, tc.missed) {
				t.Errorf("missed %q, want %q", got.Missed, tc.missed)
			}
			r := report{Sieges: []besieged{got}}
			var out strings.Builder
			r.print(&out)
			for _, want := range append(tc.missed, "| attack ") {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is missing in\n%s", want, out.String())
				}
			}
		})
	}
}

// A worker counts each answer by status, and dials again after a failure.
func TestLightWork(t *testing.T) {
	t.Parallel()
	served := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		served++
		switch served {
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 3:
			panic(http.ErrAbortHandler) // no answer
		}
	}))
	defer server.Close()
	l := &light{bench: &bench{addr: server.Listener.Addr().String()}}
	ctx, cancel := context.WithCancel(t.Context())
	get := request("GET", "reeve.test", "/", "")
	calls := 0
	got := l.work(ctx, time.Now().Add(time.Hour), time.Microsecond, func(c *conn) (int, []byte, error) {
		if calls++; calls == 5 {
			cancel()
		}
		return c.do(get)
	})
	if got.good != 3 || got.refused[503] != 1 || got.refused[0] != 1 || len(got.times) != 5 {
		t.Errorf("%d good, refused %v, %d times", got.good, got.refused, len(got.times))
	}
	if !strings.HasPrefix(got.example, "503") {
		t.Errorf("example %q", got.example)
	}
}

// A flooding process needs a known kind.
func TestRunFlood(t *testing.T) {
	t.Parallel()
	err := runFlood(t.Context(), strings.NewReader(`{"Kind":"unknown"}`), nil)
	if !errors.Is(err, errNoFlood) {
		t.Errorf("got %v", err)
	}
	for _, kind := range floods {
		f := flood{Kind: kind, Accounts: make([]floodAccount, 1)}
		if _, err := (&bench{server: &reeve{}}).flooder(&f); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
