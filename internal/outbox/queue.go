package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/reevehq/reeve/tenants"
)

const (
	// markFresh is how long Prepare trusts a mark; unmarkAfter is how long a
	// mark outlives its last renewal. The difference is the time that a
	// transaction may take between Prepare and commit.
	markFresh   = 30 * time.Second
	unmarkAfter = 2 * time.Minute

	// slowTurn is how long a turn goes on, and from when on a project is slow.
	slowTurn = 10 * time.Second

	// recordTimeout bounds writing down what came of a row.
	recordTimeout = 5 * time.Second

	// claimTimeout bounds a claim; a statement there may take less. Without it a
	// server that went silent would hold the worker, and the project, for ever.
	claimTimeout = 15 * time.Second

	// markMemo and sentMemo bound what a process remembers.
	markMemo = 8192
	sentMemo = 8192
)

// Queue delivers the rows of one kind in all projects' outboxes. A flow calls
// Prepare before the transaction that adds a row and Wake after its commit; one
// Run per process with the worker role delivers. A row is removed directly after
// it was delivered: a process killed before that moment leaves it to be delivered
// by another, with the same ID.
//
// At most Workers projects are worked at a time, each by one goroutine, Batch
// rows a turn and then at the end of the queue, so neither a long queue nor a
// slow server of one project holds up the others. Idle projects cost nothing.
type Queue struct {
	Kind     Kind
	Consumer Consumer
	Store    Store
	Marks    Marks
	Logger   *slog.Logger
	Now      func() time.Time
	Options

	once    sync.Once
	marking singleflight.Group
	marked  *lru.Cache[tenants.Ref, time.Time] // when this process renewed the mark
	sent    *lru.Cache[rowKey, struct{}]       // delivered, and perhaps not yet removed

	mu      sync.Mutex
	running bool
	woken   map[tenants.Ref]struct{}
	bell    chan struct{}
}

// Options are the bounds of a Queue.
type Options struct {
	Workers    int           // 8 when zero
	Batch      int           // 10 when zero
	Lease      time.Duration // of claimed rows, 90 s when zero
	Timeout    time.Duration // of one delivery, 30 s when zero; below Lease
	SweepEvery time.Duration // between looks at all marked projects, 10 s when zero
	StopGrace  time.Duration // for deliveries under way when Run is stopped, 10 s when zero
	GiveUp     time.Duration // age at which a row is no longer tried, 24 h when zero
}

var errRunning = errors.New("outbox: queue runs already")

// init fills in the defaults.
func (q *Queue) init() {
	q.once.Do(func() {
		q.Workers, q.Batch = or(q.Workers, 8), or(q.Batch, 10)
		q.Lease, q.Timeout = or(q.Lease, 90*time.Second), or(q.Timeout, 30*time.Second)
		q.SweepEvery, q.StopGrace = or(q.SweepEvery, 10*time.Second), or(q.StopGrace, 10*time.Second)
		q.GiveUp = or(q.GiveUp, 24*time.Hour)
		if q.Logger == nil {
			q.Logger = slog.New(slog.DiscardHandler)
		}
		if q.Now == nil {
			q.Now = time.Now
		}
		// New fails for a size below one only.
		q.marked, _ = lru.New[tenants.Ref, time.Time](markMemo)
		q.sent, _ = lru.New[rowKey, struct{}](sentMemo)
		q.woken, q.bell = map[tenants.Ref]struct{}{}, make(chan struct{}, 1)
	})
}

func or[T int | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}

// Prepare makes sure that the project is marked. Call it before the
// transaction that adds a row, and do not add the row when it fails: without
// the mark a killed process would forget it. It writes at most every 30 s per
// project and process.
func (q *Queue) Prepare(ctx context.Context, ref tenants.Ref) error {
	q.init()
	now := q.Now() // before the write, so that the memo is never younger than the mark
	if at, ok := q.marked.Get(ref); ok && now.Sub(at) < markFresh {
		return nil
	}
	// Callers at the same moment share one write, which therefore does not end
	// with the first caller's request.
	_, err, _ := q.marking.Do(string(ref), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
		defer cancel()
		if err := q.Marks.Mark(ctx, ref, q.Kind); err != nil {
			return nil, fmt.Errorf("mark outbox: %w", err)
		}
		q.marked.Add(ref, now)
		return nil, nil
	})
	return err
}

// Wake asks for the project's outbox to be worked now. Call it after commit. It
// never blocks; in a process that does not Run it does nothing, and another
// process's next sweep finds the row.
func (q *Queue) Wake(ref tenants.Ref) {
	q.init()
	q.mu.Lock()
	if !q.running {
		q.mu.Unlock()
		return
	}
	q.woken[ref] = struct{}{}
	q.mu.Unlock()
	select {
	case q.bell <- struct{}{}:
	default: // it rings already
	}
}

// takeWoken hands over the projects woken since the last call.
func (q *Queue) takeWoken() map[tenants.Ref]struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	woken := q.woken
	q.woken = map[tenants.Ref]struct{}{}
	return woken
}

// setRunning changes whether Run is at work, and fails if it was already so.
func (q *Queue) setRunning(on bool) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running && on {
		return errRunning
	}
	q.running = on
	clear(q.woken)
	return nil
}
