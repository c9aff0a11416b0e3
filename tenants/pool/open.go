package pool

import (
	"context"
	"fmt"
	"time"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// replace closes c and, once the server has ended it, opens a connection for
// next in its place. If next has no need of it any more, another claim has it,
// else the place is free.
func (b *Budget) replace(c *conn, next *share) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	c.link.close(ctx)
	cancel()

	b.mu.Lock()
	c.share.closing--
	b.update(c.share)
	if next != nil && next.waiters.n < next.dialing {
		next.dialing--
		b.update(next)
		next = nil
	}
	if next == nil {
		next = b.take()
	}
	if next == nil {
		b.vacate()
		b.mu.Unlock()
		return
	}
	gen := next.gen
	b.settle() // c's project may have been kept below PerTenant by c
	b.mu.Unlock()
	b.open(next, gen)
}

// vacate frees a place.
func (b *Budget) vacate() {
	b.places--
	b.settle()
	if b.closed && b.places == 0 {
		close(b.drained)
	}
}

// open dials for s, for which a place and s.dialing are already counted.
func (b *Budget) open(s *share, gen uint64) {
	ctx, cancel := context.WithTimeout(b.ctx, b.o.WaitTimeout)
	link, err := b.dial(ctx, s.ref)
	cancel()
	now := b.o.Now()

	b.mu.Lock()
	defer b.mu.Unlock()
	s.dialing--
	if err != nil {
		b.failed++
		b.dialFailed(s, gen, err, now)
		return
	}
	b.opened++
	s.retryAt = time.Time{}
	c := &conn{share: s, link: link, gen: gen, openedAt: now}
	if b.closed || gen != s.gen {
		b.retire(c)
	} else {
		b.place(c, now)
	}
	b.settle()
}

// dialFailed decides about the waiters when a dial failed. If the project has
// no connection and no other dial under way, all of them fail: a dead database
// answers none of them, and making each wait for its own dial would only take
// places from others. The next request tries again, so recovery needs nothing.
// If it has connections, the waiters go on waiting for those. A dial from before
// a Forget says nothing about the database as it is now.
func (b *Budget) dialFailed(s *share, gen uint64, err error, now time.Time) {
	switch {
	case gen != s.gen:
	case s.held() > 0:
		s.retryAt = now.Add(retryAfter)
	default:
		s.retryAt = time.Time{}
		f := dialFault(s.ref, err)
		for s.waiters.n > 0 {
			s.waiters.grant(s.waiters.first, grant{err: f})
		}
	}
	b.update(s)
	b.vacate()
}

// dialFault is what waiters are told of a failed dial: the dialer's own refusal
// where it says that the request may be repeated, else that the database is
// unavailable.
func dialFault(ref tenants.Ref, err error) *fault.Error {
	err = fmt.Errorf("connect to project %s: %w", ref, err)
	if f := fault.From(err); f.Kind == fault.Unavailable {
		return f.Because(err)
	}
	return ErrDatabaseUnavailable.Because(err)
}
