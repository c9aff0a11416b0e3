package pool

import (
	"context"
	"fmt"
	"time"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// replace closes c and, once the server has ended it, opens a connection for
// next in its place. If next does not need it any more, the place goes to
// another project in demand, or becomes free.
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
		next = b.reserve()
	}
	if next == nil {
		b.freePlace()
		b.mu.Unlock()
		return
	}
	gen := next.gen
	b.assignPlaces() // c's project may have been kept below PerTenant by c
	b.mu.Unlock()
	b.open(next, gen)
}

// freePlace returns a place to the budget.
func (b *Budget) freePlace() {
	b.places--
	b.assignPlaces()
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
		b.discard(c)
	} else {
		b.reuse(c, now)
	}
	b.assignPlaces()
}

// dialFailed decides about the waiters after a failed dial. If the project has
// no connection and no other dial under way, all of them fail: a dead database
// answers none of them, and a dial for each would only take places from other
// projects. The next request dials again, so recovery needs no further code. If
// the project has connections, the waiters wait for those. A dial that began
// before a Forget says nothing about the database as it is now.
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
	b.freePlace()
}

// dialFault is the error that waiters get for a failed dial: the dialer's own
// fault if it says that the request may be repeated, else
// ErrDatabaseUnavailable.
func dialFault(ref tenants.Ref, err error) *fault.Error {
	err = fmt.Errorf("connect to project %s: %w", ref, err)
	if f := fault.From(err); f.Kind == fault.Unavailable {
		return f.Because(err)
	}
	return ErrDatabaseUnavailable.Because(err)
}
