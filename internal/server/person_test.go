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
	if p.recent(id, now) {
		t.Error("nobody was found")
	}
	p.note(id, now)
	for after, want := range map[time.Duration]bool{0: true, personTTL - time.Second: true, personTTL: false} {
		if got := p.recent(id, now.Add(after)); got != want {
			t.Errorf("after %s: %v", after, got)
		}
	}
	for range maxPersons {
		p.note(uuid.New(), now)
	}
	if n := len(p.found); n > maxPersons {
		t.Errorf("it remembers %d", n)
	}
	p.note(id, now)
	p.forget(id)
	if p.recent(id, now) {
		t.Error("they were found gone")
	}
}
