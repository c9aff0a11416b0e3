package pool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reevehq/reeve/tenants"
)

// fakeServer stands for all projects' databases. It counts connections from
// the start of a dial to the end of a close.
type fakeServer struct {
	mu        sync.Mutex
	open      map[tenants.Ref]int
	all       int
	most      int
	mostOf    map[tenants.Ref]int
	dials     int
	dialTime  time.Duration
	closeTime time.Duration
	down      map[tenants.Ref]error
}

func newFakeServer() *fakeServer {
	return &fakeServer{
		open: map[tenants.Ref]int{}, mostOf: map[tenants.Ref]int{}, down: map[tenants.Ref]error{},
		dialTime: 5 * time.Millisecond, closeTime: time.Millisecond,
	}
}

func (f *fakeServer) add(ref tenants.Ref, n int) {
	f.open[ref] += n
	f.all += n
	f.most = max(f.most, f.all)
	f.mostOf[ref] = max(f.mostOf[ref], f.open[ref])
}

func (f *fakeServer) setDown(ref tenants.Ref, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down[ref] = err
}

func (f *fakeServer) dialed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dials
}

func (f *fakeServer) openOf(ref tenants.Ref) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open[ref]
}

func (f *fakeServer) dial(ctx context.Context, ref tenants.Ref) (link, error) {
	f.mu.Lock()
	f.dials++
	f.add(ref, 1)
	d, err := f.dialTime, f.down[ref]
	f.mu.Unlock()
	select {
	case <-time.After(d):
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		f.mu.Lock()
		f.add(ref, -1)
		f.mu.Unlock()
		return nil, err
	}
	return &fakeLink{server: f, ref: ref, called: make(chan struct{})}, nil
}

// interrupt is noticed at once, as by a borrower that waits for an answer.
func (l *fakeLink) interrupt() {
	l.set(func(l *fakeLink) {
		if !l.isShut {
			l.isShut = true
			close(l.called)
		}
	})
}

type fakeLink struct {
	server *fakeServer
	ref    tenants.Ref
	mu     sync.Mutex
	isShut bool // closed by an error on our side
	inTx   bool
	killed bool // by the server, not noticed yet
	called chan struct{}
	ended  bool
}

func (l *fakeLink) set(change func(*fakeLink)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
}

func (l *fakeLink) usable() bool { l.mu.Lock(); defer l.mu.Unlock(); return !l.isShut && !l.inTx }
func (l *fakeLink) broken() bool { l.mu.Lock(); defer l.mu.Unlock(); return l.isShut }
func (l *fakeLink) alive() bool  { l.mu.Lock(); defer l.mu.Unlock(); return !l.killed }

func (l *fakeLink) close(context.Context) {
	time.Sleep(l.server.closeTime)
	l.set(func(l *fakeLink) {
		if l.ended {
			panic("closed twice")
		}
		l.ended = true
	})
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	l.server.add(l.ref, -1)
}

func linkOf(c *Conn) *fakeLink { return c.conn.link.(*fakeLink) }

// inBubble runs a case with fake time and a budget; after it, the budget must
// close and leave nothing open.
func inBubble(t *testing.T, o Options, run func(t *testing.T, b *Budget, f *fakeServer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFakeServer()
		b := newBudget(f.dial, o)
		run(t, b, f)
		synctest.Wait()
		checkCounts(t, b)
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if st := b.Stats(); st.Open != 0 || st.Tenants != 0 || f.all != 0 {
			t.Errorf("after Close: %+v, server has %d", st, f.all)
		}
		if f.most > b.o.Total {
			t.Errorf("%d connections at once, budget is %d", f.most, b.o.Total)
		}
		for ref, n := range f.mostOf {
			if n > b.o.PerTenant {
				t.Errorf("%s had %d connections, limit is %d", ref, n, b.o.PerTenant)
			}
		}
	})
}

// checkCounts compares the budget's counters with a recount.
func checkCounts(t interface{ Errorf(string, ...any) }, b *Budget) {
	b.mu.Lock()
	defer b.mu.Unlock()
	idle, places := 0, 0
	for ref, s := range b.shares {
		idle += len(s.idle)
		places += s.held() + s.closing
		if s.waiters.n == 0 && s.held()+s.closing == 0 {
			t.Errorf("%s: empty entry kept", ref)
		}
		if len(s.idle) > 0 && s.waiters.n > 0 {
			t.Errorf("%s: %d idle while %d wait", ref, len(s.idle), s.waiters.n)
		}
		if b.wants(s) != (s.heapIndex >= 0) {
			t.Errorf("%s: wants %v, heap index %d", ref, b.wants(s), s.heapIndex)
		}
		if s.waiters.n > 0 && s.held()+s.closing == 0 && s.heapIndex < 0 {
			t.Errorf("%s: nobody will wake its waiters", ref)
		}
	}
	listed := 0
	for c := b.idle.first; c != nil; c = c.next {
		listed++
	}
	// A place whose old connection is still closing while its next dial is
	// reserved is in the counts of two shares.
	if listed != idle || b.places > b.o.Total || places < b.places {
		t.Errorf("idle %d, listed %d; places %d of %d, in shares %d", idle, listed, b.places, b.o.Total, places)
	}
	if len(b.demand) > 0 && (b.places < b.o.Total ||
		idle > 0 && (b.sweepAt.IsZero() || b.evictable(b.demand[0], b.o.Now()) != nil)) {
		t.Errorf("%d projects want a place with %d of %d places taken and %d idle", len(b.demand), b.places, b.o.Total, idle)
	}
}

func testRef(i int) tenants.Ref {
	return tenants.Ref(fmt.Sprintf("aaaaaaaaaaaaaaaaaa%c%c", 'a'+i/26, 'a'+i%26))
}

func mustAcquire(t *testing.T, b *Budget, ref tenants.Ref) *Conn {
	t.Helper()
	c, err := b.Acquire(t.Context(), ref)
	if err != nil {
		t.Fatalf("Acquire(%s): %v", ref, err)
	}
	if linkOf(c).ref != ref {
		t.Fatalf("Acquire(%s) gave a connection of %s", ref, linkOf(c).ref)
	}
	return c
}

var refA, refB, refC = testRef(0), testRef(1), testRef(2)

func TestBudgetReuse(t *testing.T) {
	t.Parallel()
	t.Run("most_recently_used_first", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, b *Budget, f *fakeServer) {
			c1, c2 := mustAcquire(t, b, refA), mustAcquire(t, b, refA)
			l1 := linkOf(c1)
			c2.Release()
			c1.Release()
			c3 := mustAcquire(t, b, refA)
			if linkOf(c3) != l1 || f.dialed() != 2 {
				t.Errorf("not the most recent one, or %d dials", f.dialed())
			}
			c3.Release()
		})
	})
	t.Run("second_release_does_nothing", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, b *Budget, _ *fakeServer) {
			c1 := mustAcquire(t, b, refA)
			c1.Release()
			c2 := mustAcquire(t, b, refA)
			c1.Release()
			if st := b.TenantStats(refA); st != (TenantStats{Open: 1, InUse: 1}) {
				t.Errorf("%+v", st)
			}
			c2.Release()
		})
	})
	discarded := map[string]func(*Budget, *Conn){
		"broken":         func(_ *Budget, c *Conn) { linkOf(c).set(func(l *fakeLink) { l.isShut = true }) },
		"in_transaction": func(_ *Budget, c *Conn) { linkOf(c).set(func(l *fakeLink) { l.inTx = true }) },
		"too_old":        func(*Budget, *Conn) { time.Sleep(time.Hour) },
		"forgotten":      func(b *Budget, _ *Conn) { b.Forget(refA) },
	}
	for name, spoil := range discarded {
		t.Run("not_when_"+name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, Options{}, func(t *testing.T, b *Budget, _ *fakeServer) {
				c := mustAcquire(t, b, refA)
				spoil(b, c)
				c.Release()
				time.Sleep(time.Second)
				if st := b.Stats(); st.Open != 0 || st.Tenants != 0 {
					t.Errorf("kept: %+v", st)
				}
			})
		})
	}
}

func TestBudgetIdle(t *testing.T) {
	t.Parallel()
	t.Run("quiet_project_costs_nothing", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{IdleTTL: time.Second}, func(t *testing.T, b *Budget, f *fakeServer) {
			for i := range 50 {
				mustAcquire(t, b, testRef(i)).Release()
				time.Sleep(10 * time.Millisecond)
			}
			if st := b.Stats(); st.Idle != 50 {
				t.Errorf("%+v", st)
			}
			time.Sleep(2100 * time.Millisecond)
			if st := b.Stats(); st.Open != 0 || st.Tenants != 0 || f.openOf(testRef(7)) != 0 {
				t.Errorf("after IdleTTL: %+v", st)
			}
		})
	})
	t.Run("oldest_gives_way_to_another_project", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{Total: 2}, func(t *testing.T, b *Budget, _ *fakeServer) {
			mustAcquire(t, b, refA).Release()
			time.Sleep(time.Second)
			mustAcquire(t, b, refB).Release()
			mustAcquire(t, b, refC).Release()
			time.Sleep(time.Second)
			if b.TenantStats(refA).Open != 0 || b.TenantStats(refB).Idle != 1 || b.TenantStats(refC).Idle != 1 {
				t.Errorf("A %+v B %+v", b.TenantStats(refA), b.TenantStats(refB))
			}
		})
	})
	t.Run("dead_ones_are_found", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{IdleTTL: time.Minute}, func(t *testing.T, b *Budget, f *fakeServer) {
			var conns []*Conn
			for range 4 {
				conns = append(conns, mustAcquire(t, b, refA))
			}
			for _, c := range conns {
				linkOf(c).set(func(l *fakeLink) { l.killed = true })
				c.Release()
				time.Sleep(time.Second)
			}
			time.Sleep(3 * time.Second) // the last one has been idle for less than checkAfter
			c := mustAcquire(t, b, refA)
			linkOf(c).set(func(l *fakeLink) { l.isShut = true }) // as the first query finds out
			c.Release()
			c = mustAcquire(t, b, refA)
			if !linkOf(c).alive() || f.dialed() != 5 || b.TenantStats(refA).InUse != 1 {
				t.Errorf("alive %v, %d dials, %+v", linkOf(c).alive(), f.dialed(), b.TenantStats(refA))
			}
			c.Release()
		})
	})
	t.Run("forget_closes_at_once", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, b *Budget, f *fakeServer) {
			mustAcquire(t, b, refA).Release()
			mustAcquire(t, b, refB).Release()
			b.Forget(refA)
			b.Forget(refC)
			time.Sleep(2 * f.closeTime)
			if f.openOf(refA) != 0 || f.openOf(refB) != 1 {
				t.Errorf("%d, %d", f.openOf(refA), f.openOf(refB))
			}
		})
	})
	t.Run("dial_from_before_forget_is_not_used", func(t *testing.T) {
		t.Parallel()
		for _, err := range []error{nil, errors.New("password authentication failed")} {
			inBubble(t, Options{PerTenant: 1}, func(t *testing.T, b *Budget, f *fakeServer) {
				f.setDown(refA, err)
				time.AfterFunc(f.dialTime/2, func() { f.setDown(refA, nil); b.Forget(refA) })
				mustAcquire(t, b, refA).Release()
				if f.dialed() != 2 {
					t.Errorf("%d dials", f.dialed())
				}
			})
		}
	})
}

func TestBudgetRefusals(t *testing.T) {
	t.Parallel()
	t.Run("queue_full", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{Total: 1, MaxWaiting: 3}, func(t *testing.T, b *Budget, _ *fakeServer) {
			c := mustAcquire(t, b, refA)
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() { mustAcquire(t, b, refA).Release() })
			}
			synctest.Wait()
			if _, err := b.Acquire(t.Context(), refA); !errors.Is(err, ErrOverCapacity) {
				t.Errorf("%v", err)
			}
			c.Release()
			wg.Wait()
		})
	})
	t.Run("wait_timeout", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{Total: 1, WaitTimeout: time.Second}, func(t *testing.T, b *Budget, _ *fakeServer) {
			c := mustAcquire(t, b, refA)
			for _, ref := range []tenants.Ref{refA, refB} {
				if _, err := b.Acquire(t.Context(), ref); !errors.Is(err, ErrOverCapacity) {
					t.Errorf("%v", err)
				}
			}
			c.Release()
			mustAcquire(t, b, refB).Release()
		})
	})
	t.Run("context", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{Total: 1}, func(t *testing.T, b *Budget, _ *fakeServer) {
			c := mustAcquire(t, b, refA)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			for range 2 { // waiting, and ended before
				if _, err := b.Acquire(ctx, refA); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v", err)
				}
			}
			c.Release()
		})
	})
	t.Run("cancelled_as_it_is_handed_a_connection", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{Total: 1}, func(t *testing.T, b *Budget, _ *fakeServer) {
			for range 200 {
				c := mustAcquire(t, b, refA)
				ctx, cancel := context.WithCancel(t.Context())
				var wg sync.WaitGroup
				wg.Go(func() {
					if got, err := b.Acquire(ctx, refA); err == nil {
						got.Release()
					}
				})
				synctest.Wait()
				wg.Go(cancel)
				wg.Go(c.Release)
				wg.Wait()
				if st := b.Stats(); st.InUse != 0 || st.Waiting != 0 {
					t.Fatalf("%+v", st)
				}
			}
		})
	})
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{Total: 1}, func(t *testing.T, b *Budget, f *fakeServer) {
			c := mustAcquire(t, b, refA)
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, err := b.Acquire(t.Context(), refB); !errors.Is(err, ErrClosed) {
					t.Errorf("waiting: %v", err)
				}
			})
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := b.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Close with one in use: %v", err)
			}
			wg.Wait()
			if _, err := b.Acquire(t.Context(), refA); !errors.Is(err, ErrClosed) {
				t.Errorf("later: %v", err)
			}
			c.Release()
		})
	})
}

func TestBudgetDeadDatabase(t *testing.T) {
	t.Parallel()
	refused := errors.New("connection refused")
	t.Run("all_waiters_fail_by_one_dial", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, b *Budget, f *fakeServer) {
			f.setDown(refA, refused)
			var wg sync.WaitGroup
			for range 500 {
				wg.Go(func() {
					if _, err := b.Acquire(t.Context(), refA); !errors.Is(err, ErrDatabaseUnavailable) || !errors.Is(err, refused) {
						t.Errorf("%v", err)
					}
				})
			}
			wg.Wait()
			if f.dialed() != 1 {
				t.Errorf("%d dials", f.dialed())
			}
			f.setDown(refA, nil)
			mustAcquire(t, b, refA).Release()
		})
	})
	t.Run("failed_dial_hands_its_place_on", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{Total: 1}, func(t *testing.T, b *Budget, f *fakeServer) {
			f.setDown(refA, refused)
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, err := b.Acquire(t.Context(), refA); !errors.Is(err, ErrDatabaseUnavailable) {
					t.Errorf("%v", err)
				}
			})
			synctest.Wait()
			wg.Go(func() { mustAcquire(t, b, refB).Release() })
			wg.Wait()
		})
	})
	t.Run("no_answer", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, b *Budget, f *fakeServer) {
			f.dialTime = time.Hour
			if _, err := b.Acquire(t.Context(), refA); !errors.Is(err, ErrDatabaseUnavailable) {
				t.Errorf("%v", err)
			}
		})
	})
	t.Run("role_limit_reached_waits_for_a_release", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, b *Budget, f *fakeServer) {
			c := mustAcquire(t, b, refA)
			f.setDown(refA, errors.New("too many connections for role"))
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() { mustAcquire(t, b, refA).Release() })
			}
			time.Sleep(time.Second)
			if f.dialed() > 1+maxDials {
				t.Errorf("%d dials", f.dialed())
			}
			c.Release()
			wg.Wait()
		})
	})
	t.Run("connections_break_and_then_dials_fail", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{PerTenant: 2}, func(t *testing.T, b *Budget, f *fakeServer) {
			c1, c2 := mustAcquire(t, b, refA), mustAcquire(t, b, refA)
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					if _, err := b.Acquire(t.Context(), refA); !errors.Is(err, ErrDatabaseUnavailable) {
						t.Errorf("%v", err)
					}
				})
			}
			synctest.Wait()
			f.setDown(refA, refused)
			for _, c := range []*Conn{c1, c2} {
				linkOf(c).set(func(l *fakeLink) { l.isShut = true })
				c.Release()
			}
			wg.Wait()
		})
	})
}

func TestBudgetOrder(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{Total: 1}, func(t *testing.T, b *Budget, _ *fakeServer) {
		c := mustAcquire(t, b, refA)
		var got []int
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				c := mustAcquire(t, b, refA)
				got = append(got, i) // one connection: no two at a time
				c.Release()
			})
			synctest.Wait()
		}
		c.Release()
		wg.Wait()
		if len(got) != 50 || !slices.IsSorted(got) {
			t.Errorf("%v", got)
		}
	})
}
