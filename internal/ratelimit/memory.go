package ratelimit

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/reevehq/reeve/tenants"
)

// Defaults of MemoryOptions.
const (
	DefaultMaxEntries = 200_000
	DefaultPerProject = 10_000
)

// MemoryOptions size a Memory.
type MemoryOptions struct {
	// MaxEntries bounds the buckets over all projects; DefaultMaxEntries when
	// not positive. A bucket takes about 300 bytes.
	MaxEntries int
	// PerProject bounds the buckets of one project; DefaultPerProject when not
	// positive.
	PerProject int
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Memory is a Source in this process: a token bucket for each project, rule and
// identifier. Its methods return no error.
//
// Memory is bounded without letting one project, or one client, wipe another's
// state:
//   - buckets of a whole project (identifier "") are never evicted, so a flood
//     of addresses cannot reset a project's mail limit;
//   - a project at PerProject loses its own least recently used bucket, one that is
//     nearly full before one that is spent;
//   - at MaxEntries the project that holds the most loses its own, so one that
//     holds less than its share, MaxEntries divided by the projects, loses none;
//   - buckets that are full again carry nothing and are dropped on the way.
type Memory struct {
	now func() time.Time

	maxEntries, perProject int

	mu       sync.Mutex
	projects map[tenants.Ref]*project
	largest  bySize // heap; the front holds the most entries
	recent   recent // projects by last use
	entries  int    // evictable buckets over all projects
}

var _ Source = (*Memory)(nil)

// NewMemory makes a Memory.
func NewMemory(o MemoryOptions) *Memory {
	if o.MaxEntries <= 0 {
		o.MaxEntries = DefaultMaxEntries
	}
	if o.PerProject <= 0 {
		o.PerProject = DefaultPerProject
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Memory{
		now:        o.Now,
		maxEntries: o.MaxEntries,
		perProject: min(o.PerProject, o.MaxEntries),
		projects:   make(map[tenants.Ref]*project),
		recent:     newRecent(),
	}
}

// Take implements Source. The wait is rounded up to a millisecond.
func (m *Memory) Take(_ context.Context, ref tenants.Ref, rule Rule, identifier string) (wait time.Duration, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	b := m.bucket(ref, key{rule: rule.Name, identifier: identifier}, rule, now)
	if b.AllowN(now, 1) {
		return 0, nil
	}
	return untilNext(b, now), nil
}

// Peek implements Source.
func (m *Memory) Peek(_ context.Context, ref tenants.Ref, rule Rule, identifier string) (wait time.Duration, err error) {
	k := key{rule: rule.Name, identifier: identifier}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.find(ref, k) == nil {
		return 0, nil
	}
	now := m.now()
	b := m.bucket(ref, k, rule, now)
	if b.TokensAt(now) >= 1 {
		return 0, nil
	}
	return untilNext(b, now), nil
}

// Return implements Source.
func (m *Memory) Return(_ context.Context, ref tenants.Ref, rule Rule, identifier string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b := m.find(ref, key{rule: rule.Name, identifier: identifier}); b != nil {
		b.AllowN(m.now(), -1) // a full bucket stays full
	}
	return nil
}

// Forget drops all buckets of a project, for instance when it is deleted.
func (m *Memory) Forget(ref tenants.Ref) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.projects[ref]; p != nil {
		m.drop(p)
	}
}

// Len returns the number of buckets, for metrics.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.entries
	for _, p := range m.projects {
		n += len(p.whole)
	}
	return n
}

// bucket finds or creates a bucket and adapts it to the current rule.
func (m *Memory) bucket(ref tenants.Ref, k key, rule Rule, now time.Time) *rate.Limiter {
	limit := rate.Limit(float64(rule.Events) / rule.Per.Seconds())
	b := m.find(ref, k)
	if b == nil {
		b = rate.NewLimiter(limit, rule.Burst)
		m.insert(ref, k, b, now)
		return b
	}
	if b.Limit() != limit {
		b.SetLimitAt(now, limit)
	}
	if old := b.Burst(); old != rule.Burst {
		b.SetBurstAt(now, rule.Burst)
		if rule.Burst > old {
			b.AllowN(now, old-rule.Burst) // a raised limit takes effect at once
		}
	}
	return b
}

// untilNext is the time until a bucket holds one event, rounded up to a
// millisecond.
func untilNext(b *rate.Limiter, now time.Time) time.Duration {
	missing := 1 - b.TokensAt(now)
	wait := time.Duration(missing / float64(b.Limit()) * float64(time.Second))
	return wait.Truncate(time.Millisecond) + time.Millisecond
}
