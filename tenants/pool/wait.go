package pool

import (
	"context"
	"time"

	"github.com/reevehq/reeve/tenants"
)

// waiter is one waiting Acquire.
type waiter struct {
	share      *share
	seq        uint64 // order of arrival over all projects
	since      time.Time
	queued     bool
	done       chan grant // holds the grant once queued is false
	prev, next *waiter
}

// grant ends a wait: a connection, counted as in use, or an error.
type grant struct {
	conn *conn
	err  error
}

// queue is a project's waiters in order of arrival.
type queue struct {
	first, last *waiter
	n           int
}

func (q *queue) push(w *waiter) {
	w.queued, w.prev = true, q.last
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	q.n++
}

func (q *queue) remove(w *waiter) {
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
func (q *queue) grant(w *waiter, g grant) {
	q.remove(w)
	w.done <- g
}

// enqueue queues a request of ref, and assigns places.
func (b *Budget) enqueue(ref tenants.Ref, now time.Time) (*waiter, error) {
	if b.closed {
		return nil, ErrClosed
	}
	s := b.shares[ref]
	if s == nil {
		s = &share{ref: ref, heapIndex: -1}
		b.shares[ref] = s
	}
	if s.waiters.n >= b.o.MaxWaiting {
		b.refused++
		return nil, ErrOverCapacity
	}
	b.seq++
	w := &waiter{share: s, seq: b.seq, since: now, done: make(chan grant, 1)}
	s.waiters.push(w)
	b.update(s)
	b.assignPlaces()
	return w, nil
}

func (b *Budget) wait(ctx context.Context, w *waiter) (*Conn, error) {
	left := b.o.WaitTimeout
	timer := time.NewTimer(min(left, recallAfter))
	defer timer.Stop()
	for {
		var g grant
		select {
		case g = <-w.done:
		case <-timer.C:
			if left -= recallAfter; left > 0 {
				b.recallLongest(w)
				timer.Reset(min(left, recallAfter))
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
// leave returns the grant, and the caller owns its connection.
func (b *Budget) leave(w *waiter) grant {
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
		// Not for lack of a place: the database does not answer.
		err = ErrDatabaseUnavailable
	}
	b.update(s)
	return grant{err: err}
}
