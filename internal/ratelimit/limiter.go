// Package ratelimit owns the request limits of each project: token buckets in
// the memory of this process, the rules, and which address a request came from.
// It decides nothing about routes, and shares nothing between replicas: with n
// replicas a client has up to n times the limit.
package ratelimit

import (
	"crypto/sha256"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/reevehq/reeve/tenants"
)

// Defaults of Options.
const (
	DefaultMaxEntries = 200_000
	DefaultPerProject = 10_000
)

// maxIdentifier is the longest identifier that is kept as it is; of a longer
// one its SHA-256, so that hostile input cannot take memory.
const maxIdentifier = 64

// Rule allows Events per Per, and up to Burst at once. Name tells rules apart
// within a project and must be one of a small fixed set.
type Rule struct {
	Name   string
	Events int
	Per    time.Duration
	Burst  int
}

// Options size a Limiter.
type Options struct {
	// MaxEntries bounds the buckets over all projects; DefaultMaxEntries when
	// not positive. A bucket takes about 300 bytes.
	MaxEntries int
	// PerProject bounds the buckets of one project; DefaultPerProject when not
	// positive.
	PerProject int
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Limiter holds a token bucket for each project, rule and identifier.
//
// Memory is bounded without letting one project, or one client, wipe another's
// state:
//   - buckets of a whole project (identifier "") are never evicted, so a flood
//     of addresses cannot reset a project's mail limit;
//   - a project at PerProject loses its own least recently used bucket;
//   - at MaxEntries the project that holds the most loses its own, so one that
//     holds less than its share, MaxEntries divided by the projects, loses none;
//   - buckets that are full again carry nothing and are dropped on the way.
type Limiter struct {
	// Now is the clock.
	Now func() time.Time

	maxEntries, perProject int

	mu       sync.Mutex
	projects map[tenants.Ref]*project
	largest  bySize // heap; the front holds the most entries
	recent   recent // projects by last use
	entries  int    // evictable buckets over all projects
}

// New makes a Limiter.
func New(o Options) *Limiter {
	if o.MaxEntries <= 0 {
		o.MaxEntries = DefaultMaxEntries
	}
	if o.PerProject <= 0 {
		o.PerProject = DefaultPerProject
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Limiter{
		Now:        o.Now,
		maxEntries: o.MaxEntries,
		perProject: min(o.PerProject, o.MaxEntries),
		projects:   make(map[tenants.Ref]*project),
		recent:     newRecent(),
	}
}

// Allow takes one event from the bucket of the rule and identifier within the
// project. When it refuses it takes nothing, and retryAfter, always positive
// and rounded up to a millisecond, is when the event would pass. The empty
// identifier is the project as a whole.
func (l *Limiter) Allow(ref tenants.Ref, rule Rule, identifier string) (ok bool, retryAfter time.Duration) {
	return l.AllowN(ref, rule, identifier, 1)
}

// AllowN takes n events or none. More events than the burst never pass, nor
// does any event of a rule that has none.
func (l *Limiter) AllowN(ref tenants.Ref, rule Rule, identifier string, n int) (ok bool, retryAfter time.Duration) {
	if n <= 0 { // a negative n would fill the bucket
		return true, 0
	}
	if rule.Events <= 0 || rule.Per <= 0 || n > rule.Burst {
		return false, max(rule.Per, time.Second)
	}
	k := key{rule: rule.Name, identifier: shorten(identifier)}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Now()
	bucket := l.bucket(ref, k, rule, now)
	if bucket.AllowN(now, n) {
		return true, 0
	}
	missing := float64(n) - bucket.TokensAt(now)
	wait := time.Duration(missing / float64(bucket.Limit()) * float64(time.Second))
	return false, wait.Truncate(time.Millisecond) + time.Millisecond
}

// Forget drops all state of a project, as when it is deleted.
func (l *Limiter) Forget(ref tenants.Ref) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.projects[ref]; p != nil {
		l.drop(p)
	}
}

// Len tells how many buckets are held, for metrics.
func (l *Limiter) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.entries
	for _, p := range l.projects {
		n += len(p.whole)
	}
	return n
}

// bucket finds or makes a bucket and adapts it to the rule as it is now.
func (l *Limiter) bucket(ref tenants.Ref, k key, rule Rule, now time.Time) *rate.Limiter {
	limit := rate.Limit(float64(rule.Events) / rule.Per.Seconds())
	b := l.find(ref, k)
	if b == nil {
		b = rate.NewLimiter(limit, rule.Burst)
		l.insert(ref, k, b, now)
		return b
	}
	if b.Limit() != limit {
		b.SetLimitAt(now, limit)
	}
	if old := b.Burst(); old != rule.Burst {
		b.SetBurstAt(now, rule.Burst)
		if rule.Burst > old {
			b.AllowN(now, old-rule.Burst) // who raises a limit waits for nothing
		}
	}
	return b
}

func shorten(identifier string) string {
	if len(identifier) <= maxIdentifier {
		return identifier
	}
	sum := sha256.Sum256([]byte(identifier))
	// The prefix keeps it apart from an identifier that spells a digest.
	return "\x00" + string(sum[:])
}
