package ratelimit

import (
	"time"

	"github.com/reevehq/reeve/tenants"
)

// Peek tells what Allow would, and takes nothing: for limits that count only
// failures, which are known afterwards.
func (l *Limiter) Peek(ref tenants.Ref, rule Rule, identifier string) (ok bool, retryAfter time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.find(ref, key{rule: rule.Name, identifier: shorten(identifier)})
	if b == nil {
		return true, 0
	}
	missing := 1 - b.TokensAt(l.Now())
	if missing <= 0 {
		return true, 0
	}
	wait := time.Duration(missing / float64(b.Limit()) * float64(time.Second))
	return false, wait.Truncate(time.Millisecond) + time.Millisecond
}
