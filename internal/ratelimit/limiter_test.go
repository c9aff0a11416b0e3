package ratelimit

import (
	"fmt"
	"runtime"
	"strings"
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

// clock is a time that tests move.
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

// passes counts how many of n events pass.
func passes(l *Limiter, ref tenants.Ref, rule Rule, identifier string, n int) int {
	passed := 0
	for range n {
		if ok, _ := l.Allow(ref, rule, identifier); ok {
			passed++
		}
	}
	return passed
}

func TestAllow_burst_then_rate(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := New(Options{Now: c.Now})
	rule := Token(150) // one every two seconds
	if got := passes(l, projectA, rule, "1.2.3.4", 40); got != 30 {
		t.Fatalf("%d of 40 passed, want the burst of 30", got)
	}
	ok, retry := l.Allow(projectA, rule, "1.2.3.4")
	if ok || retry < 2*time.Second || retry > 2*time.Second+time.Millisecond {
		t.Fatalf("Allow = %v, %v, want a refusal for 2 s", ok, retry)
	}
	c.advance(retry)
	if ok, _ := l.Allow(projectA, rule, "1.2.3.4"); !ok {
		t.Error("refused after RetryAfter")
	}
	c.advance(20 * time.Second)
	if got := passes(l, projectA, rule, "1.2.3.4", 40); got != 10 {
		t.Errorf("%d passed after 20 s, want 10", got)
	}
}

func TestAllow_apart(t *testing.T) {
	t.Parallel()
	l := New(Options{Now: newClock().Now})
	if got := passes(l, projectA, Verify(2), "x", 5); got != 2 {
		t.Fatalf("%d passed, want 2", got)
	}
	for name, ok := range map[string]bool{
		"another project":    first(l.Allow(projectB, Verify(2), "x")),
		"another rule":       first(l.Allow(projectA, OTP(2), "x")),
		"another part":       first(l.Allow(projectA, Verify(2).For("get"), "x")),
		"another identifier": first(l.Allow(projectA, Verify(2), "y")),
		"the whole project":  first(l.Allow(projectA, Verify(2), "")),
	} {
		if !ok {
			t.Errorf("%s is limited too", name)
		}
	}
	if first(l.Allow(projectA, Verify(2), "x")) {
		t.Error("the limited one passed")
	}
}

func first(ok bool, _ time.Duration) bool { return ok }

func TestAllowN(t *testing.T) {
	t.Parallel()
	l := New(Options{Now: newClock().Now})
	rule := EmailSent(30)
	if ok, _ := l.AllowN(projectA, rule, "", 28); !ok {
		t.Fatal("28 of 30 refused")
	}
	ok, retry := l.AllowN(projectA, rule, "", 3)
	if ok || retry < 2*time.Minute || retry > 2*time.Minute+time.Millisecond {
		t.Errorf("3 more: %v, %v, want a refusal for 2 min", ok, retry)
	}
	if ok, _ := l.AllowN(projectA, rule, "", 2); !ok {
		t.Error("the refusal took events")
	}
	if ok, retry := l.AllowN(projectA, rule, "", 31); ok || retry <= 0 {
		t.Errorf("more than the burst: %v, %v", ok, retry)
	}
	if ok, _ := l.AllowN(projectA, rule, "", -100); !ok || first(l.Allow(projectA, rule, "")) {
		t.Error("a negative number filled the bucket")
	}
	if ok, retry := l.Allow(projectA, EmailSent(0), ""); ok || retry != time.Hour {
		t.Errorf("no events: %v, %v, want a refusal for an hour", ok, retry)
	}
}

func perMinute(n int) Rule { return Rule{Name: "minute", Events: n, Per: time.Minute, Burst: n} }

func TestAllow_adapts_to_a_changed_rule(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := New(Options{Now: c.Now})
	passes(l, projectA, perMinute(15), "x", 20)
	c.advance(4 * time.Second) // one event at 15 a minute
	if got := passes(l, projectA, perMinute(15), "x", 5); got != 1 {
		t.Fatalf("%d passed, want 1", got)
	}
	c.advance(4 * time.Second)
	if got := passes(l, projectA, perMinute(60), "x", 99); got != 1+45 {
		t.Errorf("%d passed at once, want 46: one was earned at the old rate, and the limit was raised by 45", got)
	}
	c.advance(4 * time.Second)
	if got := passes(l, projectA, perMinute(60), "x", 9); got != 4 {
		t.Errorf("%d passed, want 4 at the new rate", got)
	}
	c.advance(time.Hour)
	if got := passes(l, projectA, perMinute(2), "x", 9); got != 2 {
		t.Errorf("%d passed, want the new burst of 2", got)
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	l := New(Options{Now: newClock().Now})
	for _, ref := range []tenants.Ref{projectA, projectB} {
		passes(l, ref, EmailSent(1), "", 2)
		passes(l, ref, Verify(1), "x", 2)
	}
	l.Forget(projectA)
	l.Forget("never seen")
	if !first(l.Allow(projectA, EmailSent(1), "")) || !first(l.Allow(projectA, Verify(1), "x")) {
		t.Error("state of the forgotten project is left")
	}
	if first(l.Allow(projectB, EmailSent(1), "")) || first(l.Allow(projectB, Verify(1), "x")) {
		t.Error("state of the other project is gone")
	}
	checkBooks(t, l)
}

func TestFull_project_evicts_its_own(t *testing.T) {
	t.Parallel()
	l := New(Options{Now: newClock().Now, PerProject: 10, MaxEntries: 100})
	passes(l, projectB, Verify(1), "victim", 2)
	passes(l, projectA, EmailSent(1), "", 2)
	passes(l, projectA, Verify(1), "oldest", 2)
	for i := range 1000 {
		l.Allow(projectA, Verify(1), fmt.Sprint(i))
	}
	if first(l.Allow(projectB, Verify(1), "victim")) {
		t.Error("another project's state was evicted")
	}
	if first(l.Allow(projectA, EmailSent(1), "")) {
		t.Error("a flood of clients reset the project's mail limit")
	}
	if first(l.Allow(projectA, Verify(1), "999")) {
		t.Error("the newest state was evicted")
	}
	if !first(l.Allow(projectA, Verify(1), "oldest")) {
		t.Error("the oldest state was kept")
	}
	if l.Len() != 12 {
		t.Errorf("%d buckets, want 10 of A, 1 of B and A's mails", l.Len())
	}
	checkBooks(t, l)
}

func TestFull_limiter_evicts_of_the_largest(t *testing.T) {
	t.Parallel()
	l := New(Options{Now: newClock().Now, PerProject: 80, MaxEntries: 100})
	for i := range 80 {
		l.Allow(projectA, Verify(1), fmt.Sprint(i))
	}
	for i := range 40 {
		l.Allow(projectB, Verify(1), fmt.Sprint(i))
	}
	for i := range 40 {
		if first(l.Allow(projectB, Verify(1), fmt.Sprint(i))) {
			t.Fatalf("B lost entry %d, but holds less than its share", i)
		}
	}
	for i := 20; i < 80; i++ {
		if first(l.Allow(projectA, Verify(1), fmt.Sprint(i))) {
			t.Fatalf("A lost entry %d, which was not of its oldest 20", i)
		}
	}
	if l.Len() != 100 {
		t.Errorf("%d buckets, want 100", l.Len())
	}
	checkBooks(t, l)
}

// What went quiet is dropped once it carries nothing, also of projects that
// never come back.
func TestQuiet_projects_cost_nothing(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := New(Options{Now: c.Now})
	for p := range 50 {
		ref := tenants.Ref(fmt.Sprint("quiet", p))
		l.Allow(ref, EmailSent(30), "")
		for i := range 10 {
			l.Allow(ref, Verify(30), fmt.Sprint(i))
		}
	}
	c.advance(2 * time.Hour)
	for i := range 1000 {
		l.Allow(projectA, Verify(30), fmt.Sprint(i))
		c.advance(time.Minute)
	}
	if len(l.projects) != 1 || l.Len() > 10 {
		t.Errorf("%d projects and %d buckets are left, want 1 and a few", len(l.projects), l.Len())
	}
	checkBooks(t, l)
}

func TestLong_identifiers(t *testing.T) {
	t.Parallel()
	l := New(Options{Now: newClock().Now})
	long := strings.Repeat("x", 1<<20)
	if got := passes(l, projectA, OTP(2), long+"a", 5); got != 2 {
		t.Errorf("%d passed, want 2", got)
	}
	if !first(l.Allow(projectA, OTP(2), long+"b")) {
		t.Error("long identifiers are not told apart")
	}
	for _, k := range l.projects[projectA].clients.Keys() {
		if len(k.identifier) > maxIdentifier {
			t.Errorf("an identifier of %d bytes is kept", len(k.identifier))
		}
	}
}

// Whatever happens: in any span of time no more pass than burst plus rate, an
// event passes when its RetryAfter is over, and the books balance.
func TestAllow_properties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		rule := Rule{
			Name:   "r",
			Events: rapid.IntRange(1, 200).Draw(t, "events"),
			Per:    time.Duration(rapid.IntRange(1, 3600).Draw(t, "seconds")) * time.Second,
			Burst:  rapid.IntRange(1, 40).Draw(t, "burst"),
		}
		l := New(Options{Now: c.Now, PerProject: 5, MaxEntries: 8})
		start, passed := c.Now(), 0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			c.advance(time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond)
			ref := rapid.SampledFrom([]tenants.Ref{projectB, "c", "d"}).Draw(t, "noise")
			l.Allow(ref, rule, fmt.Sprint(rapid.IntRange(0, 9).Draw(t, "id")))
			ok, retry := l.Allow(projectA, rule, "")
			if !ok {
				if retry <= 0 {
					t.Fatal("refused without RetryAfter")
				}
				if rapid.Bool().Draw(t, "wait") {
					c.advance(retry)
					if ok, _ = l.Allow(projectA, rule, ""); !ok {
						t.Fatalf("refused after RetryAfter of %v", retry)
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
		checkBooks(t, l)
	})
}

// checkBooks compares the counts with what is held.
func checkBooks(t interface{ Errorf(string, ...any) }, l *Limiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for i, p := range l.largest {
		n += p.clients.Len()
		if p.place != i || l.projects[p.ref] != p {
			t.Errorf("project %s is misplaced", p.ref)
		}
		if p.clients.Len() > l.largest[0].clients.Len() || p.clients.Len() > l.perProject {
			t.Errorf("project %s holds %d entries", p.ref, p.clients.Len())
		}
	}
	if n != l.entries || n > l.maxEntries || len(l.largest) != len(l.projects) || l.recent.Len() != len(l.projects) {
		t.Errorf("entries = %d of %d counted, heap %d, recent %d, projects %d",
			l.entries, n, len(l.largest), l.recent.Len(), len(l.projects))
	}
}

func TestConcurrent_use(t *testing.T) {
	t.Parallel()
	l := New(Options{Now: newClock().Now, PerProject: 20, MaxEntries: 50})
	var wg sync.WaitGroup
	var mu sync.Mutex
	passed := 0
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				l.Allow(tenants.Ref(fmt.Sprint(g%3)), Verify(30), fmt.Sprint(i))
				if ok, _ := l.Allow(projectA, EmailSent(30), ""); ok {
					mu.Lock()
					passed++
					mu.Unlock()
				}
				if i%50 == 0 {
					l.Forget(tenants.Ref(fmt.Sprint(g % 3)))
				}
			}
		})
	}
	wg.Wait()
	if passed != 30 {
		t.Errorf("%d passed, want exactly 30", passed)
	}
	checkBooks(t, l)
}

func TestRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ got, want Rule }{
		"email":      {EmailSent(30), Rule{"email_sent", 30, time.Hour, 30}},
		"many mails": {EmailSent(1000), Rule{"email_sent", 1000, time.Hour, 1000}},
		"verify":     {Verify(30), Rule{"verify", 30, 5 * time.Minute, 30}},
		"token":      {Token(150), Rule{"token", 150, 5 * time.Minute, 30}},
		"otp":        {OTP(30), Rule{"otp", 30, 5 * time.Minute, 30}},
		"part":       {OTP(3).For("recover"), Rule{"otp/recover", 3, 5 * time.Minute, 3}},
	} {
		if c.got != c.want {
			t.Errorf("%s = %+v, want %+v", name, c.got, c.want)
		}
	}
}

func BenchmarkAllow(b *testing.B) {
	b.Run("known", func(b *testing.B) {
		l, rule := New(Options{}), Token(2_000_000_000)
		b.ReportAllocs()
		for b.Loop() {
			l.Allow(projectA, rule, "192.0.2.1")
		}
	})
	b.Run("known, parallel", func(b *testing.B) {
		l, rule := New(Options{}), Token(2_000_000_000)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				l.Allow(projectA, rule, "192.0.2.1")
			}
		})
	})
	b.Run("new, full, 100 projects", func(b *testing.B) {
		l, rule := New(Options{}), Verify(30)
		refs := make([]tenants.Ref, 100)
		for i := range refs {
			refs[i] = tenants.NewRef()
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		n := 0
		for ; n < DefaultMaxEntries; n++ {
			l.Allow(refs[n%len(refs)], rule, fmt.Sprint(n))
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		for b.Loop() {
			l.Allow(refs[n%len(refs)], rule, fmt.Sprint(n))
			n++
		}
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/DefaultMaxEntries, "B/entry")
	})
}
