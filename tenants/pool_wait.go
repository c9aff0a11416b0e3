package tenants

import (
	"context"
	"time"
)

// poolWaiter is one waiting Acquire.
type poolWaiter struct {
	share      *poolShare
	seq        uint64 // order of arrival over all projects
	since      time.Time
	queued     bool
	done       chan poolGrant // holds the grant once queued is false
	prev, next *poolWaiter
}

// poolGrant ends a wait: a connection, counted as in use, or an error.
type poolGrant struct {
	conn *poolConn
	err  error
}

// poolQueue is a project's waiters in order of arrival.
type poolQueue struct {
	first, last *poolWaiter
	n           int
}

func (q *poolQueue) push(w *poolWaiter) {
	w.queued, w.prev = true, q.last
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	q.n++
}

func (q *poolQueue) remove(w *poolWaiter) {
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.queued, w.prev, w.next = false, nil, nil
	q.n--
}

// grant ends w's wait; the caller updates the share.
func (q *poolQueue) grant(w *poolWaiter, g poolGrant) {
	q.remove(w)
	w.done <- g
}

// enqueue lets a request of ref wait, and does what it can to serve it.
func (b *Budget) enqueue(ref Ref, now time.Time) (*poolWaiter, error) {
	if b.closed {
		return nil, ErrBudgetClosed
	}
	s := b.shares[ref]
	if s == nil {
		s = &poolShare{ref: ref, claim: -1}
		b.shares[ref] = s
	}
	if s.waiters.n >= b.o.MaxWaiting {
		b.refused++
		return nil, ErrOverCapacity
	}
	b.seq++
	w := &poolWaiter{share: s, seq: b.seq, since: now, done: make(chan poolGrant, 1)}
	s.waiters.push(w)
	b.update(s)
	b.settle()
	return w, nil
}

func (b *Budget) wait(ctx context.Context, w *poolWaiter) (*Conn, error) {
	left := b.o.WaitTimeout
	timer := time.NewTimer(min(left, poolStarved))
	defer timer.Stop()
	for {
		var g poolGrant
		select {
		case g = <-w.done:
		case <-timer.C:
			if left -= poolStarved; left > 0 {
				b.relieve(w)
				timer.Reset(min(left, poolStarved))
				continue
			}
			g = b.leave(w)
		case <-ctx.Done():
			if g = b.leave(w); g.conn != nil {
				b.release(g.conn)
			}
			return nil, ctx.Err()
		}
		if g.err != nil {
			return nil, g.err
		}
		return &Conn{budget: b, conn: g.conn}, nil
	}
}

// leave takes w out of its queue. If w was granted something in the meantime,
// the grant is returned, and a connection in it is the caller's.
func (b *Budget) leave(w *poolWaiter) poolGrant {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !w.queued {
		return <-w.done
	}
	s := w.share
	s.waiters.remove(w)
	b.refused++
	err := ErrOverCapacity
	if s.established() == 0 && s.dialing > 0 {
		// Not for want of a place: the database does not answer.
		err = ErrDatabaseUnavailable
	}
	b.update(s)
	return poolGrant{err: err}
}
