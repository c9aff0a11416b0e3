package password

import (
	"container/list"
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// DefaultQueue is how many calls of one project may wait in a Gate.
const DefaultQueue = 64

// ErrBusy is given when too many calls of the same project wait already.
var ErrBusy = fault.New(fault.TooMany, "over_request_rate_limit",
	"Too many password operations at once, try again shortly").After(time.Second)

// Gate admits a bounded number of calls at once over all projects. Projects
// that wait share the slots by time (start-time fair queueing): the one that
// has held them for the least time is next, so that slow calls win nothing over
// fast ones. While another project waits, none is given the last of two or more
// slots; a project alone may use every one.
type Gate struct {
	perProject int
	slots      int
	now        func() time.Time

	mu     sync.Mutex
	free   int                    // positive only while nobody waits
	shares map[tenants.Ref]*share // who runs, waits, or is ahead of the floor
	floor  time.Duration          // the least time used by a project that waits
	last   time.Time              // until when used is counted
	turns  uint64                 // counts turns, see share.turn
}

// NewGate makes a Gate of so many slots (GOMAXPROCS when not positive) and
// waiting calls per project (DefaultQueue when not positive).
func NewGate(slots, perProject int) *Gate {
	if slots <= 0 {
		slots = runtime.GOMAXPROCS(0)
	}
	if perProject <= 0 {
		perProject = DefaultQueue
	}
	return &Gate{
		perProject: perProject,
		slots:      slots,
		now:        time.Now,
		free:       slots,
		shares:     make(map[tenants.Ref]*share),
	}
}

// Enter waits for the project's turn. The caller must call leave when done;
// calling it again does nothing. It returns ErrBusy at once when the project's
// queue is full, or the context's error, which takes the call out of the queue.
func (g *Gate) Enter(ctx context.Context, ref tenants.Ref) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("wait for password hashing: %w", err)
	}
	s, call, err := g.join(ref)
	if err != nil {
		return nil, err
	}
	leave = sync.OnceFunc(func() { g.release(s) })
	if call == nil {
		return leave, nil
	}
	select {
	case <-call.Value.(chan struct{}):
		return leave, nil
	case <-ctx.Done():
		g.abandon(s, call)
		return nil, fmt.Errorf("wait for password hashing: %w", ctx.Err())
	}
}

// join takes a free slot, or appends a call to its project's queue.
func (g *Gate) join(ref tenants.Ref) (*share, *list.Element, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settle()
	s := g.shareOf(ref)
	switch {
	case g.free > 0:
		g.free--
		s.held++
		return s, nil, nil
	case s.calls.Len() >= g.perProject:
		return nil, nil, ErrBusy
	case s.calls.Len() == 0:
		s.used = max(s.used, g.floor) // time that it left to others is not saved up
		s.turn = g.turn()
	}
	return s, s.calls.PushBack(make(chan struct{})), nil
}

// abandon takes a call out of its queue, or passes its slot on when it was
// admitted at the same moment.
func (g *Gate) abandon(s *share, call *list.Element) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settle()
	select {
	case <-call.Value.(chan struct{}):
		s.held--
		g.next()
	default:
		s.calls.Remove(call)
	}
}

func (g *Gate) release(s *share) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settle()
	s.held--
	g.next()
}

// Waiting tells how many calls of a project wait, for metrics.
func (g *Gate) Waiting(ref tenants.Ref) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.shares[ref]; s != nil {
		return s.calls.Len()
	}
	return 0
}
