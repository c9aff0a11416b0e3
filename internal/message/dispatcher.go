package message

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

	// recordTimeout bounds writing down what came of a message.
	recordTimeout = 5 * time.Second

	// claimTimeout bounds a claim; a statement there may take less. Without it a
	// server that went silent would hold the worker, and the project, for ever.
	claimTimeout = 15 * time.Second

	// markMemo and sentMemo bound what a process remembers.
	markMemo = 8192
	sentMemo = 8192
)

// Dispatcher delivers the messages of all projects' outboxes. A flow calls
// Prepare before the transaction that adds a row and Wake after its commit; one
// Run per process with the worker role delivers. A message is removed directly
// after it was sent: a process killed before that moment leaves the row to be
// sent by another, with the same Message-ID.
//
// At most Workers projects are worked at a time, each by one goroutine, Batch
// rows a turn and then at the end of the queue, so neither a long queue nor a
// slow server of one project holds up the others. Idle projects cost nothing.
type Dispatcher struct {
	Outbox Outbox
	Marks  Marks
	// Sender finds a project's sender; it is asked once a turn.
	Sender func(ctx context.Context, ref tenants.Ref) (Sender, error)
	Logger *slog.Logger
	Now    func() time.Time

	Workers     int           // 8 when zero
	Batch       int           // 10 when zero
	Lease       time.Duration // of claimed rows, 90 s when zero
	SendTimeout time.Duration // of one message, 30 s when zero; below Lease
	SweepEvery  time.Duration // between looks at all marked projects, 10 s when zero
	StopGrace   time.Duration // for what is being sent when Run is stopped, 10 s when zero
	GiveUp      time.Duration // age at which a message is no longer tried, 24 h when zero

	once    sync.Once
	marking singleflight.Group
	marked  *lru.Cache[tenants.Ref, time.Time] // when this process renewed the mark
	sent    *lru.Cache[sentKey, struct{}]      // delivered, and perhaps not yet removed

	mu      sync.Mutex
	running bool
	woken   map[tenants.Ref]struct{}
	bell    chan struct{}
}

var errRunning = errors.New("message: dispatcher runs already")

// init fills in the defaults.
func (d *Dispatcher) init() {
	d.once.Do(func() {
		d.Workers, d.Batch = or(d.Workers, 8), or(d.Batch, 10)
		d.Lease, d.SendTimeout = or(d.Lease, 90*time.Second), or(d.SendTimeout, 30*time.Second)
		d.SweepEvery, d.StopGrace = or(d.SweepEvery, 10*time.Second), or(d.StopGrace, 10*time.Second)
		d.GiveUp = or(d.GiveUp, 24*time.Hour)
		if d.Logger == nil {
			d.Logger = slog.New(slog.DiscardHandler)
		}
		if d.Now == nil {
			d.Now = time.Now
		}
		// New fails for a size below one only.
		d.marked, _ = lru.New[tenants.Ref, time.Time](markMemo)
		d.sent, _ = lru.New[sentKey, struct{}](sentMemo)
		d.woken, d.bell = map[tenants.Ref]struct{}{}, make(chan struct{}, 1)
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
func (d *Dispatcher) Prepare(ctx context.Context, ref tenants.Ref) error {
	d.init()
	now := d.Now() // before the write, so that the memo is never younger than the mark
	if at, ok := d.marked.Get(ref); ok && now.Sub(at) < markFresh {
		return nil
	}
	// Callers at the same moment share one write, which therefore does not end
	// with the first caller's request.
	_, err, _ := d.marking.Do(string(ref), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
		defer cancel()
		if err := d.Marks.Mark(ctx, ref); err != nil {
			return nil, fmt.Errorf("mark outbox: %w", err)
		}
		d.marked.Add(ref, now)
		return nil, nil
	})
	return err
}

// Wake asks for the project's outbox to be worked now. Call it after commit. It
// never blocks; in a process that does not Run it does nothing, and another
// process's next sweep finds the row.
func (d *Dispatcher) Wake(ref tenants.Ref) {
	d.init()
	d.mu.Lock()
	if !d.running {
		d.mu.Unlock()
		return
	}
	d.woken[ref] = struct{}{}
	d.mu.Unlock()
	select {
	case d.bell <- struct{}{}:
	default: // it rings already
	}
}

// takeWoken hands over the projects woken since the last call.
func (d *Dispatcher) takeWoken() map[tenants.Ref]struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	woken := d.woken
	d.woken = map[tenants.Ref]struct{}{}
	return woken
}

// setRunning changes whether Run is at work, and fails if it was already so.
func (d *Dispatcher) setRunning(on bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running && on {
		return errRunning
	}
	d.running = on
	clear(d.woken)
	return nil
}
