package pool

import (
	"container/heap"
	"time"

	"github.com/reevehq/reeve/tenants"
)

const (
	// maxDials bounds how many connections one project opens at the same
	// time, since a login costs the server more than most requests. Until the
	// database has answered once it is one: a dead database costs one place and
	// one dial at a time, and a cold burst is mostly served by the first
	// connection anyway.
	maxDials = 4
	// retryAfter is how long a project that has connections does not try for
	// more after a failed dial, as when its role's connection limit is reached.
	retryAfter = 200 * time.Millisecond
)

// share is a project's part of the budget; Budget.mu guards it. It exists
// while the project has a connection, a dial or a waiter.
type share struct {
	ref      tenants.Ref
	idle     []*conn // most recently used last; empty while anyone waits
	inUse    int
	dialing  int // dials under way or bound to begin when a place comes free
	closing  int // connections that the server has not ended yet
	waiters  queue
	gen      uint64    // raised by Forget
	brokenAt time.Time // when a broken connection was last returned
	retryAt  time.Time // set while stalled, see retryAfter
	claim    int       // index in Budget.claims, -1 if not there
}

func (s *share) established() int { return s.inUse + len(s.idle) }

// held counts the places that are the project's own. A place whose connection
// is being closed is already somebody else's.
func (s *share) held() int { return s.established() + s.dialing }

// wants reports whether one more dial for the project is called for.
func (b *Budget) wants(s *share) bool {
	dials := maxDials
	if s.established() == 0 {
		dials = 1
	}
	return s.waiters.n > s.dialing && s.dialing < dials &&
		s.held()+s.closing < b.o.PerTenant &&
		(s.retryAt.IsZero() || s.held() == 0)
}

// update brings the project's claim, and its existence, in line with its
// counts. Everything that changes a count ends with it.
func (b *Budget) update(s *share) {
	switch wants := b.wants(s); {
	case wants && s.claim < 0:
		heap.Push(&b.claims, s)
	case wants:
		heap.Fix(&b.claims, s.claim)
	case s.claim >= 0:
		heap.Remove(&b.claims, s.claim)
	}
	if s.waiters.n == 0 && s.held()+s.closing == 0 {
		delete(b.shares, s.ref)
	}
}

// claims is a heap of the projects that want a place, the one that holds
// the fewest first, and of those the one whose first waiter came first.
type claims []*share

func (h claims) Len() int { return len(h) }

func (h claims) Less(i, j int) bool {
	if a, b := h[i].held(), h[j].held(); a != b {
		return a < b
	}
	return h[i].waiters.first.seq < h[j].waiters.first.seq
}

func (h claims) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].claim, h[j].claim = i, j
}

// Push is for container/heap.
func (h *claims) Push(x any) {
	s := x.(*share)
	s.claim = len(*h)
	*h = append(*h, s)
}

// Pop is for container/heap.
func (h *claims) Pop() any {
	old := *h
	s := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	s.claim = -1
	return s
}
