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

// prepared marks the project, adds n rows and wakes d, as a flow does.
func prepared(t *testing.T, d *Queue, o *memory, ref tenants.Ref, n int) {
	t.Helper()
	if err := d.Prepare(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	o.add(ref, n)
	d.Wake(ref)
}

func TestWakeDeliversAtOnceAndOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &postbox{}
		d := newQueue(o, p)
		defer run(t, d)()
		synctest.Wait()
		start := time.Now()
		prepared(t, d, o, a, 25)
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

func TestRestartFindsWhatAKilledProcessLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &postbox{}
		killed := newQueue(o, p)
		if err := killed.Prepare(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		o.add(a, 3) // committed, and killed before Wake
		defer run(t, newQueue(o, p))()
		synctest.Wait()
		if o.states(a)["done"] != 3 {
			t.Fatal(o.states(a))
		}
	})
}

func TestKilledBetweenDeliveryAndDoneDeliversTheSameIDAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &postbox{}
		killed := newQueue(o, p)
		o.with(func() { o.doneErr = errDown }) // what the process does from here on has no effect
		stop := run(t, killed)
		synctest.Wait()
		prepared(t, killed, o, a, 1)
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

func TestDoneFailingDoesNotSendTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &postbox{}
		d := newQueue(o, p)
		o.with(func() { o.doneErr = errDown })
		defer run(t, d)()
		synctest.Wait()
		prepared(t, d, o, a, 2)
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
		o, p := newMemory(), &postbox{}
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

func TestAProjectIsWorkedByOneGoroutine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &postbox{}
		var at, together tally
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
			prepared(t, d, o, a, 1)
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
		o, p := newMemory(), &postbox{}
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
			prepared(t, d, o, project(string(l)), 100)
		}
		time.Sleep(5 * time.Minute) // by now each is known as slow
		for range 50 {
			start := time.Now()
			prepared(t, d, o, quick, 1)
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

// A server that is slow now and then holds up the others as little as one that
// always is, whether its fast turns are few or many.
func TestProjectsThatAreSlowNowAndThenLeaveWorkersForOthers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ projects, every int }{
		"every other turn, many projects": {projects: 100, every: 2},
		"one turn of seven":               {projects: 20, every: 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o, p := newMemory(), &postbox{}
				quick := project("q")
				var turns tally
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
					prepared(t, d, o, others[i], 100)
				}
				time.Sleep(30 * time.Minute) // by now each is known as slow
				for range 400 {
					start := time.Now()
					prepared(t, d, o, quick, 1)
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

// Servers that nobody knows to be slow yet hold the workers for two seconds, not
// for as long as they take.
func TestLongFirstTurnsLeaveTheirWorkers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &postbox{}
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
			prepared(t, d, o, tenants.Ref(fmt.Sprintf("%0*d", tenants.RefLength, i)), 1)
		}
		prepared(t, d, o, quick, 1)
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

func TestScheduleForgetsWhomNobodyAsksFor(t *testing.T) {
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
	if len(s.slots) != 200 { // what is neither slow nor cooling down is forgotten at once
		t.Fatal(len(s.slots))
	}
	s.push("0", now)
	if s.forget(now.Add(slotIdle - time.Second)); len(s.slots) != 200 {
		t.Fatal(len(s.slots))
	}
	if s.forget(now.Add(slotIdle)); len(s.slots) != 1 {
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
	if len(s.slots) != 0 { // it had fast turns, and its time is over
		t.Fatal(len(s.slots))
	}
}

func TestUnreachableServerIsLeftAloneAndComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &postbox{}
		var tries tally
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
		prepared(t, d, o, a, 100)
		prepared(t, d, o, b, 100)
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

func TestRefusedIsDeadAndDeferredIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &postbox{}
		var tries tally
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
			prepared(t, d, o, ref, 2)
		}
		synctest.Wait()
		if o.states(a)["dead"] != 2 || o.row(a).reason != "550 no such user" {
			t.Error(o.states(a), o.row(a).reason)
		}
		if tries.get(b) != 2 { // one message being deferred does not hold up the next
			t.Error(tries.get(b))
		}
		time.Sleep(10 * time.Minute)
		if o.states(b)["done"] != 2 || o.states(c)["done"] != 2 || tries.get(a) != 2 {
			t.Error(o.states(b), o.states(c), tries.get(a))
		}
	})
}

// What was never tried has lost no attempt: it goes out as soon as the sender is
// there again, and is given up when it is too old.
func TestOutageCostsNoAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &postbox{}
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
				return errDown // as a server that cannot be reached
			}
			return nil
		}
		defer run(t, d)()
		synctest.Wait()
		prepared(t, d, o, a, 30)
		prepared(t, d, o, b, 10)
		synctest.Wait()
		if got := o.attempts(b); got != 1 {
			t.Errorf("%d attempts of a batch of which one message was tried", got)
		}
		time.Sleep(3 * time.Hour)
		if got := o.attempts(a); got != 0 || o.states(a)["pending"] != 30 {
			t.Errorf("%d attempts without a sender, %v", got, o.states(a))
		}
		down.Store(false)
		time.Sleep(lastCool + 2*d.SweepEvery)
		if o.states(a)["done"] != 30 {
			t.Error(o.states(a))
		}
		down.Store(true)
		prepared(t, d, o, c, 2)
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
		o, p := newMemory(), &postbox{}
		p.act = func(context.Context, tenants.Ref) error { return Deferred(errors.New("451 later")) }
		d := newQueue(o, p)
		defer run(t, d)()
		synctest.Wait()
		prepared(t, d, o, a, 1)
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

func TestStopFinishesWhatIsBeingSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &postbox{}
		p.act = func(context.Context, tenants.Ref) error { time.Sleep(3 * time.Second); return nil }
		d := newQueue(o, p)
		stop := run(t, d)
		synctest.Wait()
		prepared(t, d, o, a, 5)
		time.Sleep(4 * time.Second) // the second one is being sent
		start := time.Now()
		stop()
		if got := o.states(a); got["done"] != 2 || got["pending"] != 3 || time.Since(start) != 2*time.Second {
			t.Fatal(got, time.Since(start))
		}
		// The rest is due at once for the next process: no lease to wait for.
		next := &postbox{}
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
		o, p := newMemory(), &postbox{}
		p.act = func(ctx context.Context, _ tenants.Ref) error { <-ctx.Done(); return ctx.Err() }
		d := newQueue(o, p)
		stop := run(t, d)
		synctest.Wait()
		prepared(t, d, o, a, 3)
		synctest.Wait()
		start := time.Now()
		stop()
		if time.Since(start) != d.StopGrace || o.states(a)["pending"] != 3 || o.row(a).Attempts != 0 {
			t.Fatal(time.Since(start), o.states(a), o.row(a).Attempts)
		}
	})
}

func TestMarksAreTakenAwayWhenNothingIsPending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &postbox{}
		d := newQueue(o, p)
		defer run(t, d)()
		synctest.Wait()
		prepared(t, d, o, a, 1)
		o.with(func() { o.marks[b], o.gone[b] = time.Now(), true }) // deleted meanwhile
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
			t.Fatal("an idle project is looked at")
		}
	})
}

func TestPrepareMarksRarely(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newMemory()
		d := newQueue(o, &postbox{})
		for range 600 { // a minute of ten a second
			if err := d.Prepare(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if o.markings != 2 {
			t.Fatal(o.markings)
		}
		if err := d.Prepare(t.Context(), b); err != nil || !o.marked(b) {
			t.Fatal("one project's memo served another", err)
		}
		o.markErr = errDown
		if err := d.Prepare(t.Context(), c); !errors.Is(err, errDown) {
			t.Fatal(err)
		}
	})
}

func TestWakeWithoutRunKeepsNothing(t *testing.T) {
	t.Parallel()
	d := newQueue(newMemory(), &postbox{})
	d.Wake(a)
	if len(d.woken) != 0 {
		t.Fatal(d.woken)
	}
}

func TestRunRefusesASecondOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newQueue(newMemory(), &postbox{})
		defer run(t, d)()
		synctest.Wait()
		if err := d.Run(t.Context()); !errors.Is(err, errRunning) {
			t.Fatal(err)
		}
	})
}

func TestConsumerThatDoesNotOpenLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, p := newMemory(), &postbox{}
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
		prepared(t, d, o, a, 15)
		time.Sleep(10 * time.Minute)
		if o.states(a)["done"] != 15 {
			t.Fatal(o.states(a))
		}
	})
}

func TestRetryDelayGrowsToAnHour(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]time.Duration{0: 10 * time.Second, 1: 20 * time.Second, 5: 320 * time.Second, 9: time.Hour, 1000: time.Hour, -1: 10 * time.Second} {
		for range 100 {
			if got := retryDelay(n); got < want*4/5 || got > want*6/5 || got > time.Hour {
				t.Fatalf("%d: %v, want about %v", n, got, want)
			}
		}
	}
}
