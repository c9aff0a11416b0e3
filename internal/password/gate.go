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
// that wait take turns, one call each, whatever the length of their queues; a
// project alone may use every slot.
type Gate struct {
	perProject int

	mu      sync.Mutex
	free    int                           // positive only while nobody waits
	turns   *list.List                    // of *queue; the front is next
	waiting map[tenants.Ref]*list.Element // only projects that wait
}

// queue is the calls of one project that wait, first come first served.
type queue struct {
	ref   tenants.Ref
	calls *list.List // of chan struct{}, closed on admission
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
		free:       slots,
		turns:      list.New(),
		waiting:    make(map[tenants.Ref]*list.Element),
	}
}

// Enter waits for the project's turn. The caller must call leave when done;
// calling it again does nothing. It returns ErrBusy at once when the project's
// queue is full, or the context's error, which takes the call out of the queue.
func (g *Gate) Enter(ctx context.Context, ref tenants.Ref) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("wait for password hashing: %w", err)
	}
	g.mu.Lock()
	if g.free > 0 {
		g.free--
		g.mu.Unlock()
		return sync.OnceFunc(g.release), nil
	}
	turn, call, err := g.line(ref)
	g.mu.Unlock()
	if err != nil {
		return nil, err
	}
	admitted := call.Value.(chan struct{})
	select {
	case <-admitted:
		return sync.OnceFunc(g.release), nil
	case <-ctx.Done():
		g.abandon(turn, call)
		return nil, fmt.Errorf("wait for password hashing: %w", ctx.Err())
	}
}

// line appends a call to its project's queue.
func (g *Gate) line(ref tenants.Ref) (turn, call *list.Element, err error) {
	turn = g.waiting[ref]
	if turn == nil {
		turn = g.turns.PushBack(&queue{ref: ref, calls: list.New()})
		g.waiting[ref] = turn
	}
	calls := turn.Value.(*queue).calls
	if calls.Len() >= g.perProject {
		return nil, nil, ErrBusy
	}
	return turn, calls.PushBack(make(chan struct{})), nil
}

// abandon takes a call out of its queue, or passes its slot on when it was
// admitted at the same moment.
func (g *Gate) abandon(turn, call *list.Element) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-call.Value.(chan struct{}):
		g.next()
	default:
		q := turn.Value.(*queue)
		q.calls.Remove(call)
		g.dropEmpty(turn, q)
	}
}

func (g *Gate) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next()
}

// next gives a slot to the first call of the project whose turn it is, and
// sends that project to the back.
func (g *Gate) next() {
	turn := g.turns.Front()
	if turn == nil {
		g.free++
		return
	}
	q := turn.Value.(*queue)
	close(q.calls.Remove(q.calls.Front()).(chan struct{}))
	g.turns.MoveToBack(turn)
	g.dropEmpty(turn, q)
}

func (g *Gate) dropEmpty(turn *list.Element, q *queue) {
	if q.calls.Len() == 0 {
		g.turns.Remove(turn)
		delete(g.waiting, q.ref)
	}
}

// Waiting tells how many calls of a project wait, for metrics.
func (g *Gate) Waiting(ref tenants.Ref) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if turn := g.waiting[ref]; turn != nil {
		return turn.Value.(*queue).calls.Len()
	}
	return 0
}
