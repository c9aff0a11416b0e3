package outbox

import (
	"time"

	"github.com/reevehq/reeve/tenants"
)

const (
	// After a slow turn a project is slow until slowFor has passed and it has had
	// fastTurns turns that were not slow. Both are needed: a few fast turns pass
	// quickly, and slowFor passes while many slow projects wait for each other.
	slowFor   = 10 * time.Minute
	fastTurns = 5

	// slotIdle is the time after which the slot of a project that is not pushed
	// any more is removed. It is at least slowFor, and much longer than the
	// interval of sweeps and any cooldown.
	slotIdle = slowFor
)

// schedule is the round-robin queue of projects. A project is queued at most once,
// and next does not return a project while its turn is running. Slow projects wait
// in a separate queue, which gets at most slowLimit workers. A schedule is not safe
// for concurrent use.
type schedule struct {
	slots      map[tenants.Ref]*slot
	queue      []tenants.Ref
	slow       []tenants.Ref
	slowLimit  int
	slowActive int
}

// slot is the state of a project that is queued, running or cooling down.
type slot struct {
	queued, running bool
	pushedAgain     bool      // pushed while running
	detached        bool      // the current turn does not occupy a worker
	countedSlow     bool      // the current turn counts against slowLimit
	slowUntil       time.Time // slow at least until then
	fastTurnsNeeded int       // further fast turns before it stops being slow
	finishedAt      time.Time // end of the last turn
	failures        int       // consecutive turns that could not reach the receiver
	notBefore       time.Time // end of the cooldown
}

// outcome is what a turn reports.
type outcome struct {
	ref    tenants.Ref
	more   bool // more rows may be due
	failed bool // the receiver or the project's database could not be reached
	idle   bool // no delivery was tried, so the receiver's state is unknown
	slow   bool // the turn took slowTurn or longer
}

// slow reports whether the project belongs into the slow queue.
func (p *slot) slow(now time.Time) bool { return p.fastTurnsNeeded > 0 || now.Before(p.slowUntil) }

func newSchedule(workers int) *schedule {
	return &schedule{slots: map[tenants.Ref]*slot{}, slowLimit: max(1, workers/2)}
}

// push appends the project to its queue, unless it is queued or cooling down.
func (s *schedule) push(ref tenants.Ref, now time.Time) {
	p := s.slots[ref]
	if p == nil {
		p = &slot{}
		s.slots[ref] = p
	}
	switch {
	case p.running:
		p.pushedAgain = true
	case p.queued || now.Before(p.notBefore):
	case p.slow(now):
		p.queued = true
		s.slow = append(s.slow, ref)
	default:
		p.queued = true
		s.queue = append(s.queue, ref)
	}
}

// next removes and returns the project that has waited longest, slow projects
// first while they have workers left.
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
	p.queued, p.running, p.countedSlow = false, true, q == &s.slow
	return ref, true
}

// detach records that a project's turn does not occupy a worker any more. It
// returns false if the turn already counts as slow or has ended.
func (s *schedule) detach(ref tenants.Ref) bool {
	p := s.slots[ref]
	if p == nil || !p.running || p.countedSlow {
		return false
	}
	p.detached = true
	return true
}

// finish ends a project's turn. A failed project cools down, longer after each
// failure. A project with more rows goes to the end of the queue. A project without
// rows is removed, unless it is slow.
func (s *schedule) finish(o outcome, now time.Time) {
	p := s.slots[o.ref]
	if p.countedSlow {
		s.slowActive--
	}
	p.detached = false
	again := o.more || p.pushedAgain
	p.running, p.pushedAgain, p.finishedAt = false, false, now
	switch {
	case o.slow:
		p.slowUntil, p.fastTurnsNeeded = now.Add(slowFor), fastTurns
	case !o.idle && !o.failed:
		p.fastTurnsNeeded = max(0, p.fastTurnsNeeded-1)
	}
	switch {
	case o.failed:
		p.notBefore = now.Add(cooldown(p.failures))
		p.failures++
		return // the next sweep pushes it again
	case !o.idle:
		p.failures = 0
	}
	if again {
		s.push(o.ref, now)
	} else if p.failures == 0 && !p.slow(now) {
		delete(s.slots, o.ref)
	}
}

// evictIdle removes the slots that finish kept and that were not pushed for
// slotIdle. Each sweep pushes the projects that have rows.
func (s *schedule) evictIdle(now time.Time) {
	for ref, p := range s.slots {
		if !p.queued && !p.running && now.Sub(p.finishedAt) >= slotIdle {
			delete(s.slots, ref)
		}
	}
}
