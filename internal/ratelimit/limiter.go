// Package ratelimit owns the request limits of each project: the rules, the
// counters, the refusals, and which address a request came from. It decides
// nothing about routes.
//
// Without a shared Source each process counts for itself: with n replicas a
// client has up to n times the limit.
package ratelimit

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// maxIdentifier is the longest identifier that is kept as it is. A longer one
// is replaced by its SHA-256, so that hostile input cannot take memory.
const maxIdentifier = 64

// Rule allows Events per Per, and up to Burst at once. Name tells rules apart
// within a project and must be one of a small fixed set.
type Rule struct {
	Name   string
	Events int
	Per    time.Duration
	Burst  int
	// Refusal returns the error for a caller that must wait;
	// auth.ErrRequestRate when nil. The wait is positive.
	Refusal func(wait time.Duration) *fault.Error
}

// Source keeps the counters: a token bucket for each project, rule name and
// identifier. The empty identifier is the project as a whole.
//
// The rules that a Source is given have positive Events, Per and Burst. Their
// numbers change when the project's configuration does; an existing bucket
// adapts. Identifiers are at most 64 bytes long. A method that waits for a
// store returns when ctx ends.
type Source interface {
	// Take takes one event out of the bucket and returns 0. When the bucket is
	// empty it takes nothing and returns the time until the next event.
	Take(ctx context.Context, ref tenants.Ref, rule Rule, identifier string) (wait time.Duration, err error)
	// Peek returns the same as Take, and takes nothing.
	Peek(ctx context.Context, ref tenants.Ref, rule Rule, identifier string) (wait time.Duration, err error)
	// Return puts one event back. A full bucket stays as it is.
	Return(ctx context.Context, ref tenants.Ref, rule Rule, identifier string) error
}

// How a Limiter treats a failing shared source.
const (
	sharedTimeout = 250 * time.Millisecond // for one call
	sharedPause   = 5 * time.Second        // after a failure, until the next call
)

// Options configure a Limiter.
type Options struct {
	// Shared is a Source that several processes share. When nil, the Limiter
	// counts in this process only.
	Shared Source
	// Keeper keeps wrong guesses, see Guess, under digests of their identifiers by
	// DigestKey. When nil, they end with this process.
	Keeper    Keeper
	DigestKey []byte
	// Logger records failures of the shared source; slog.Default() when nil.
	Logger *slog.Logger
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Limiter refuses events that exceed a rule.
//
// A failing shared source neither stops requests nor lifts the limits: the
// Limiter then counts in this process. It also counts here while the shared
// source works, so that a failure resets nothing that this process has counted;
// the counts of other processes are unknown during the failure. A failed source
// is not called again for a few seconds, so that few requests wait for it.
type Limiter struct {
	shared   Source // may be nil
	local    *Memory
	logger   *slog.Logger
	now      func() time.Time
	failures *failures    // nil without a Keeper
	askAt    atomic.Int64 // Unix time in nanoseconds before which shared is not called
}

// New returns a Limiter.
func New(o Options) *Limiter {
	if o.Now == nil {
		o.Now = time.Now
	}
	l := &Limiter{
		shared: o.Shared, local: NewMemory(MemoryOptions{Now: o.Now}), now: o.Now,
		logger: cmp.Or(o.Logger, slog.Default()),
	}
	if o.Keeper != nil {
		l.failures = &failures{keeper: o.Keeper, key: o.DigestKey, now: o.Now, waiting: map[bucketName]*waiting{}, of: map[tenants.Ref]int{}}
	}
	return l
}

// identify returns the name of an identifier's buckets.
func (l *Limiter) identify(ref tenants.Ref, identifier string) string {
	if l.failures != nil && identifier != "" {
		return l.failures.digest(ref, identifier)
	}
	return shorten(identifier)
}

// Allow counts one event of the identifier within the project, or returns the
// rule's refusal, with RetryAfter, and counts nothing. The empty identifier is
// the project as a whole. A rule without events refuses everything.
func (l *Limiter) Allow(ctx context.Context, ref tenants.Ref, rule Rule, identifier string) error {
	if rule.empty() {
		return rule.refuse(max(rule.Per, time.Second))
	}
	identifier = l.identify(ref, identifier)
	var wait time.Duration
	answered := l.ask(ctx, func(ctx context.Context) (err error) {
		wait, err = l.shared.Take(ctx, ref, rule, identifier)
		return err
	})
	if answered && wait > 0 {
		return rule.refuse(wait)
	}
	here, _ := l.local.Take(ctx, ref, rule, identifier)
	if !answered && here > 0 {
		return rule.refuse(here)
	}
	return nil
}

// Peek returns the same as Allow, and counts nothing.
func (l *Limiter) Peek(ctx context.Context, ref tenants.Ref, rule Rule, identifier string) error {
	if rule.empty() {
		return rule.refuse(max(rule.Per, time.Second))
	}
	identifier = l.identify(ref, identifier)
	var wait time.Duration
	if !l.ask(ctx, func(ctx context.Context) (err error) {
		wait, err = l.shared.Peek(ctx, ref, rule, identifier)
		return err
	}) {
		wait, _ = l.local.Peek(ctx, ref, rule, identifier)
	}
	if wait > 0 {
		return rule.refuse(wait)
	}
	return nil
}

// Guess runs attempt, which compares a value that the caller may be guessing,
// and counts it only if its error is wrong. The event is counted before attempt
// runs and refunded after it, so that concurrent attempts all count. When the
// rule refuses, attempt does not run. A Keeper keeps what counts.
func (l *Limiter) Guess(ctx context.Context, ref tenants.Ref, rule Rule, identifier string, wrong error, attempt func() error) error {
	if err := l.Allow(ctx, ref, rule, identifier); err != nil {
		return err
	}
	err := attempt()
	switch {
	case !errors.Is(err, wrong):
		l.Refund(ctx, ref, rule, identifier)
	case l.failures != nil:
		l.failures.add(ref, rule, l.identify(ref, identifier))
	}
	return err
}

// Refused reports whether err is the refusal of a rule.
func (r Rule) Refused(err error) bool {
	var by *Exceeded
	return errors.As(err, &by) && by.Rule.Name == r.Name
}

// Refund takes back an event that Allow counted. It works after ctx ended.
func (l *Limiter) Refund(ctx context.Context, ref tenants.Ref, rule Rule, identifier string) {
	if rule.empty() {
		return
	}
	identifier = l.identify(ref, identifier)
	l.ask(context.WithoutCancel(ctx), func(ctx context.Context) error {
		return l.shared.Return(ctx, ref, rule, identifier)
	})
	_ = l.local.Return(ctx, ref, rule, identifier)
}

// Forget drops this process's counts of a project, for instance when it is
// deleted. Counts in a shared source expire.
func (l *Limiter) Forget(ref tenants.Ref) { l.local.Forget(ref) }

// ask calls the shared source, unless it is nil or failed recently, and reports
// whether it answered.
func (l *Limiter) ask(ctx context.Context, call func(context.Context) error) bool {
	if l.shared == nil || l.now().UnixNano() < l.askAt.Load() {
		return false
	}
	limited, cancel := context.WithTimeout(ctx, sharedTimeout)
	defer cancel()
	err := call(limited)
	if err == nil {
		return true
	}
	// A caller that went away is not a failure of the source: otherwise a
	// client could switch it off by closing connections.
	if ctx.Err() == nil {
		l.askAt.Store(l.now().Add(sharedPause).UnixNano())
		l.logger.WarnContext(ctx, "shared rate limits are unavailable; this process counts for itself", "error", fault.Clip(err.Error(), 500))
	}
	return false
}

// empty reports whether the rule lets nothing pass.
func (r Rule) empty() bool { return r.Events <= 0 || r.Per <= 0 || r.Burst <= 0 }

// Exceeded is the cause of a refusal.
type Exceeded struct{ Rule Rule }

// Error names the rule.
func (e *Exceeded) Error() string { return "rule " + e.Rule.Name }

func (r Rule) refuse(wait time.Duration) error {
	refusal := auth.ErrRequestRate.After
	if r.Refusal != nil {
		refusal = r.Refusal
	}
	return refusal(wait).Because(&Exceeded{Rule: r})
}

func shorten(identifier string) string {
	if len(identifier) <= maxIdentifier {
		return identifier
	}
	sum := sha256.Sum256([]byte(identifier))
	// The prefix distinguishes it from an identifier that looks like a digest.
	return "\x00" + string(sum[:])
}
