package outbox

import (
	"context"
	"sync"
	"time"

	"github.com/reevehq/reeve/tenants"
)

// Run delivers until ctx ends. It then waits up to StopGrace for running
// deliveries, cancels the rest, and returns nil. It begins with a sweep, so rows
// that a killed process left are delivered first. A second concurrent Run of a
// Queue fails.
func (q *Queue) Run(ctx context.Context) error {
	q.init()
	if err := q.setRunning(true); err != nil {
		return err
	}
	defer func() { _ = q.setRunning(false) }()
	work, release := withGrace(ctx, q.StopGrace)
	defer release()
	l := &loop{
		q: q, ctx: ctx, work: work, queue: newSchedule(q.Workers),
		finished: make(chan outcome), swept: make(chan []tenants.Ref), late: make(chan tenants.Ref),
	}
	defer l.wait.Wait()
	l.run()
	return nil
}

// loop is the goroutine that owns the schedule. Turns and sweeps run in other
// goroutines and report to it over channels.
type loop struct {
	q        *Queue
	ctx      context.Context // when done, nothing new begins
	work     context.Context // when done, running deliveries are cancelled
	queue    *schedule
	active   int
	long     int              // detached turns, which do not occupy a worker; see longTurn
	late     chan tenants.Ref // turns that reached longTurn
	sweeping bool
	finished chan outcome
	swept    chan []tenants.Ref
	wait     sync.WaitGroup
}

func (l *loop) run() {
	tick := time.NewTicker(l.q.SweepEvery)
	defer tick.Stop()
	l.sweep()
	for l.ctx.Err() == nil {
		l.start()
		select {
		case <-l.ctx.Done():
		case <-l.q.wake:
			for ref := range l.q.takeWoken() {
				l.queue.push(ref, l.q.Now())
			}
		case refs := <-l.swept:
			l.sweeping = false
			for _, ref := range refs {
				l.queue.push(ref, l.q.Now())
			}
			l.queue.evictIdle(l.q.Now())
		case o := <-l.finished:
			l.finish(o)
		case ref := <-l.late:
			if l.long < maxLong && l.queue.detach(ref) {
				l.active--
				l.long++
			}
		case <-tick.C:
			l.sweep()
		}
	}
	for l.active+l.long > 0 {
		select {
		case o := <-l.finished:
			l.finish(o)
		case <-l.late:
		}
	}
}

// A turn that takes longer than longTurn is detached: its worker becomes free for
// another project. Otherwise servers that are not yet known to be slow could occupy
// all workers. At most maxLong turns are detached at a time.
const (
	longTurn = 2 * time.Second
	maxLong  = 64
)

// start begins turns of waiting projects while workers are free.
func (l *loop) start() {
	for l.active < l.q.Workers {
		ref, ok := l.queue.next()
		if !ok {
			return
		}
		l.active++
		l.wait.Go(func() {
			done := make(chan outcome, 1)
			l.wait.Go(func() { done <- l.q.turn(l.ctx, l.work, ref) })
			timer := time.NewTimer(longTurn)
			defer timer.Stop()
			select {
			case o := <-done:
				l.finished <- o
				return
			case <-timer.C:
				l.late <- ref
			}
			l.finished <- <-done
		})
	}
}

func (l *loop) finish(o outcome) {
	if p := l.queue.slots[o.ref]; p != nil && p.detached {
		l.long--
	} else {
		l.active--
	}
	l.queue.finish(o, l.q.Now())
}

// sweep reads the marked projects, unless a sweep is already running.
func (l *loop) sweep() {
	if l.sweeping {
		return
	}
	l.sweeping = true
	l.wait.Go(func() {
		ctx, cancel := context.WithTimeout(l.ctx, recordTimeout)
		refs, err := l.q.Marks.Marked(ctx, l.q.Kind)
		cancel()
		if err != nil && l.ctx.Err() == nil {
			l.q.Logger.Warn("outbox sweep failed", "kind", string(l.q.Kind), "error", err)
		}
		select {
		case l.swept <- refs:
		case <-l.ctx.Done():
		}
	})
}

// withGrace returns a context that is cancelled grace after ctx.
func withGrace(ctx context.Context, grace time.Duration) (context.Context, func()) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-out.Done():
		}
	})
	return out, func() {
		stop()
		cancel()
	}
}
