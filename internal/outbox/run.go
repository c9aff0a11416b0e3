package outbox

import (
	"context"
	"sync"
	"time"

	"github.com/reevehq/reeve/tenants"
)

// Run delivers until ctx ends, then finishes what is under way, for StopGrace at
// most, and returns nil. It starts with a sweep, so what a killed process left
// behind is delivered first. Only one Run per Queue at a time.
func (q *Queue) Run(ctx context.Context) error {
	q.init()
	if err := q.setRunning(true); err != nil {
		return err
	}
	defer func() { _ = q.setRunning(false) }()
	work, release := outlive(ctx, q.StopGrace)
	defer release()
	l := &loop{
		q: q, ctx: ctx, work: work, queue: newSchedule(q.Workers),
		finished: make(chan outcome), swept: make(chan []tenants.Ref), late: make(chan tenants.Ref),
	}
	defer l.wait.Wait()
	l.run()
	return nil
}

// loop is the one goroutine that decides who is worked next; turns and sweeps
// run beside it and report back.
type loop struct {
	q        *Queue
	ctx      context.Context // ends: nothing new
	work     context.Context // ends: drop what is under way
	queue    *schedule
	active   int
	long     int // turns that take long: they hold no worker, see longTurn
	late     chan tenants.Ref
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
		case <-l.q.bell:
			for ref := range l.q.takeWoken() {
				l.queue.push(ref, l.q.Now())
			}
		case refs := <-l.swept:
			l.sweeping = false
			for _, ref := range refs {
				l.queue.push(ref, l.q.Now())
			}
			l.queue.forget(l.q.Now())
		case o := <-l.finished:
			l.finish(o)
		case ref := <-l.late:
			if l.long < maxLong && l.queue.takesLong(ref) {
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

// A turn that goes on after longTurn leaves its worker to others, up to maxLong
// at a time: servers that nobody knows to be slow yet would take all of them.
const (
	longTurn = 2 * time.Second
	maxLong  = 64
)

// start gives waiting projects to free workers.
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
	if p := l.queue.slots[o.ref]; p != nil && p.long {
		l.long--
	} else {
		l.active--
	}
	l.queue.finish(o, l.q.Now())
}

// sweep looks up the marked projects, unless it is doing so already.
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

// outlive derives a context that ends grace after ctx does.
func outlive(ctx context.Context, grace time.Duration) (context.Context, func()) {
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
