package pool

import "time"

const (
	// recallAfter is how long a project without any place waits before another
	// project's loan is recalled for it, and the interval after which the next
	// one is.
	recallAfter = 500 * time.Millisecond
	// longLoan is the age from which a loan may be recalled: many times what
	// the statements of any flow take. A longer loan runs the project's own
	// code, such as a trigger that sleeps.
	longLoan = 2 * time.Second
)

// lend counts c as in use.
func (b *Budget) lend(c *conn, now time.Time) {
	c.share.inUse++
	c.lentAt = now
	b.lent.push(c)
}

// recallLongest ends the longest loan for w, whose project holds no place
// although it has waited for long. Otherwise projects whose statements never
// end could take all places. The server ends the connection, its borrower gets
// an error that may be repeated, and the place goes to the waiting project that
// holds the fewest.
func (b *Budget) recallLongest(w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := w.share; !w.queued || s.waiters.first != w || s.held() > 0 || b.closed {
		return
	}
	now := b.o.Now()
	for c := b.lent.first; c != nil && now.Sub(c.lentAt) >= longLoan; c = c.next {
		if now.Sub(c.recalledAt) >= longLoan { // repeated, in case the server could not be reached
			c.recalledAt = now
			b.recalled++
			b.background.Go(c.link.interrupt)
			return
		}
	}
}
