package outbox

import (
	"time"

	"github.com/reevehq/reeve/tenants"
)

const (
	// A project that had a slow turn counts as slow for slowFor, and until it had
	// fastTurns others since. Neither would do alone: fast turns are soon had, and
	// where many slow projects wait for each other, so is the time.
	slowFor   = 10 * time.Minute
	fastTurns = 5

	// slotIdle is how long a project is remembered that is not pushed any more.
	// It is not shorter than slowFor, and far longer than a sweep or a coolDown.
	slotIdle = slowFor
)

// schedule is the round-robin queue of projects. A project is in it once,
// however often it is pushed, and is not handed out while it is being worked.
// Projects that are known to be slow wait in a queue of their own, which gets
// slowLimit workers at most. It belongs to one goroutine.
type schedule struct {
	slots      map[tenants.Ref]*slot
	queue      []tenants.Ref
	slow       []tenants.Ref
	slowLimit  int
	slowActive int
}

// slot is what is known of a project that waits, is worked, or cools down.
type slot struct {
	queued, working bool
	again           bool      // pushed while working
	long            bool      // its current turn holds no worker any more
	countedSlow     bool      // its current turn counts against slowLimit
	slowUntil       time.Time // slow until then at least
	toProve         int       // fast turns that it must have before it is not slow
	finished        time.Time // when its last turn ended
	failures        int       // turns in a row that found its receiver unreachable
	notBefore       time.Time // cooling down until then
}

// outcome is what a turn reports.
type outcome struct {
	ref    tenants.Ref
	more   bool // there may be more rows that are due
	failed bool // its receiver or its database could not be reached
	idle   bool // nothing was tried, so nothing new is known of its receiver
	slow   bool // it held its worker for long, whatever came of it
}

// slow tells whether the project must not take a worker of the others.
func (p *slot) slow(now time.Time) bool { return p.toProve > 0 || now.Before(p.slowUntil) }

func newSchedule(workers int) *schedule {
	return &schedule{slots: map[tenants.Ref]*slot{}, slowLimit: max(1, workers/2)}
}

// push puts the project at the end of its queue, unless it waits already or
// cools down.
func (s *schedule) push(ref tenants.Ref, now time.Time) {
	p := s.slots[ref]
	if p == nil {
		p = &slot{}
		s.slots[ref] = p
	}
	switch {
	case p.working:
		p.again = true
	case p.queued || now.Before(p.notBefore):
	case p.slow(now):
		p.queued = true
		s.slow = append(s.slow, ref)
	default:
		p.queued = true
		s.queue = append(s.queue, ref)
	}
}

// next takes the project that has waited longest to be worked.
func (s *schedule) next() (tenants.Ref, bool) {
	q := &s.queue
	if len(s.slow) > 0 && s.slowActive < s.slowLimit {
		q = &s.slow
		s.slowActive++
	}
	if len(*q) == 0 {
		return "", false
	}
	ref := (*q)[0]
	*q = (*q)[1:]
	p := s.slots[ref]
	p.queued, p.working, p.countedSlow = false, true, q == &s.slow
	return ref, true
}

// takesLong notes that a project's turn holds no worker any more; false if it
// counts as slow already, or has ended.
func (s *schedule) takesLong(ref tenants.Ref) bool {
	p := s.slots[ref]
	if p == nil || !p.working || p.countedSlow {
		return false
	}
	p.long = true
	return true
}

// finish ends a project's turn. One that failed is left alone for a while,
// longer each time; one with more to do goes to the end of the queue; one with
// nothing to do is forgotten, unless it is slow.
func (s *schedule) finish(o outcome, now time.Time) {
	p := s.slots[o.ref]
	if p.countedSlow {
		s.slowActive--
	}
	p.long = false
	again := o.more || p.again
	p.working, p.again, p.finished = false, false, now
	switch {
	case o.slow:
		p.slowUntil, p.toProve = now.Add(slowFor), fastTurns
	case !o.idle && !o.failed:
		p.toProve = max(0, p.toProve-1)
	}
	switch {
	case o.failed:
		p.notBefore = now.Add(coolDown(p.failures))
		p.failures++
		return // the next sweep brings it back
	case !o.idle:
		p.failures = 0
	}
	if again {
		s.push(o.ref, now)
	} else if p.failures == 0 && !p.slow(now) {
		delete(s.slots, o.ref)
	}
}

// forget drops the projects that finish kept and nobody pushed since: each sweep
// pushes those with something to do.
func (s *schedule) forget(now time.Time) {
	for ref, p := range s.slots {
		if !p.queued && !p.working && now.Sub(p.finished) >= slotIdle {
			delete(s.slots, ref)
		}
	}
}
