package password

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reevehq/reeve/tenants"
)

// play simulates hashing in a synctest bubble: calls take the given time, and
// the order of admission is recorded.
type play struct {
	t     *testing.T
	gate  *Gate
	mu    sync.Mutex
	order []admission
	spent map[tenants.Ref]time.Duration
}

type admission struct {
	ref tenants.Ref
	at  time.Time
}

func newPlay(t *testing.T, slots int) *play {
	return &play{t: t, gate: NewGate(slots, 100), spent: make(map[tenants.Ref]time.Duration)}
}

// call hashes for the given time, repeatedly, each after the previous one.
func (p *play) call(ref tenants.Ref, lasts time.Duration, times int) {
	for range times {
		leave, err := p.gate.Enter(p.t.Context(), ref)
		if err != nil {
			p.t.Errorf("%s: %v", ref, err)
			return
		}
		p.mu.Lock()
		p.order = append(p.order, admission{ref, time.Now()})
		p.spent[ref] += lasts
		p.mu.Unlock()
		time.Sleep(lasts)
		leave()
	}
}

// queue starts n calls at once, and returns when each runs or waits.
func (p *play) queue(ref tenants.Ref, lasts time.Duration, n int) {
	for range n {
		go p.call(ref, lasts, 1)
		synctest.Wait()
	}
}

func (p *play) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, a := range p.order {
		b.WriteString(string(a.ref))
	}
	return b.String()
}

func (p *play) since(n int) []admission {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.order[n:])
}

// One second of the slow project is worth ten calls of the fast one.
func TestGate_shares_by_time(t *testing.T) {
	t.Parallel()
	for name, slow := range map[string]func(*play){
		"all at once":         func(p *play) { p.queue("S", time.Second, 4) },
		"one after the other": func(p *play) { go p.call("S", time.Second, 4); synctest.Wait() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlay(t, 1)
				slow(p)
				p.queue("f", 100*time.Millisecond, 30)
				time.Sleep(time.Hour)
				ten := strings.Repeat("f", 10)
				// Of equal users either may be first.
				got := strings.ReplaceAll(p.String(), ten+"fS", ten+"Sf")
				if want := "S" + ten + "S" + ten + "S" + ten + "S"; got != want {
					t.Errorf("order = %s, want %s", got, want)
				}
				assertIdle(t, p.gate, 1)
			})
		})
	}
}

// Whatever its calls cost, a project gets no more time than another.
func TestGate_equal_time(t *testing.T) {
	t.Parallel()
	lasts := map[tenants.Ref]time.Duration{"f": 40 * time.Millisecond, "m": 170 * time.Millisecond, "S": 800 * time.Millisecond}
	for _, slots := range []int{1, 2, 4} {
		t.Run(fmt.Sprint(slots, " slots"), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlay(t, slots)
				const whole = 30 * time.Second
				for ref, d := range lasts {
					for range 8 {
						go func() {
							for start := time.Now(); time.Since(start) < whole; {
								p.call(ref, d, 1)
							}
						}()
					}
				}
				time.Sleep(whole)
				p.mu.Lock()
				spent := maps.Clone(p.spent)
				p.mu.Unlock()
				// The difference is at most what the running calls account for.
				apart := time.Duration(2*slots) * lasts["S"]
				for ref, got := range spent {
					if fair := whole * time.Duration(slots) / 3; (got - fair).Abs() > apart {
						t.Errorf("%s used %v, want %v", ref, got, fair)
					}
				}
				time.Sleep(whole)
				assertIdle(t, p.gate, slots)
			})
		})
	}
}

// A newcomer is next, after one running call, whatever the queues are.
func TestGate_newcomer_is_next(t *testing.T) {
	t.Parallel()
	for slots := 1; slots <= 4; slots++ {
		t.Run(fmt.Sprint(slots, " slots"), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlay(t, slots)
				p.queue("S", time.Second, 40)
				for range 5 { // signs in, rests, and signs in again
					time.Sleep(300 * time.Millisecond)
					before := len(p.String())
					p.queue("f", 90*time.Millisecond, 1)
					time.Sleep(time.Second)
					// Of calls admitted at the same instant, any may be
					// recorded first.
					order := p.since(before)
					f := slices.IndexFunc(order, func(a admission) bool { return a.ref == "f" })
					if f < 0 || !order[f].at.Equal(order[0].at) {
						t.Errorf("order = %v, want f first", order)
					}
				}
				time.Sleep(time.Hour)
				assertIdle(t, p.gate, slots)
			})
		})
	}
}

// Slots that no other project wanted are not charged to the one that used them.
func TestGate_idle_time_is_free(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlay(t, 1)
		p.queue("S", time.Hour, 1)
		time.Sleep(2 * time.Hour)
		p.queue("x", time.Second, 1)
		p.queue("S", time.Second, 2)
		p.queue("f", time.Second, 2)
		time.Sleep(time.Hour)
		if got := p.String(); got != "SxSfSf" {
			t.Errorf("order = %s, want SxSfSf", got)
		}
	})
}

// Time that a project left to others is not saved up: it must not shut them out
// for as long later.
func TestGate_saves_nothing_up(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ slots, before, fair int }{
		"never seen":        {1, 0, 2},
		"one call all long": {4, 1, 10}, // beside three of "S"
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlay(t, c.slots)
				p.queue("f", 5900*time.Millisecond, c.before)
				p.queue("S", time.Second, 60)
				time.Sleep(5800 * time.Millisecond)
				n := len(p.String())
				p.queue("f", 500*time.Millisecond, 80)
				time.Sleep(5 * time.Second)
				if got := strings.Count(p.String()[n:], "S"); got < c.fair {
					t.Errorf("%d calls of S in 5 seconds, want at least %d", got, c.fair)
				}
				time.Sleep(time.Hour)
				assertIdle(t, p.gate, c.slots)
			})
		})
	}
}

func TestGate_alone_uses_every_slot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlay(t, 3)
		p.queue("S", time.Second, 9)
		for n := 3; n <= 9; n += 3 {
			if got := len(p.String()); got != n {
				t.Errorf("%d admitted, want %d", got, n)
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		assertIdle(t, p.gate, 3)
	})
}

// The last slot goes to another waiting project, even one that used more.
func TestGate_last_slot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlay(t, 2)
		p.queue("S", time.Second, 1)
		time.Sleep(500 * time.Millisecond)
		p.queue("S", time.Second, 2)
		p.queue("f", time.Second, 1)
		p.gate.mu.Lock()
		p.gate.shares["f"].used += time.Hour
		p.gate.mu.Unlock()
		time.Sleep(time.Hour)
		if got := p.String(); got != "SSfS" {
			t.Errorf("order = %s, want SSfS", got)
		}
		assertIdle(t, p.gate, 2)
	})
}
