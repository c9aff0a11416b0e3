package pool

import (
	"slices"
	"time"
)

// connList holds connections of all projects in the order of arrival. In the
// list of idle ones, those of one project are in the order of share.idle.
type connList struct{ first, last *conn }

func (l *connList) push(c *conn) {
	c.prev, c.next = l.last, nil
	if l.last == nil {
		l.first = c
	} else {
		l.last.next = c
	}
	l.last = c
}

func (l *connList) remove(c *conn) {
	if c.prev == nil {
		l.first = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		l.last = c.prev
	} else {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
}

// park adds c to the idle connections.
func (b *Budget) park(c *conn, now time.Time) {
	c.idleAt = now
	c.share.idle = append(c.share.idle, c)
	b.idle.push(c)
	b.armSweeper(now)
}

// unpark takes the project's most recently used idle connection.
func (b *Budget) unpark(s *share) *conn {
	last := len(s.idle) - 1
	c := s.idle[last]
	s.idle[last] = nil
	s.idle = s.idle[:last]
	b.idle.remove(c)
	return c
}

// unparkOldest takes the project's longest idle connection.
func (b *Budget) unparkOldest(s *share) *conn {
	c := s.idle[0]
	s.idle = slices.Delete(s.idle, 0, 1)
	b.idle.remove(c)
	return c
}

// armSweeper sets the one timer for the longest idle connection: for the end of
// its grace if its place is wanted, else for its IdleTTL. It leaves a timer
// that is set for an earlier time alone, so that ordinary loans do not touch
// the timer.
func (b *Budget) armSweeper(now time.Time) {
	c := b.idle.first
	if c == nil || b.closed {
		return
	}
	ttl := b.o.IdleTTL
	if len(b.demand) > 0 {
		ttl = min(ttl, grace)
	}
	if due := c.idleAt.Add(ttl); b.sweepAt.IsZero() || due.Before(b.sweepAt) {
		b.sweepAt = due
		b.sweeper.Reset(due.Sub(now))
	}
}

// sweep closes the connections that have been idle for IdleTTL, and assigns the
// freed places.
func (b *Budget) sweep() {
	now := b.o.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweepAt = time.Time{}
	for c := b.idle.first; c != nil && now.Sub(c.idleAt) >= b.o.IdleTTL; c = b.idle.first {
		b.discard(b.unparkOldest(c.share))
	}
	b.assignPlaces()
	b.armSweeper(now)
}
