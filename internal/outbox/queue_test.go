package outbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reevehq/reeve/tenants"
)

var (
	a = project("a")
	b = project("b")
	c = project("c")
)

// enqueue marks the project, adds n rows and wakes d, as a flow does.
func enqueue(t *testing.T, d *Queue, o *memory, ref tenants.Ref, n int) {
	t.Helper()
	if err := d.Prepare(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	o.add(ref, n)
	d.Wake(ref)
}

func TestWakeDeliversImmediatelyAndOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		d := newQueue(o, p)
		defer run(t, d)()
		synctest.Wait()
		start := time.Now()
		enqueue(t, d, o, a, 25)
		d.Wake(a)
		synctest.Wait()
		if p.order() != strings.Repeat("a", 25) || o.states(a)["done"] != 25 || time.Since(start) != 0 {
			t.Fatal(p.order(), o.states(a), time.Since(start))
		}
		time.Sleep(time.Hour)
		if len(p.sent()) != 25 {
			t.Fatal("sent again", len(p.sent()))
		}
	})
}

func TestRestartDeliversRowsOfKilledProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		killed := newQueue(o, p)
		if err := killed.Prepare(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		o.add(a, 3) // committed, but the process is killed before Wake
		defer run(t, newQueue(o, p))()
		synctest.Wait()
		if o.states(a)["done"] != 3 {
			t.Fatal(o.states(a))
		}
	})
}

func TestKillBetweenDeliveryAndDoneRedeliversSameID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		killed := newQueue(o, p)
		o.with(func() { o.doneErr = errDown }) // further writes of the killed process have no effect
		stop := run(t, killed)
		synctest.Wait()
		enqueue(t, killed, o, a, 1)
		synctest.Wait()
		stop()
		o.with(func() { o.doneErr = nil })
		defer run(t, newQueue(o, p))()
		time.Sleep(killed.Lease - time.Second)
		if len(p.sent()) != 1 {
			t.Fatal("taken before the lease ended")
		}
		time.Sleep(30 * time.Second)
		ids := p.sent()
		if len(ids) != 2 || ids[0] != ids[1] || o.states(a)["done"] != 1 {
			t.Fatal(ids, o.states(a))
		}
	})
}

func TestFailedDoneDoesNotDeliverTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		d := newQueue(o, p)
		o.with(func() { o.doneErr = errDown })
		defer run(t, d)()
		synctest.Wait()
		enqueue(t, d, o, a, 2)
		time.Sleep(5 * time.Minute)
		o.with(func() { o.doneErr = nil })
		time.Sleep(5 * time.Minute)
		if len(p.sent()) != 2 || o.states(a)["done"] != 2 {
			t.Fatal(len(p.sent()), o.states(a))
		}
	})
}

func TestProjectsTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		d := newQueue(o, p)
		d.Workers = 1
		for ref, n := range map[tenants.Ref]int{a: 32, b: 12, c: 3} {
			if err := d.Prepare(t.Context(), ref); err != nil {
				t.Fatal(err)
			}
			o.add(ref, n)
		}
		defer run(t, d)()
		synctest.Wait()
		s := strings.Repeat
		want := s("a", 10) + s("b", 10) + s("c", 3) + s("a", 10) + s("b", 2) + s("a", 12)
		if p.order() != want {
			t.Fatalf("\n%s\n%s", p.order(), want)
		}
	})
}

func TestProjectHasOneTurnAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		var at, together counter
		p.act = func(_ context.Context, ref tenants.Ref) error {
			if at.add(ref, 1) > 1 {
				together.add(ref, 1)
			}
			time.Sleep(time.Second)
			at.add(ref, -1)
			return nil
		}
		d := newQueue(o, p)
		defer run(t, d)()
		synctest.Wait()
		for range 20 {
			enqueue(t, d, o, a, 1)
			time.Sleep(300 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		if together.get(a) != 0 || o.states(a)["done"] != 20 {
			t.Fatal(together.get(a), o.states(a))
		}
	})
}

func TestSlowProjectsLeaveWorkersForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		quick := project("q")
		p.act = func(ctx context.Context, ref tenants.Ref) error {
			if ref != quick {
				time.Sleep(25 * time.Second)
			}
			return nil
		}
		d := newQueue(o, p)
		d.Workers = 4
		defer run(t, d)()
		synctest.Wait()
		for _, l := range "abcdefgh" {
			enqueue(t, d, o, project(string(l)), 100)
		}
		time.Sleep(5 * time.Minute) // enough for each to be known as slow
		for range 50 {
			start := time.Now()
			enqueue(t, d, o, quick, 1)
			synctest.Wait()
			if n := o.states(quick)["pending"]; n != 0 {
				t.Fatalf("%d waiting after %v", n, time.Since(start))
			}
			time.Sleep(7 * time.Second)
		}
		for _, l := range "abcdefgh" {
			if o.states(project(string(l)))["done"] == 0 {
				t.Errorf("%c got no turn", l)
			}
		}
	})
}

// Servers that are slow only in some turns do not delay other projects either.
func TestOccasionallySlowProjectsLeaveWorkersForOthers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ projects, every int }{
		"every other turn, many projects": {projects: 100, every: 2},
		"one turn of seven":               {projects: 20, every: 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o, p := newMemory(), &recorder{}
				quick := project("q")
				var turns counter
				p.act = func(_ context.Context, ref tenants.Ref) error {
					if ref != quick && turns.add(ref, 1)%c.every == 0 {
						time.Sleep(29 * time.Second)
					}
					return nil
				}
				d := newQueue(o, p)
				d.Workers, d.Batch = 4, 1
				defer run(t, d)()
				synctest.Wait()
				var others []tenants.Ref
				for i := range c.projects {
					others = append(others, tenants.Ref(fmt.Sprintf("%0*d", tenants.RefLength, i)))
					enqueue(t, d, o, others[i], 100)
				}
				time.Sleep(30 * time.Minute) // enough for each to be known as slow
				for range 400 {
					start := time.Now()
					enqueue(t, d, o, quick, 1)
					synctest.Wait()
					if n := o.states(quick)["pending"]; n != 0 {
						t.Fatalf("%d waiting after %v", n, time.Since(start))
					}
					time.Sleep(7 * time.Second)
				}
				for _, ref := range others {
					if o.states(ref)["done"] < 4 {
						t.Errorf("%s got no turn", ref)
					}
				}
			})
		})
	}
}

// Servers that are not yet known to be slow occupy workers for longTurn only, not
// for the whole turn.
func TestLongFirstTurnsFreeTheirWorkers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		quick := project("q")
		p.act = func(_ context.Context, ref tenants.Ref) error {
			if ref != quick {
				time.Sleep(29 * time.Second)
			}
			return nil
		}
		d := newQueue(o, p)
		d.Workers, d.Batch = 4, 1
		defer run(t, d)()
		synctest.Wait()
		for i := range 40 {
			enqueue(t, d, o, tenants.Ref(fmt.Sprintf("%0*d", tenants.RefLength, i)), 1)
		}
		enqueue(t, d, o, quick, 1)
		time.Sleep(40 / 4 * longTurn)
		synctest.Wait()
		if n := o.states(quick)["pending"]; n != 0 {
			t.Error("a quick project still waits for ten rounds of slow ones")
		}
		time.Sleep(time.Minute)
		for i := range 40 {
			if ref := tenants.Ref(fmt.Sprintf("%0*d", tenants.RefLength, i)); o.states(ref)["done"] != 1 {
				t.Errorf("%s: %v", ref, o.states(ref))
			}
		}
	})
}

func TestScheduleEvictsIdleProjects(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newSchedule(8)
	for i := range 300 {
		ref := tenants.Ref(fmt.Sprint(i))
		s.push(ref, now)
		if got, ok := s.next(); !ok || got != ref {
			t.Fatal(got, ok)
		}
		s.finish(outcome{ref: ref, slow: i%3 == 0, failed: i%3 == 1}, now)
	}
	if len(s.slots) != 200 { // projects that are neither slow nor cooling down are removed at once
		t.Fatal(len(s.slots))
	}
	s.push("0", now)
	if s.evictIdle(now.Add(slotIdle - time.Second)); len(s.slots) != 200 {
		t.Fatal(len(s.slots))
	}
	if s.evictIdle(now.Add(slotIdle)); len(s.slots) != 1 {
		t.Fatal(len(s.slots))
	}
	if len(s.slow) != 1 || len(s.queue) != 0 {
		t.Fatal("the slow project is not among the slow ones")
	}
	for turn := range fastTurns {
		now = now.Add(slowFor / fastTurns)
		if _, ok := s.next(); !ok || s.slowActive != 1 {
			t.Fatalf("turn %d: %v, %d slow ones", turn, ok, s.slowActive)
		}
		s.finish(outcome{ref: "0", more: turn < fastTurns-1}, now)
	}
	if len(s.slots) != 0 { // it had enough fast turns, and slowFor has passed
		t.Fatal(len(s.slots))
	}
}

func TestUnreachableServerCoolsDownAndRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		var tries counter
		start := time.Now()
		p.act = func(_ context.Context, ref tenants.Ref) error {
			if ref == a && time.Since(start) < 10*time.Minute {
				tries.add(a, 1)
				return errors.New("connection refused")
			}
			return nil
		}
		d := newQueue(o, p)
		defer run(t, d)()
		synctest.Wait()
		enqueue(t, d, o, a, 100)
		enqueue(t, d, o, b, 100)
		synctest.Wait()
		if tries.get(a) != 1 || o.states(b)["done"] != 100 {
			t.Fatalf("%d tries, %v", tries.get(a), o.states(b))
		}
		time.Sleep(10 * time.Minute)
		if tries.get(a) > 20 {
			t.Errorf("%d tries in ten minutes", tries.get(a))
		}
		time.Sleep(time.Hour + time.Minute)
		if o.states(a)["done"] != 100 {
			t.Fatal(o.states(a))
		}
	})
}

func TestRefusedIsDeadAndDeferredIsRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		var tries counter
		p.act = func(_ context.Context, ref tenants.Ref) error {
			n := tries.add(ref, 1)
			switch {
			case ref == a:
				return Refused(errors.New("550 no such\r\nuser\x00"))
			case ref == b && n <= 3:
				return Deferred(errors.New("451 later"))
			case ref == c && n == 1:
				panic("sender is broken")
			}
			return nil
		}
		d := newQueue(o, p)
		defer run(t, d)()
		synctest.Wait()
		for _, ref := range []tenants.Ref{a, b, c} {
			enqueue(t, d, o, ref, 2)
		}
		synctest.Wait()
		if o.states(a)["dead"] != 2 || o.row(a).reason != "550 no such user" {
			t.Error(o.states(a), o.row(a).reason)
		}
		if tries.get(b) != 2 { // a deferred message does not delay the next one
			t.Error(tries.get(b))
		}
		time.Sleep(10 * time.Minute)
		if o.states(b)["done"] != 2 || o.states(c)["done"] != 2 || tries.get(a) != 2 {
			t.Error(o.states(b), o.states(c), tries.get(a))
		}
	})
}

// Rows that were not tried during an outage have no attempt counted. They are
// delivered soon after the sender works again, or given up at the age of GiveUp.
func TestOutageCostsNoAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		var down atomic.Bool
		down.Store(true)
		d := newQueue(o, p)
		p.open = func(ref tenants.Ref) error {
			if down.Load() && ref != b {
				return errDown
			}
			return nil
		}
		p.act = func(_ context.Context, ref tenants.Ref) error {
			if down.Load() && ref == b {
				return errDown // the server cannot be reached
			}
			return nil
		}
		defer run(t, d)()
		synctest.Wait()
		enqueue(t, d, o, a, 30)
		enqueue(t, d, o, b, 10)
		synctest.Wait()
		if got := o.attempts(b); got != 1 {
			t.Errorf("%d attempts of a batch of which one message was tried", got)
		}
		time.Sleep(3 * time.Hour)
		if got := o.attempts(a); got != 0 || o.states(a)["pending"] != 30 {
			t.Errorf("%d attempts without a sender, %v", got, o.states(a))
		}
		down.Store(false)
		time.Sleep(maxCooldown + 2*d.SweepEvery)
		if o.states(a)["done"] != 30 {
			t.Error(o.states(a))
		}
		down.Store(true)
		enqueue(t, d, o, c, 2)
		time.Sleep(23 * time.Hour)
		if o.states(c)["pending"] != 2 {
			t.Error(o.states(c))
		}
		time.Sleep(2 * time.Hour)
		if o.states(c)["dead"] != 2 {
			t.Error(o.states(c))
		}
	})
}

func TestGivesUpAfterADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		p.act = func(context.Context, tenants.Ref) error { return Deferred(errors.New("451 later")) }
		d := newQueue(o, p)
		defer run(t, d)()
		synctest.Wait()
		enqueue(t, d, o, a, 1)
		time.Sleep(23 * time.Hour)
		if o.states(a)["pending"] != 1 {
			t.Fatal(o.states(a))
		}
		time.Sleep(3 * time.Hour)
		if o.states(a)["dead"] != 1 || o.row(a).Attempts < 20 || o.marked(a) {
			t.Fatal(o.states(a), o.row(a).Attempts, o.marked(a))
		}
	})
}

func TestStopCompletesRunningDelivery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		p.act = func(context.Context, tenants.Ref) error { time.Sleep(3 * time.Second); return nil }
		d := newQueue(o, p)
		stop := run(t, d)
		synctest.Wait()
		enqueue(t, d, o, a, 5)
		time.Sleep(4 * time.Second) // during the second delivery
		start := time.Now()
		stop()
		if got := o.states(a); got["done"] != 2 || got["pending"] != 3 || time.Since(start) != 2*time.Second {
			t.Fatal(got, time.Since(start))
		}
		// The next process can claim the rest at once, without waiting for a lease.
		next := &recorder{}
		defer run(t, newQueue(o, next))()
		synctest.Wait()
		if o.states(a)["done"] != 5 || len(next.sent()) != 3 {
			t.Fatal(o.states(a), len(next.sent()))
		}
	})
}

func TestStopIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		p.act = func(ctx context.Context, _ tenants.Ref) error { <-ctx.Done(); return ctx.Err() }
		d := newQueue(o, p)
		stop := run(t, d)
		synctest.Wait()
		enqueue(t, d, o, a, 3)
		synctest.Wait()
		start := time.Now()
		stop()
		if time.Since(start) != d.StopGrace || o.states(a)["pending"] != 3 || o.row(a).Attempts != 0 {
			t.Fatal(time.Since(start), o.states(a), o.row(a).Attempts)
		}
	})
}

func TestMarksAreRemovedWhenNoRowIsPending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		d := newQueue(o, p)
		defer run(t, d)()
		synctest.Wait()
		enqueue(t, d, o, a, 1)
		o.with(func() { o.marks[b], o.gone[b] = time.Now(), true }) // the project was deleted
		time.Sleep(100 * time.Second)
		if !o.marked(a) || o.marked(b) {
			t.Fatal(o.marked(a), o.marked(b))
		}
		time.Sleep(time.Minute)
		if o.marked(a) {
			t.Fatal("still marked")
		}
		before := o.claimed(a)
		time.Sleep(time.Hour)
		if o.claimed(a) != before {
			t.Fatal("an idle project is queried")
		}
	})
}

func TestPrepareMarksRarely(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newMemory()
		d := newQueue(o, &recorder{})
		for range 600 { // ten calls per second for a minute
			if err := d.Prepare(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if o.markings != 2 {
			t.Fatal(o.markings)
		}
		if err := d.Prepare(t.Context(), b); err != nil || !o.marked(b) {
			t.Fatal("the cache entry of one project was used for another", err)
		}
		o.markErr = errDown
		if err := d.Prepare(t.Context(), c); !errors.Is(err, errDown) {
			t.Fatal(err)
		}
	})
}

func TestWakeWithoutRunKeepsNothing(t *testing.T) {
	t.Parallel()
	d := newQueue(newMemory(), &recorder{})
	d.Wake(a)
	if len(d.woken) != 0 {
		t.Fatal(d.woken)
	}
}

func TestRunRefusesASecondOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newQueue(newMemory(), &recorder{})
		defer run(t, d)()
		synctest.Wait()
		if err := d.Run(t.Context()); !errors.Is(err, errRunning) {
			t.Fatal(err)
		}
	})
}

func TestFailedOpenLosesNoRow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		d := newQueue(o, p)
		start := time.Now()
		p.open = func(tenants.Ref) error {
			if time.Since(start) < time.Minute {
				return errDown
			}
			return nil
		}
		defer run(t, d)()
		synctest.Wait()
		enqueue(t, d, o, a, 15)
		time.Sleep(10 * time.Minute)
		if o.states(a)["done"] != 15 {
			t.Fatal(o.states(a))
		}
	})
}

// TestShortRetryDelay: a row whose kind asks for it is tried again long before the
// next sweep, and soon enough for a code that lives a minute.
func TestShortRetryDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &recorder{}
		var at []time.Duration
		start := time.Now()
		p.act = func(context.Context, tenants.Ref) error {
			at = append(at, time.Since(start))
			if len(at) < 5 {
				return Deferred(errDown)
			}
			return nil
		}
		d := newQueue(o, p)
		d.RetryAfter = 2 * time.Second
		defer run(t, d)()
		synctest.Wait()
		enqueue(t, d, o, a, 1)
		time.Sleep(time.Minute)
		if o.states(a)["done"] != 1 || len(at) != 5 {
			t.Fatal(o.states(a), at)
		}
		// Each delay is within its 20 %: no attempt waited for a sweep.
		due := time.Duration(0)
		for i, tried := range at[1:] {
			due = at[i] + time.Duration(2<<i)*time.Second
			if tried < due-due/5 || tried > due+due/5+time.Second {
				t.Errorf("attempt %d after %v, want about %v", i+2, tried, due)
			}
		}
	})
}

func TestRetryDelayGrowsToAnHour(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]time.Duration{0: 10 * time.Second, 1: 20 * time.Second, 5: 320 * time.Second, 9: time.Hour, 1000: time.Hour, -1: 10 * time.Second} {
		for range 100 {
			if got := retryDelay(minRetryDelay, n); got < want*4/5 || got > want*6/5 || got > time.Hour {
				t.Fatalf("%d: %v, want about %v", n, got, want)
			}
		}
	}
}
