package hook

import (
	"sync"
	"time"

	"github.com/reevehq/reeve/tenants"
)

// The rules of a breaker: after so many calls in a row without an answer the hook is
// not called for a while; then one call tries whether it answers again.
const (
	breakAfter  = 5
	breakFor    = 10 * time.Second
	maxBreakers = 10_000
)

type breakerKey struct {
	ref   tenants.Ref
	point string
}

// breakers remember the hooks that do not answer. Only silence counts, of which the
// hook's receiver is the cause: not a failure that a user's input may bring about,
// with which anybody could switch the hook off for all.
type breakers struct {
	now func() time.Time

	mu     sync.Mutex
	silent map[breakerKey]*silence
	recent map[breakerKey]time.Duration // of the last call; forgotten when there are too many
}

type silence struct {
	calls    int
	openedAt time.Time // zero while calls are let through
	trying   bool
}

func newBreakers(now func() time.Time) *breakers {
	return &breakers{now: now, silent: map[breakerKey]*silence{}, recent: map[breakerKey]time.Duration{}}
}

// allow reports whether the hook may be called. Each true is followed by
// note or untried.
func (b *breakers) allow(key breakerKey) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.silent[key]
	switch {
	case s == nil || s.openedAt.IsZero():
		return true
	case s.trying || b.now().Before(s.openedAt.Add(breakFor)):
		return false
	}
	s.trying = true
	return true
}

// note says how a call ended.
func (b *breakers) note(key breakerKey, unanswered bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.silent[key]
	if !unanswered {
		if s != nil && (s.openedAt.IsZero() || s.trying) {
			delete(b.silent, key)
		}
		return
	}
	if s == nil {
		if len(b.silent) >= maxBreakers {
			return
		}
		s = &silence{}
		b.silent[key] = s
	}
	s.calls++
	if s.calls >= breakAfter {
		s.openedAt, s.trying = b.now(), false
	}
}

// untried says that a call ended without saying anything about the hook.
func (b *breakers) untried(key breakerKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.silent[key]; s != nil {
		s.trying = false
	}
}

// took notes how long a call took.
func (b *breakers) took(key breakerKey, d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.recent) >= maxBreakers {
		clear(b.recent)
	}
	b.recent[key] = d
}

// last is how long the last call took.
func (b *breakers) last(key breakerKey) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.recent[key]
}

// Open reports whether this process does not call the hook at the moment.
func (h *Hooks) Open(ref tenants.Ref, point string) bool {
	h.breakers.mu.Lock()
	defer h.breakers.mu.Unlock()
	s := h.breakers.silent[breakerKey{ref, point}]
	return s != nil && !s.openedAt.IsZero() && h.now().Before(s.openedAt.Add(breakFor))
}
