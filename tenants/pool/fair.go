package pool

import "time"

const (
	// patience is how long a waiting project leaves a place to one that
	// holds just one more, and tenure how long a connection then serves before
	// its place moves on. Without them 200 busy projects on 100 places would
	// reconnect for every request.
	patience = 20 * time.Millisecond
	tenure   = 40 * time.Millisecond
	// grace is how long an idle connection is safe from projects that hold
	// about as many: about the cost of opening it again, which is the break-even
	// when it is not known whether its project comes back at once.
	grace = 5 * time.Millisecond
)

// release takes back a connection that is counted as in use and decides who
// has it, or its place, next.
func (b *Budget) release(c *conn) {
	now := b.o.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	s := c.share
	s.inUse--
	b.lent.remove(c)
	if !s.retryAt.IsZero() && !now.Before(s.retryAt) {
		s.retryAt = time.Time{}
	}
	if !b.keeps(c, now) {
		b.retire(c)
	} else if other := b.claimant(c, now); other != nil {
		b.evict(c, other)
	} else {
		b.place(c, now)
	}
	b.settle()
}

// keeps reports whether a returned connection may be used again.
func (b *Budget) keeps(c *conn, now time.Time) bool {
	if c.dead || c.link.broken() {
		// The server may have restarted: look at the idle ones before use.
		c.share.brokenAt = now
		return false
	}
	// One that was called back would be cut under the next borrower.
	return c.link.usable() && c.calledAt.IsZero() && !b.closed && c.gen == c.share.gen && now.Sub(c.openedAt) < b.o.MaxLifetime
}

// claimant names the project to which the place of the returned connection c
// goes, or nil if c's project keeps it. It aims at max-min fairness: the place
// goes to the waiting project that holds the fewest, the longest waiting on
// ties. A project that holds two more than that gives it up at once. One that
// holds a single place more, so that giving up only turns the tables, keeps it
// for a quantum (patience and tenure; ten times that if the other is
// being served too): places go around, nobody starves, and reconnects stay rare.
// A connection that is kept without need becomes idle, see [Budget.spare].
func (b *Budget) claimant(c *conn, now time.Time) *share {
	if len(b.claims) == 0 || b.claims[0] == c.share {
		return nil
	}
	other := b.claims[0]
	// The returned connection is in none of the counts at this point.
	lead := c.share.held() + 1 - other.held()
	wait, served := patience, tenure
	if other.held() > 0 {
		wait, served = 10*wait, 10*served
	}
	if lead >= 2 || lead == 1 && now.Sub(other.waiters.first.since) >= wait && now.Sub(c.openedAt) >= served {
		return other
	}
	return nil
}

// spare finds the idle connection whose place goes to s: the longest idle, but
// none that was used within grace by a project that holds about as few as s.
func (b *Budget) spare(s *share, now time.Time) *conn {
	for c := b.idle.first; c != nil; c = c.next {
		if now.Sub(c.idleAt) >= grace || c.share.held() >= s.held()+2 {
			return c
		}
	}
	return nil
}

// place gives a usable connection to its project's first waiter, else lays it
// aside as idle, where other projects may claim its place.
func (b *Budget) place(c *conn, now time.Time) {
	s := c.share
	if w := s.waiters.first; w != nil {
		b.lend(c, now)
		s.waiters.grant(w, grant{conn: c})
	} else {
		b.park(c, now)
	}
	b.update(s)
}

// settle serves the claims as long as there are free places or idle
// connections to spare. Afterwards whoever still claims waits for a release, or
// for the grace of an idle connection to end. Whatever may have raised a claim,
// freed a place or laid a connection aside ends with it.
func (b *Budget) settle() {
	for len(b.claims) > 0 {
		if b.places < b.o.Total {
			b.places++
			s := b.take()
			gen := s.gen
			b.background.Go(func() { b.open(s, gen) })
			continue
		}
		if b.idle.first == nil {
			return
		}
		now := b.o.Now()
		c := b.spare(b.claims[0], now)
		if c == nil {
			b.armSweeper(now)
			return
		}
		b.unparkOldest(c.share)
		b.evict(c, b.claims[0])
	}
}

// take binds a place to the first claim, if there is one.
func (b *Budget) take() *share {
	if len(b.claims) == 0 {
		return nil
	}
	s := b.claims[0]
	s.dialing++
	b.update(s)
	return s
}

// evict closes c and has its place serve other.
func (b *Budget) evict(c *conn, other *share) {
	b.evicted++
	c.share.closing++
	b.update(c.share)
	other.dialing++
	b.update(other)
	b.background.Go(func() { b.replace(c, other) })
}

// retire closes c, which is neither idle nor in use any more; its place serves
// the first claim, if there is one.
func (b *Budget) retire(c *conn) {
	c.share.closing++
	b.update(c.share)
	next := b.take()
	b.background.Go(func() { b.replace(c, next) })
}
