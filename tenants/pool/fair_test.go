package pool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/reevehq/reeve/tenants"
)

// load keeps n requests of ref going until stop is closed; each holds its
// connection for work. It counts what was served.
func load(t *testing.T, wg *sync.WaitGroup, b *Budget, ref tenants.Ref, n int, work time.Duration, stop <-chan struct{}) *atomic.Int64 {
	served := new(atomic.Int64)
	for range n {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				c, err := b.Acquire(t.Context(), ref)
				if err != nil {
					t.Errorf("%s: %v", ref, err)
					return
				}
				time.Sleep(work)
				served.Add(1)
				c.Release()
			}
		})
	}
	return served
}

func TestBudgetFairness(t *testing.T) {
	t.Parallel()
	t.Run("loud_project_does_not_delay_a_quiet_one", func(t *testing.T) {
		t.Parallel()
		o := Options{Total: 4, PerTenant: 4, WaitTimeout: time.Hour}
		inBubble(t, o, func(t *testing.T, b *Budget, f *fakeServer) {
			f.dialTime, f.closeTime = time.Millisecond, time.Millisecond
			var wg sync.WaitGroup
			stop := make(chan struct{})
			loud := load(t, &wg, b, refA, 1000, 10*time.Millisecond, stop)
			time.Sleep(time.Second)
			for range 20 {
				before := loud.Load()
				c := mustAcquire(t, b, refB)
				// The next release of the loud project hands its place over; during the
				// close and the dial its other three connections release once more at most.
				if n := loud.Load() - before; n > 4 {
					t.Errorf("%d requests of the loud project came first", n)
				}
				c.Release()
				time.Sleep(25 * time.Millisecond)
			}
			if st := b.TenantStats(refA); st.Waiting < 900 {
				t.Errorf("not loud: %+v", st)
			}
			close(stop)
			wg.Wait()
		})
	})
	t.Run("places_are_shared_out_evenly", func(t *testing.T) {
		t.Parallel()
		o := Options{Total: 12, PerTenant: 12, WaitTimeout: time.Hour}
		inBubble(t, o, func(t *testing.T, b *Budget, _ *fakeServer) {
			var wg sync.WaitGroup
			stop := make(chan struct{})
			load(t, &wg, b, refA, 500, time.Millisecond, stop)
			time.Sleep(time.Second)
			if n := b.TenantStats(refA).InUse; n != 12 {
				t.Errorf("alone it holds %d", n)
			}
			load(t, &wg, b, refB, 50, time.Millisecond, stop)
			load(t, &wg, b, refC, 1, time.Millisecond, stop)
			time.Sleep(time.Second)
			evicted := b.Stats().Evicted
			time.Sleep(time.Second)
			// C can use one; the others share the rest, and all keep what they have.
			x, y, z := b.TenantStats(refA).Open, b.TenantStats(refB).Open, b.TenantStats(refC).Open
			if x+y != 11 || x < 5 || y < 5 || z != 1 {
				t.Errorf("A %d, B %d, C %d", x, y, z)
			}
			if n := b.Stats().Evicted - evicted; n > 100 {
				t.Errorf("%d reconnects in a second", n)
			}
			close(stop)
			wg.Wait()
		})
	})
	t.Run("more_busy_projects_than_places", func(t *testing.T) {
		t.Parallel()
		o := Options{Total: 10, PerTenant: 5, WaitTimeout: time.Hour}
		inBubble(t, o, func(t *testing.T, b *Budget, f *fakeServer) {
			var wg sync.WaitGroup
			stop := make(chan struct{})
			var served []*atomic.Int64
			for i := range 20 {
				served = append(served, load(t, &wg, b, testRef(i), 1+i%7*10, time.Millisecond, stop))
			}
			time.Sleep(20 * time.Second)
			close(stop)
			var least, most, sum int64 = 1 << 60, 0, 0
			for _, n := range served {
				v := n.Load()
				least, most, sum = min(least, v), max(most, v), sum+v
			}
			if least < 100 || most > 4*sum/20 {
				t.Errorf("least %d, most %d, mean %d", least, most, sum/20)
			}
			if d := int64(f.dialed()); d*5 > sum {
				t.Errorf("%d dials for %d requests", d, sum)
			}
			wg.Wait()
		})
	})
	t.Run("single_place_goes_around", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{Total: 1, WaitTimeout: time.Hour}, func(t *testing.T, b *Budget, f *fakeServer) {
			var wg sync.WaitGroup
			stop := make(chan struct{})
			var served []*atomic.Int64
			for i := range 3 {
				served = append(served, load(t, &wg, b, testRef(i), 100, time.Millisecond, stop))
			}
			time.Sleep(5 * time.Second)
			close(stop)
			for i, n := range served {
				if n.Load() < 500 {
					t.Errorf("project %d: %d served", i, n.Load())
				}
			}
			wg.Wait()
		})
	})
}

// TestBudgetPlaces moves single places, one decision at a time.
func TestBudgetPlaces(t *testing.T) {
	t.Parallel()
	t.Run("freed_place_goes_to_who_holds_the_fewest", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{Total: 3}, func(t *testing.T, b *Budget, _ *fakeServer) {
			a, c1, c2 := mustAcquire(t, b, refA), mustAcquire(t, b, refC), mustAcquire(t, b, refC)
			var wg sync.WaitGroup
			wg.Go(func() { mustAcquire(t, b, refA).Release() }) // came first, but has one
			synctest.Wait()
			wg.Go(func() {
				c := mustAcquire(t, b, refB)
				if b.TenantStats(refA).Waiting != 1 {
					t.Error("the project that has one came first")
				}
				a.Release()
				c.Release()
			})
			synctest.Wait()
			c1.Release()
			wg.Wait()
			c2.Release()
		})
	})
	t.Run("idle_one_of_a_big_holder_has_no_grace", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{Total: 3}, func(t *testing.T, b *Budget, f *fakeServer) {
			a1, a2, a3 := mustAcquire(t, b, refA), mustAcquire(t, b, refA), mustAcquire(t, b, refA)
			a3.Release()
			start := time.Now()
			mustAcquire(t, b, refB).Release()
			if took := time.Since(start); took != f.closeTime+f.dialTime {
				t.Errorf("took %v", took)
			}
			a1.Release()
			a2.Release()
		})
	})
	t.Run("idle_one_of_a_small_holder_has_grace", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{Total: 1}, func(t *testing.T, b *Budget, f *fakeServer) {
			mustAcquire(t, b, refA).Release()
			start := time.Now()
			mustAcquire(t, b, refB).Release()
			if took := time.Since(start); took != grace+f.closeTime+f.dialTime {
				t.Errorf("took %v", took)
			}
		})
	})
	t.Run("place_nobody_needs_any_more_is_not_dialed_for", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{Total: 1}, func(t *testing.T, b *Budget, f *fakeServer) {
			f.closeTime = time.Second
			mustAcquire(t, b, refA).Release()
			time.Sleep(time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			if _, err := b.Acquire(ctx, refB); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			mustAcquire(t, b, refC).Release()
			if f.dialed() != 2 {
				t.Errorf("%d dials", f.dialed())
			}
		})
	})
}

// step is one step of TestBudgetProperties: a request, or an event such as a
// restart.
type step struct {
	After  time.Duration // since the step before
	Kind   string        // request, forget, down, up, restart
	Ref    tenants.Ref
	Work   time.Duration
	Giveup time.Duration // the request's context, none if zero
	Leave  string        // how it leaves the connection: clean, broken, tx
}

func drawSteps(rt *rapid.T) []step {
	ms := func(most int, name string) time.Duration {
		// Half milliseconds, so that steps also fall between the budget's
		// timers.
		return time.Duration(rapid.IntRange(0, 2*most).Draw(rt, name)) * 500 * time.Microsecond
	}
	kinds := []string{"request", "request", "request", "request", "request", "request", "request", "request", "forget", "down", "up", "restart"}
	n := rapid.IntRange(1, 120).Draw(rt, "steps")
	steps := make([]step, n)
	for i := range steps {
		steps[i] = step{
			After: ms(3, "after"),
			Kind:  rapid.SampledFrom(kinds).Draw(rt, "kind"),
			Ref:   testRef(rapid.IntRange(0, 4).Draw(rt, "ref")),
			Work:  ms(30, "work"),
			Leave: rapid.SampledFrom([]string{"clean", "clean", "clean", "clean", "broken", "tx"}).Draw(rt, "leave"),
		}
		if rapid.Bool().Draw(rt, "impatient") {
			steps[i].Giveup = ms(30, "giveup")
		}
	}
	return steps
}

func TestBudgetProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		total := rapid.IntRange(1, 6).Draw(rt, "total")
		o := Options{
			Total:       total,
			PerTenant:   rapid.IntRange(1, total).Draw(rt, "per_tenant"),
			IdleTTL:     time.Duration(rapid.IntRange(1, 50).Draw(rt, "idle_ttl")) * time.Millisecond,
			MaxLifetime: time.Duration(rapid.IntRange(1, 500).Draw(rt, "lifetime")) * time.Millisecond,
			WaitTimeout: time.Duration(rapid.IntRange(20, 500).Draw(rt, "wait")) * time.Millisecond,
			MaxWaiting:  rapid.IntRange(1, 20).Draw(rt, "max_waiting"),
		}
		steps := drawSteps(rt)
		var found problems
		synctest.Test(t, func(t *testing.T) { runSteps(t, o, steps, &found) })
		if len(found.list) > 0 {
			rt.Fatalf("%v", found.list)
		}
	})
}

type problems struct {
	mu   sync.Mutex
	list []string
}

// Errorf notes a problem; it is reported to rapid outside the bubble.
func (p *problems) Errorf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, fmt.Sprintf(format, args...))
}

func runSteps(t *testing.T, o Options, steps []step, p *problems) {
	f := newFakeServer()
	b := newBudget(f.dial, o)
	var wg sync.WaitGroup
	var outcomes atomic.Int64
	requests := int64(0)
	held := map[*fakeLink]bool{}
	var heldMu sync.Mutex
	for _, st := range steps {
		time.Sleep(st.After)
		switch st.Kind {
		case "request":
			requests++
			wg.Go(func() { doRequest(t, b, st, p, held, &heldMu); outcomes.Add(1) })
		case "forget":
			b.Forget(st.Ref)
		case "down":
			f.setDown(st.Ref, errors.New("connection refused"))
		case "up":
			f.setDown(st.Ref, nil)
		case "restart":
			b.mu.Lock()
			for c := b.idle.first; c != nil; c = c.next {
				c.link.(*fakeLink).set(func(l *fakeLink) { l.killed = true })
			}
			b.mu.Unlock()
		}
		synctest.Wait()
		checkCounts(p, b)
	}
	wg.Wait() // a lost waiter would stop the bubble's clock here, or time out against the next check
	if outcomes.Load() != requests {
		p.Errorf("%d requests, %d outcomes", requests, outcomes.Load())
	}
	// The longest that a dial, a close and an idle connection may last.
	time.Sleep(o.WaitTimeout + o.IdleTTL + time.Second)
	if st := b.Stats(); st.Open != 0 || st.Tenants != 0 || f.all != 0 {
		p.Errorf("left over: %+v, server has %d", st, f.all)
	}
	if err := b.Close(t.Context()); err != nil {
		p.Errorf("%v", err)
	}
	if f.most > o.Total {
		p.Errorf("%d connections, budget %d", f.most, o.Total)
	}
	for ref, n := range f.mostOf {
		if n > o.PerTenant {
			p.Errorf("%s had %d connections, limit %d", ref, n, o.PerTenant)
		}
	}
}

func doRequest(t *testing.T, b *Budget, st step, p *problems, held map[*fakeLink]bool, heldMu *sync.Mutex) {
	ctx := t.Context()
	if st.Giveup > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, st.Giveup)
		defer cancel()
	}
	start := time.Now()
	c, err := b.Acquire(ctx, st.Ref)
	if err != nil {
		known := errors.Is(err, ErrOverCapacity) || errors.Is(err, ErrDatabaseUnavailable) || (st.Giveup > 0 && ctx.Err() != nil && errors.Is(err, ctx.Err()))
		if waited := time.Since(start); !known || waited > b.o.WaitTimeout {
			p.Errorf("after %v: %v", waited, err)
		}
		return
	}
	l := linkOf(c)
	heldMu.Lock()
	if held[l] || l.ref != st.Ref || l.ended || !l.usable() {
		p.Errorf("%s got %+v, held %v", st.Ref, l.ref, held[l])
	}
	held[l] = true
	heldMu.Unlock()
	time.Sleep(st.Work)
	l.set(func(l *fakeLink) { l.isShut, l.inTx = st.Leave == "broken", st.Leave == "tx" })
	heldMu.Lock()
	delete(held, l)
	heldMu.Unlock()
	c.Release()
}

// TestBudgetRace runs goroutines against each other on the real clock, for the
// race detector.
func TestBudgetRace(t *testing.T) {
	t.Parallel()
	f := newFakeServer()
	f.dialTime, f.closeTime = 50*time.Microsecond, 20*time.Microsecond
	b := newBudget(f.dial, Options{Total: 5, PerTenant: 3, IdleTTL: time.Millisecond, WaitTimeout: time.Minute})
	var wg sync.WaitGroup
	for g := range 40 {
		wg.Go(func() {
			for i := range 200 {
				ref := testRef(rand.IntN(8))
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+rand.IntN(3))*time.Millisecond)
				c, err := b.Acquire(ctx, ref)
				cancel()
				switch {
				case err == nil:
					c.Release()
				case ctx.Err() == nil || !errors.Is(err, ctx.Err()):
					t.Errorf("%v", err)
				}
				if (g+i)%50 == 0 {
					b.Forget(ref)
					_, _ = b.Stats(), b.TenantStats(ref)
				}
			}
		})
	}
	wg.Wait()
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f.most > 5 || f.all != 0 || len(b.shares) != 0 || b.places != 0 {
		t.Errorf("most %d, left %d, entries %d, places %d", f.most, f.all, len(b.shares), b.places)
	}
}

func BenchmarkBudget(b *testing.B) {
	f := newFakeServer()
	f.dialTime, f.closeTime = 0, 0
	run := func(b *testing.B, bu *Budget, ref tenants.Ref) {
		c, err := bu.Acquire(b.Context(), ref)
		if err != nil {
			b.Fatal(err)
		}
		c.Release()
	}
	b.Run("uncontended", func(b *testing.B) {
		bu := newBudget(f.dial, Options{})
		defer func() { _ = bu.Close(b.Context()) }()
		b.ReportAllocs()
		for b.Loop() {
			run(b, bu, refA)
		}
	})
	b.Run("parallel_projects", func(b *testing.B) {
		bu := newBudget(f.dial, Options{})
		defer func() { _ = bu.Close(b.Context()) }()
		b.ReportAllocs()
		var n atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			ref := testRef(int(n.Add(1)) % 50)
			for pb.Next() {
				run(b, bu, ref)
			}
		})
	})
	b.Run("handed_from_waiter_to_waiter", func(b *testing.B) {
		bu := newBudget(f.dial, Options{Total: 1, WaitTimeout: time.Minute})
		defer func() { _ = bu.Close(b.Context()) }()
		b.ReportAllocs()
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				run(b, bu, refA)
			}
		})
	})
}

// TestBudgetRecall: when the statements of some projects never end and take all
// places, a quiet project soon gets one, and no loan of ordinary length is
// ended.
func TestBudgetRecall(t *testing.T) {
	t.Parallel()
	o := Options{Total: 8, PerTenant: 4, WaitTimeout: 5 * time.Second}
	inBubble(t, o, func(t *testing.T, b *Budget, _ *fakeServer) {
		var wg sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		var cut atomic.Int64
		for i := range 3 * 10 {
			wg.Go(func() {
				for ctx.Err() == nil {
					c, err := b.Acquire(ctx, testRef(i%3))
					if err != nil {
						continue
					}
					select {
					case <-linkOf(c).called:
						cut.Add(1)
					case <-time.After(9500 * time.Millisecond):
					case <-ctx.Done():
					}
					c.Release()
				}
			})
		}
		time.Sleep(3 * time.Second)
		for range 20 {
			began := time.Now()
			c := mustAcquire(t, b, testRef(9))
			// Half a second, then two more at most until a loan is old enough.
			if waited := time.Since(began); waited > 3*time.Second {
				t.Errorf("waited %v", waited)
			}
			time.Sleep(time.Second)
			select {
			case <-linkOf(c).called:
				t.Error("a loan of a second is recalled")
			default:
			}
			c.Release()
			time.Sleep(11 * time.Second) // it holds no place any more
		}
		stop()
		wg.Wait()
		if n := cut.Load(); n == 0 || n > int64(b.Stats().Recalled) {
			t.Errorf("%d loans were cut, %d recalled", n, b.Stats().Recalled)
		}
	})
}

// TestBudgetRecalledIsNotLentAgain: the server may end the connection after its
// borrower has returned it.
func TestBudgetRecalledIsNotLentAgain(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{Total: 1, WaitTimeout: 5 * time.Second}, func(t *testing.T, b *Budget, _ *fakeServer) {
		c := mustAcquire(t, b, refA)
		first := linkOf(c)
		b.mu.Lock()
		c.conn.recalledAt = time.Now()
		b.mu.Unlock()
		c.Release()
		next := mustAcquire(t, b, refA)
		if linkOf(next) == first {
			t.Error("the connection is lent again")
		}
		next.Release()
	})
}
