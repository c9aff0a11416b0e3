package hook

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
)

// The bounds of calls of URLs at a time in a process, each of which may take seconds and
// holds its request.
const (
	projectSlots = 8  // of one project
	allSlots     = 64 // of all; a project without a call has one beyond
	slotTimeout  = 2 * time.Second
)

// slots bounds the calls of URLs.
type slots struct {
	mu       sync.Mutex
	taken    int
	projects map[tenants.Ref]int
	changed  chan struct{} // closed when a slot comes free
}

func newSlots() *slots { return &slots{projects: map[tenants.Ref]int{}, changed: make(chan struct{})} }

// errOverload is returned when too many hooks with URLs are called at a time.
var errOverload = auth.ErrHookTimeout.Because(errors.New("too many hooks are called at a time"))

// take waits for a slot, for slotTimeout at most: errOverload, or the error of ctx.
func (s *slots) take(ctx context.Context, ref tenants.Ref) (release func(), err error) {
	timeout := time.NewTimer(slotTimeout)
	defer timeout.Stop()
	for {
		s.mu.Lock()
		own := s.projects[ref]
		if own < projectSlots && (s.taken < allSlots || own == 0) {
			s.taken++
			s.projects[ref]++
			s.mu.Unlock()
			return sync.OnceFunc(func() { s.release(ref) }), nil
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timeout.C:
			return nil, errOverload
		case <-changed:
		}
	}
}

func (s *slots) release(ref tenants.Ref) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	if s.projects[ref]--; s.projects[ref] == 0 {
		delete(s.projects, ref)
	}
	close(s.changed)
	s.changed = make(chan struct{})
}
