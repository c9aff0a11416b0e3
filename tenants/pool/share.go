package pool

import (
	"container/heap"
	"time"

	"github.com/reevehq/reeve/tenants"
)

const (
	// maxDials bounds how many connections one project opens at the same time,
	// because a login costs the server more than most requests. Until the
	// database has answered once, the bound is one: a dead database then costs
	// one place and one dial at a time, and the first connection serves most of
	// a burst anyway.
	maxDials = 4
	// retryAfter is how long a project that has connections does not open more
	// after a failed dial, for instance because its role's connection limit is
	// reached.
	retryAfter = 200 * time.Millisecond
)

// share is a project's part of the budget; Budget.mu guards it. It exists
// while the project has a connection, a dial or a waiter.
type share struct {
	ref       tenants.Ref
	idle      []*conn // most recently used last; empty while anyone waits
	inUse     int
	dialing   int // dials under way, or reserved for a place that is about to come free
	closing   int // connections that the server has not ended yet
	waiters   queue
	gen       uint64    // raised by Forget
	brokenAt  time.Time // when a broken connection was last returned
	retryAt   time.Time // set while stalled, see retryAfter
	heapIndex int       // index in Budget.demand, -1 if not there
}

func (s *share) established() int { return s.inUse + len(s.idle) }

// held counts the project's places. A place whose connection is being closed
// already belongs to another project.
func (s *share) held() int { return s.established() + s.dialing }

// wants reports whether the project needs one more dial.
func (b *Budget) wants(s *share) bool {
	dials := maxDials
	if s.established() == 0 {
		dials = 1
	}
	return s.waiters.n > s.dialing && s.dialing < dials &&
		s.held()+s.closing < b.o.PerTenant &&
		(s.retryAt.IsZero() || s.held() == 0)
}

// update adds, moves or removes the project in Budget.demand according to its
// counts, and drops the share when all are zero. Every method that changes a
// count calls it last.
func (b *Budget) update(s *share) {
	switch wants := b.wants(s); {
	case wants && s.heapIndex < 0:
		heap.Push(&b.demand, s)
	case wants:
		heap.Fix(&b.demand, s.heapIndex)
	case s.heapIndex >= 0:
		heap.Remove(&b.demand, s.heapIndex)
	}
	if s.waiters.n == 0 && s.held()+s.closing == 0 {
		delete(b.shares, s.ref)
	}
}

// demand is a heap of the projects that want a place: the one that holds the
// fewest first, and among equals the one whose first waiter came first.
type demand []*share

func (h demand) Len() int { return len(h) }

func (h demand) Less(i, j int) bool {
	if a, b := h[i].held(), h[j].held(); a != b {
		return a < b
	}
	return h[i].waiters.first.seq < h[j].waiters.first.seq
}

func (h demand) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapIndex, h[j].heapIndex = i, j
}

// Push is for container/heap.
func (h *demand) Push(x any) {
	s := x.(*share)
	s.heapIndex = len(*h)
	*h = append(*h, s)
}

// Pop is for container/heap.
func (h *demand) Pop() any {
	old := *h
	s := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	s.heapIndex = -1
	return s
}
