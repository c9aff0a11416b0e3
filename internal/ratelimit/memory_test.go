package ratelimit

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/reevehq/reeve/tenants"
)

const (
	projectA = tenants.Ref("aaaaaaaaaaaaaaaaaaaa")
	projectB = tenants.Ref("bbbbbbbbbbbbbbbbbbbb")
)

// clock is a clock that tests advance.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_700_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// take takes one event.
func take(m *Memory, ref tenants.Ref, rule Rule, identifier string) (ok bool, wait time.Duration) {
	wait, _ = m.Take(context.Background(), ref, rule, identifier)
	return wait == 0, wait
}

// passes counts how many of n events pass.
func passes(m *Memory, ref tenants.Ref, rule Rule, identifier string, n int) int {
	passed := 0
	for range n {
		if ok, _ := take(m, ref, rule, identifier); ok {
			passed++
		}
	}
	return passed
}

func TestTake_burst_then_rate(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := NewMemory(MemoryOptions{Now: c.Now})
	rule := Token(150) // one every two seconds
	if got := passes(m, projectA, rule, "1.2.3.4", 40); got != 30 {
		t.Fatalf("%d of 40 passed, want the burst of 30", got)
	}
	ok, retry := take(m, projectA, rule, "1.2.3.4")
	if ok || retry < 2*time.Second || retry > 2*time.Second+time.Millisecond {
		t.Fatalf("Allow = %v, %v, want a refusal for 2 s", ok, retry)
	}
	c.advance(retry)
	if ok, _ := take(m, projectA, rule, "1.2.3.4"); !ok {
		t.Error("refused after the wait")
	}
	c.advance(20 * time.Second)
	if got := passes(m, projectA, rule, "1.2.3.4", 40); got != 10 {
		t.Errorf("%d passed after 20 s, want 10", got)
	}
}

func TestTake_apart(t *testing.T) {
	t.Parallel()
	m := NewMemory(MemoryOptions{Now: newClock().Now})
	if got := passes(m, projectA, Verify(2), "x", 5); got != 2 {
		t.Fatalf("%d passed, want 2", got)
	}
	for name, ok := range map[string]bool{
		"another project":    first(take(m, projectB, Verify(2), "x")),
		"another rule":       first(take(m, projectA, OTP(2), "x")),
		"another part":       first(take(m, projectA, Verify(2).For("get"), "x")),
		"another identifier": first(take(m, projectA, Verify(2), "y")),
		"the whole project":  first(take(m, projectA, Verify(2), "")),
	} {
		if !ok {
			t.Errorf("%s is limited too", name)
		}
	}
	if first(take(m, projectA, Verify(2), "x")) {
		t.Error("the limited one passed")
	}
}

func first(ok bool, _ time.Duration) bool { return ok }

func perMinute(n int) Rule { return Rule{Name: "minute", Events: n, Per: time.Minute, Burst: n} }

func TestTake_adapts_to_a_changed_rule(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := NewMemory(MemoryOptions{Now: c.Now})
	passes(m, projectA, perMinute(15), "x", 20)
	c.advance(4 * time.Second) // one event at 15 a minute
	if got := passes(m, projectA, perMinute(15), "x", 5); got != 1 {
		t.Fatalf("%d passed, want 1", got)
	}
	c.advance(4 * time.Second)
	if got := passes(m, projectA, perMinute(60), "x", 99); got != 1+45 {
		t.Errorf("%d passed at once, want 46: one was earned at the old rate, and the limit was raised by 45", got)
	}
	c.advance(4 * time.Second)
	if got := passes(m, projectA, perMinute(60), "x", 9); got != 4 {
		t.Errorf("%d passed, want 4 at the new rate", got)
	}
	c.advance(time.Hour)
	if got := passes(m, projectA, perMinute(2), "x", 9); got != 2 {
		t.Errorf("%d passed, want the new burst of 2", got)
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	m := NewMemory(MemoryOptions{Now: newClock().Now})
	for _, ref := range []tenants.Ref{projectA, projectB} {
		passes(m, ref, EmailSent(1), "", 2)
		passes(m, ref, Verify(1), "x", 2)
	}
	m.Forget(projectA)
	m.Forget("never seen")
	if !first(take(m, projectA, EmailSent(1), "")) || !first(take(m, projectA, Verify(1), "x")) {
		t.Error("state of the forgotten project is left")
	}
	if first(take(m, projectB, EmailSent(1), "")) || first(take(m, projectB, Verify(1), "x")) {
		t.Error("state of the other project is gone")
	}
	checkBooks(t, m)
}

func TestFull_project_evicts_its_own(t *testing.T) {
	t.Parallel()
	m := NewMemory(MemoryOptions{Now: newClock().Now, PerProject: 10, MaxEntries: 100})
	passes(m, projectB, Verify(1), "victim", 2)
	passes(m, projectA, EmailSent(1), "", 2)
	passes(m, projectA, Verify(1), "oldest", 2)
	for i := range 1000 {
		take(m, projectA, Verify(1), fmt.Sprint(i))
	}
	if first(take(m, projectB, Verify(1), "victim")) {
		t.Error("another project's state was evicted")
	}
	if first(take(m, projectA, EmailSent(1), "")) {
		t.Error("a flood of clients reset the project's mail limit")
	}
	if first(take(m, projectA, Verify(1), "999")) {
		t.Error("the newest state was evicted")
	}
	if !first(take(m, projectA, Verify(1), "oldest")) {
		t.Error("the oldest state was kept")
	}
	if m.Len() != 12 {
		t.Errorf("%d buckets, want 10 of A, 1 of B and A's mails", m.Len())
	}
	checkBooks(t, m)
}

// A limit that is used up is not reset by a flood of others that are hardly used.
func TestFull_project_keeps_what_is_spent(t *testing.T) {
	t.Parallel()
	m := NewMemory(MemoryOptions{Now: newClock().Now, PerProject: 100, MaxEntries: 1000})
	rule := Rule{Name: "codes", Events: 10, Per: time.Hour, Burst: 90}
	for _, victim := range []string{"v", "w"} {
		passes(m, projectA, rule, victim, 90)
	}
	for i := range 10_000 {
		take(m, projectA, rule, fmt.Sprint(i))
	}
	for _, victim := range []string{"v", "w"} {
		if first(take(m, projectA, rule, victim)) {
			t.Errorf("the flood reset the limit of %s", victim)
		}
	}
	for i := range 100 { // nobody keeps the others out for ever
		passes(m, projectA, rule, fmt.Sprint("spent", i), 90)
	}
	if m.Len() != 100 || first(take(m, projectA, rule, "spent99")) {
		t.Errorf("%d buckets, the newest among them", m.Len())
	}
	checkBooks(t, m)
}

func TestFull_memory_evicts_of_the_largest(t *testing.T) {
	t.Parallel()
	m := NewMemory(MemoryOptions{Now: newClock().Now, PerProject: 80, MaxEntries: 100})
	for i := range 80 {
		take(m, projectA, Verify(1), fmt.Sprint(i))
	}
	for i := range 40 {
		take(m, projectB, Verify(1), fmt.Sprint(i))
	}
	for i := range 40 {
		if first(take(m, projectB, Verify(1), fmt.Sprint(i))) {
			t.Fatalf("B lost entry %d, but holds less than its share", i)
		}
	}
	for i := 20; i < 80; i++ {
		if first(take(m, projectA, Verify(1), fmt.Sprint(i))) {
			t.Fatalf("A lost entry %d, which was not of its oldest 20", i)
		}
	}
	if m.Len() != 100 {
		t.Errorf("%d buckets, want 100", m.Len())
	}
	checkBooks(t, m)
}

// Unused buckets are dropped once they are full, also of projects that are
// never used again.
func TestQuiet_projects_cost_nothing(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := NewMemory(MemoryOptions{Now: c.Now})
	for p := range 50 {
		ref := tenants.Ref(fmt.Sprint("quiet", p))
		take(m, ref, EmailSent(30), "")
		for i := range 10 {
			take(m, ref, Verify(30), fmt.Sprint(i))
		}
	}
	c.advance(2 * time.Hour)
	for i := range 1000 {
		take(m, projectA, Verify(30), fmt.Sprint(i))
		c.advance(time.Minute)
	}
	if len(m.projects) != 1 || m.Len() > 10 {
		t.Errorf("%d projects and %d buckets are left, want 1 and a few", len(m.projects), m.Len())
	}
	checkBooks(t, m)
}

// In any sequence of events: in any time span at most burst plus rate events
// pass, an event passes after its wait, and the counts are right.
func TestTake_properties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		rule := Rule{
			Name:   "r",
			Events: rapid.IntRange(1, 200).Draw(t, "events"),
			Per:    time.Duration(rapid.IntRange(1, 3600).Draw(t, "seconds")) * time.Second,
			Burst:  rapid.IntRange(1, 40).Draw(t, "burst"),
		}
		m := NewMemory(MemoryOptions{Now: c.Now, PerProject: 5, MaxEntries: 8})
		start, passed := c.Now(), 0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			c.advance(time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond)
			ref := rapid.SampledFrom([]tenants.Ref{projectB, "c", "d"}).Draw(t, "noise")
			take(m, ref, rule, fmt.Sprint(rapid.IntRange(0, 9).Draw(t, "id")))
			ok, retry := take(m, projectA, rule, "")
			if !ok {
				if retry <= 0 {
					t.Fatal("refused without a wait")
				}
				if rapid.Bool().Draw(t, "wait") {
					c.advance(retry)
					if ok, _ = take(m, projectA, rule, ""); !ok {
						t.Fatalf("refused after a wait of %v", retry)
					}
				}
			}
			if ok {
				passed++
			}
		}
		most := float64(rule.Burst) + float64(rule.Events)*c.Now().Sub(start).Seconds()/rule.Per.Seconds()
		if float64(passed) > most+1e-6 {
			t.Fatalf("%d passed, at most %f may", passed, most)
		}
		checkBooks(t, m)
	})
}

// checkBooks compares the counts with the buckets.
func checkBooks(t interface{ Errorf(string, ...any) }, m *Memory) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for i, p := range m.largest {
		n += p.clients.Len()
		if p.place != i || m.projects[p.ref] != p {
			t.Errorf("project %s is misplaced", p.ref)
		}
		if p.clients.Len() > m.largest[0].clients.Len() || p.clients.Len() > m.perProject {
			t.Errorf("project %s holds %d entries", p.ref, p.clients.Len())
		}
	}
	if n != m.entries || n > m.maxEntries || len(m.largest) != len(m.projects) || m.recent.Len() != len(m.projects) {
		t.Errorf("entries = %d of %d counted, heap %d, recent %d, projects %d",
			m.entries, n, len(m.largest), m.recent.Len(), len(m.projects))
	}
}

func TestConcurrent_use(t *testing.T) {
	t.Parallel()
	m := NewMemory(MemoryOptions{Now: newClock().Now, PerProject: 20, MaxEntries: 50})
	var wg sync.WaitGroup
	var mu sync.Mutex
	passed := 0
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				take(m, tenants.Ref(fmt.Sprint(g%3)), Verify(30), fmt.Sprint(i))
				if ok, _ := take(m, projectA, EmailSent(30), ""); ok {
					mu.Lock()
					passed++
					mu.Unlock()
				}
				if i%50 == 0 {
					m.Forget(tenants.Ref(fmt.Sprint(g % 3)))
				}
			}
		})
	}
	wg.Wait()
	if passed != 30 {
		t.Errorf("%d passed, want exactly 30", passed)
	}
	checkBooks(t, m)
}

func BenchmarkTake(b *testing.B) {
	b.Run("known", func(b *testing.B) {
		m, rule := NewMemory(MemoryOptions{}), Token(2_000_000_000)
		b.ReportAllocs()
		for b.Loop() {
			take(m, projectA, rule, "192.0.2.1")
		}
	})
	b.Run("known, parallel", func(b *testing.B) {
		m, rule := NewMemory(MemoryOptions{}), Token(2_000_000_000)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				take(m, projectA, rule, "192.0.2.1")
			}
		})
	})
	b.Run("new, full, 100 projects", func(b *testing.B) {
		m, rule := NewMemory(MemoryOptions{}), Verify(30)
		refs := make([]tenants.Ref, 100)
		for i := range refs {
			refs[i] = tenants.NewRef()
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		n := 0
		for ; n < DefaultMaxEntries; n++ {
			take(m, refs[n%len(refs)], rule, fmt.Sprint(n))
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		for b.Loop() {
			take(m, refs[n%len(refs)], rule, fmt.Sprint(n))
			n++
		}
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/DefaultMaxEntries, "B/entry")
	})
}
