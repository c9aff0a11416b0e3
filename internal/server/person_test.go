package server

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

// Who was found a while ago counts, within a bound, until they are found gone.
func TestPersons(t *testing.T) {
	t.Parallel()
	var p persons
	id, now := uuid.New(), time.Now()
	if _, ok := p.recent(id, now); ok {
		t.Error("nobody was found")
	}
	p.note(id, true, now)
	for after, want := range map[time.Duration]bool{0: true, personTTL - time.Second: true, personTTL: false} {
		if had, got := p.recent(id, now.Add(after)); got != want || !had {
			t.Errorf("after %s: %v, %v", after, got, had)
		}
	}
	for range maxPersons {
		p.note(uuid.New(), false, now)
	}
	if n := len(p.found); n > maxPersons {
		t.Errorf("it remembers %d", n)
	}
	p.note(id, true, now)
	p.forget(id)
	if _, ok := p.recent(id, now); ok {
		t.Error("they were found gone")
	}
}
