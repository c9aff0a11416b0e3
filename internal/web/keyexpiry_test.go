package web

import (
	"strconv"
	"testing"
	"time"
)

func TestExpiringDue(t *testing.T) {
	t.Parallel()
	var e expiring
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		id    string
		after time.Duration
		want  bool
	}{
		{"a", 0, true},
		{"a", time.Second, false},
		{"b", time.Second, true},
		{"a", expiryInterval - 1, false},
		{"a", expiryInterval, true},
		{"a", expiryInterval + 1, false},
	} {
		if got := e.due(c.id, now.Add(c.after)); got != c.want {
			t.Errorf("%s after %s: %v", c.id, c.after, got)
		}
	}
	for i := range 3 * maxExpiring {
		e.due(strconv.Itoa(i), now)
	}
	if n := len(e.warned); n > maxExpiring {
		t.Errorf("%d keys are remembered", n)
	}
}
