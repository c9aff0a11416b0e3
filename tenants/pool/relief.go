package pool

import "time"

const (
	// starved is how long a project without any place waits before somebody
	// else's loan is called back for it, and then again.
	starved = 500 * time.Millisecond
	// overlong is the age from which a loan may be called back: many times
	// what the statements of any flow take. What takes longer is the project's own
	// code, such as a trigger that sleeps.
	overlong = 2 * time.Second
)

// lend counts c as in use.
func (b *Budget) lend(c *conn, now time.Time) {
	c.share.inUse++
	c.lentAt = now
	b.lent.push(c)
}

// relieve calls back the longest loan there is for w, whose project holds nothing
// although it has waited for long: projects whose statements never end must not
// take all places, however many they are. The server ends the connection, its
// borrower gets an error that may be repeated, and its place goes to whoever
// holds the fewest.
func (b *Budget) relieve(w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := w.share; !w.queued || s.waiters.first != w || s.held() > 0 || b.closed {
		return
	}
	now := b.o.Now()
	for c := b.lent.first; c != nil && now.Sub(c.lentAt) >= overlong; c = c.next {
		if now.Sub(c.calledAt) >= overlong { // again, if the server was not to be reached
			c.calledAt = now
			b.called++
			b.background.Go(c.link.interrupt)
			return
		}
	}
}
