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
	// Prepare renews a mark that is older than markFresh. A mark is removed
	// at the earliest unmarkAfter its last renewal. The difference is the time
	// that a transaction may take between Prepare and commit.
	markFresh   = 30 * time.Second
	unmarkAfter = 2 * time.Minute

	// slowTurn is the duration after which a turn begins no further row. A
	// project whose turn took that long is slow.
	slowTurn = 10 * time.Second

	// recordTimeout bounds the write of a row's result or of a mark.
	recordTimeout = 5 * time.Second

	// claimTimeout bounds a claim. Without it a database server that stops
	// answering would block the worker and the project for ever. The statement
	// timeout may be shorter.
	claimTimeout = 15 * time.Second

	// markCacheSize and sentCacheSize are the capacities of a queue's caches.
	markCacheSize = 8192
	sentCacheSize = 8192
)

// Queue delivers the rows of one kind in all projects' outboxes. A flow calls
// Prepare before the transaction that adds a row, and Wake after the commit.
// Run, called once in each process with the worker role, delivers. A row is
// removed right after its delivery. If the process is killed before that, another
// process delivers the row again with the same ID.
//
// At most Workers projects are processed at a time, each by one goroutine. A turn
// delivers up to Batch rows; then the project goes to the end of the queue. So
// neither a long queue nor a slow server of one project delays the others. Idle
// projects cost nothing.
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
	marked  *lru.Cache[tenants.Ref, time.Time] // last renewal of the mark by this process
	sent    *lru.Cache[rowKey, struct{}]       // delivered, possibly not yet removed

	mu      sync.Mutex
	running bool
	woken   map[tenants.Ref]struct{}
	wake    chan struct{} // signals Run that woken is not empty
}

// Options are the limits of a Queue. Zero values select the defaults.
type Options struct {
	Workers    int           // projects processed at a time; 8
	Batch      int           // rows per turn; 10
	Lease      time.Duration // of claimed rows; 90 s
	Timeout    time.Duration // of one delivery, less than Lease; 30 s
	SweepEvery time.Duration // interval between checks of all marked projects; 10 s
	StopGrace  time.Duration // for running deliveries when Run is stopped; 10 s
	GiveUp     time.Duration // age after which a row is not retried; 24 h
	RetryAfter time.Duration // delay after a row's first failure, doubled by each further one; 10 s
	Observer   Observer      // may be nil
}

// Observer is told of the results of deliveries. Its methods must not block.
type Observer interface {
	Delivered(ref tenants.Ref)
	Failed(ref tenants.Ref, f Failure)
}

// Failure is a delivery that failed, or that could not begin.
type Failure struct {
	Row     Row // the first one if the deliveries could not begin
	Err     error
	Untried int  // the number of rows whose deliveries could not begin
	GivenUp bool // the row is not tried again
}

var errRunning = errors.New("outbox: the queue is already running")

// init fills in the defaults.
func (q *Queue) init() {
	q.once.Do(func() {
		q.Workers, q.Batch = positiveOr(q.Workers, 8), positiveOr(q.Batch, 10)
		q.Lease, q.Timeout = positiveOr(q.Lease, 90*time.Second), positiveOr(q.Timeout, 30*time.Second)
		q.SweepEvery, q.StopGrace = positiveOr(q.SweepEvery, 10*time.Second), positiveOr(q.StopGrace, 10*time.Second)
		q.GiveUp, q.RetryAfter = positiveOr(q.GiveUp, 24*time.Hour), positiveOr(q.RetryAfter, minRetryDelay)
		if q.Logger == nil {
			q.Logger = slog.New(slog.DiscardHandler)
		}
		if q.Now == nil {
			q.Now = time.Now
		}
		// New only fails for a size below one.
		q.marked, _ = lru.New[tenants.Ref, time.Time](markCacheSize)
		q.sent, _ = lru.New[rowKey, struct{}](sentCacheSize)
		q.woken, q.wake = map[tenants.Ref]struct{}{}, make(chan struct{}, 1)
	})
}

// positiveOr returns v if it is positive, and def otherwise.
func positiveOr[T int | time.Duration](v, def T) T {
	if v > 0 {
		return v
	}
	return def
}

// Prepare marks the project. Call it before the transaction that adds a row, and
// do not add the row if it fails: without the mark, no process would find the row
// after a crash of this one. It writes at most once in 30 s per project and
// process.
func (q *Queue) Prepare(ctx context.Context, ref tenants.Ref) error {
	q.init()
	now := q.Now() // read before the write, so that the cached time is never later than the mark's
	if at, ok := q.marked.Get(ref); ok && now.Sub(at) < markFresh {
		return nil
	}
	// Concurrent callers share one write, so it must not be cancelled with the
	// first caller's request.
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

// Wake schedules the project for processing. Call it after the commit. It never
// blocks. In a process without Run it does nothing; another process finds the row
// in its next sweep.
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
	case q.wake <- struct{}{}:
	default: // already signalled
	}
}

// wakeAfter is Wake after d, for rows that are due then. A sweep finds them up to
// SweepEvery late, which matters little after a long delay.
func (q *Queue) wakeAfter(ref tenants.Ref, d time.Duration) {
	if d < time.Minute {
		time.AfterFunc(d, func() { q.Wake(ref) })
	}
}

// takeWoken returns the projects woken since the last call.
func (q *Queue) takeWoken() map[tenants.Ref]struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	woken := q.woken
	q.woken = map[tenants.Ref]struct{}{}
	return woken
}

// setRunning records whether Run is active; errRunning if it already is.
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
