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

// ErrBusy is returned when too many calls of the same project are waiting.
var ErrBusy = fault.New(fault.TooMany, "over_request_rate_limit",
	"Too many password operations at once, try again shortly").After(time.Second)

// Gate admits a bounded number of concurrent calls over all projects. Waiting
// projects share the slots by time (start-time fair queueing): the project that
// has held slots for the least time is next, so slow calls have no advantage
// over fast ones. While another project waits, no project gets the last of two
// or more slots; a project alone may use all of them.
type Gate struct {
	perProject int
	slots      int
	now        func() time.Time

	mu     sync.Mutex
	free   int                    // positive only while no call waits
	shares map[tenants.Ref]*share // projects that run, wait, or are ahead of the floor
	floor  time.Duration          // the least time used by a waiting project
	last   time.Time              // until when used is counted
	turns  uint64                 // counts turns, see share.turn
}

// NewGate returns a Gate with this number of slots (GOMAXPROCS when not
// positive) and of waiting calls per project (DefaultQueue when not positive).
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

// Enter waits for the project's turn. The caller must call leave when done; a
// second call does nothing. Enter returns ErrBusy at once when the project's
// queue is full, or the context's error, which removes the call from the queue.
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
		s.used = max(s.used, g.floor) // unused time is not saved up
		s.turn = g.turn()
	}
	return s, s.calls.PushBack(make(chan struct{})), nil
}

// abandon removes a call from its queue. If it was admitted in the meantime,
// abandon passes its slot on.
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

// Waiting returns the number of waiting calls of a project, for metrics.
func (g *Gate) Waiting(ref tenants.Ref) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.shares[ref]; s != nil {
		return s.calls.Len()
	}
	return 0
}
