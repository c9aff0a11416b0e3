package pool

import "time"

const (
	// minWait is how long a waiting project leaves a place to one that holds
	// just one more. minUse is how long a connection serves before its place
	// moves on in that case. Without them, 200 busy projects on 100 places
	// would reconnect for every request.
	minWait = 20 * time.Millisecond
	minUse  = 40 * time.Millisecond
	// grace is how long an idle connection is safe from projects that hold
	// about as many. It is about the cost of opening a connection, which is the
	// break-even point when it is unknown whether the project returns at once.
	grace = 5 * time.Millisecond
)

// release takes back a connection that is counted as in use and decides which
// request or project gets it, or its place, next.
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
	if !b.reusable(c, now) {
		b.discard(c)
	} else if other := b.nextOwner(c, now); other != nil {
		b.evict(c, other)
	} else {
		b.reuse(c, now)
	}
	b.assignPlaces()
}

// reusable reports whether a returned connection may be used again.
func (b *Budget) reusable(c *conn, now time.Time) bool {
	if c.dead || c.link.broken() {
		// The server may have restarted: look at the idle ones before use.
		c.share.brokenAt = now
		return false
	}
	// The server ends a recalled connection, even under its next borrower.
	return c.link.usable() && c.recalledAt.IsZero() && !b.closed && c.gen == c.share.gen && now.Sub(c.openedAt) < b.o.MaxLifetime
}

// nextOwner returns the project to which the place of the returned connection c
// goes, or nil if c's project keeps it. It aims at max-min fairness: the place
// goes to the waiting project that holds the fewest, and on ties to the one
// that waited longest. A project that holds two more than that gives the place
// up at once. A project that holds one more would only swap roles with the
// other, so it keeps the place for a quantum: minWait and minUse, or ten times
// that if the other project is being served too. So places rotate, no project
// starves, and reconnects stay rare. A connection that is kept without need
// becomes idle, see [Budget.evictable].
func (b *Budget) nextOwner(c *conn, now time.Time) *share {
	if len(b.demand) == 0 || b.demand[0] == c.share {
		return nil
	}
	other := b.demand[0]
	// The returned connection is in none of the counts at this point.
	lead := c.share.held() + 1 - other.held()
	wait, served := minWait, minUse
	if other.held() > 0 {
		wait, served = 10*wait, 10*served
	}
	if lead >= 2 || lead == 1 && now.Sub(other.waiters.first.since) >= wait && now.Sub(c.openedAt) >= served {
		return other
	}
	return nil
}

// evictable returns the idle connection whose place goes to s: the longest idle
// one, except those that were used within grace by a project that holds about
// as few as s.
func (b *Budget) evictable(s *share, now time.Time) *conn {
	for c := b.idle.first; c != nil; c = c.next {
		if now.Sub(c.idleAt) >= grace || c.share.held() >= s.held()+2 {
			return c
		}
	}
	return nil
}

// reuse gives a usable connection to its project's first waiter. Without a
// waiter it parks the connection as idle, where other projects may take its
// place.
func (b *Budget) reuse(c *conn, now time.Time) {
	s := c.share
	if w := s.waiters.first; w != nil {
		b.lend(c, now)
		s.waiters.grant(w, grant{conn: c})
	} else {
		b.park(c, now)
	}
	b.update(s)
}

// assignPlaces gives places to the projects in demand as long as there are free
// places or evictable idle connections. A project that is still in demand
// afterwards waits for a release, or for the grace of an idle connection to
// end. Every method that may have added demand, freed a place or parked a
// connection calls it last.
func (b *Budget) assignPlaces() {
	for len(b.demand) > 0 {
		if b.places < b.o.Total {
			b.places++
			s := b.reserve()
			gen := s.gen
			b.background.Go(func() { b.open(s, gen) })
			continue
		}
		if b.idle.first == nil {
			return
		}
		now := b.o.Now()
		c := b.evictable(b.demand[0], now)
		if c == nil {
			b.armSweeper(now)
			return
		}
		b.unparkOldest(c.share)
		b.evict(c, b.demand[0])
	}
}

// reserve counts a dial for the first project in demand, or returns nil.
func (b *Budget) reserve() *share {
	if len(b.demand) == 0 {
		return nil
	}
	s := b.demand[0]
	s.dialing++
	b.update(s)
	return s
}

// evict closes c and reserves its place for other.
func (b *Budget) evict(c *conn, other *share) {
	b.evicted++
	c.share.closing++
	b.update(c.share)
	other.dialing++
	b.update(other)
	b.background.Go(func() { b.replace(c, other) })
}

// discard closes c, which is neither idle nor in use any more. Its place goes
// to the first project in demand, if there is one.
func (b *Budget) discard(c *conn) {
	c.share.closing++
	b.update(c.share)
	next := b.reserve()
	b.background.Go(func() { b.replace(c, next) })
}
