package ratelimit

import (
	"time"

	"github.com/reevehq/reeve/tenants"
)

// Refund puts back an event that Allow took: for limits that count failures
// only. Such an event is taken first and put back on success, so that attempts
// made at the same time all count.
func (l *Limiter) Refund(ref tenants.Ref, rule Rule, identifier string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.find(ref, key{rule: rule.Name, identifier: shorten(identifier)}); b != nil {
		b.AllowN(l.Now(), -1) // a bucket that is full stays so
	}
}

// Peek tells what Allow would, and takes nothing.
func (l *Limiter) Peek(ref tenants.Ref, rule Rule, identifier string) (ok bool, retryAfter time.Duration) {
	k := key{rule: rule.Name, identifier: shorten(identifier)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.find(ref, k) == nil {
		return true, 0
	}
	now := l.Now()
	b := l.bucket(ref, k, rule, now)
	missing := 1 - b.TokensAt(now)
	if missing <= 0 {
		return true, 0
	}
	wait := time.Duration(missing / float64(b.Limit()) * float64(time.Second))
	return false, wait.Truncate(time.Millisecond) + time.Millisecond
}
