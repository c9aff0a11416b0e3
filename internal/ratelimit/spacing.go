package ratelimit

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// Spacing spaces out messages of a purpose to one address: one in Gap. Without a
// Gap, and for the empty address, everything passes.
type Spacing struct {
	Limiter *Limiter
	Name    string // of the rule
	Gap     time.Duration
	// Refusal is the error for a request that comes too soon; it gets the text that
	// says when to ask again.
	Refusal *fault.Error
}

// Allow counts a request, or returns Refusal.
func (s Spacing) Allow(ctx context.Context, ref tenants.Ref, purpose, address string) error {
	if s.passes(address) {
		return nil
	}
	return s.Limiter.Allow(ctx, ref, s.rule(purpose), address)
}

// Peek returns the same as Allow, and counts nothing.
func (s Spacing) Peek(ctx context.Context, ref tenants.Ref, purpose, address string) error {
	if s.passes(address) {
		return nil
	}
	return s.Limiter.Peek(ctx, ref, s.rule(purpose), address)
}

// Refund takes back a request that Allow counted.
func (s Spacing) Refund(ctx context.Context, ref tenants.Ref, purpose, address string) {
	if !s.passes(address) {
		s.Limiter.Refund(ctx, ref, s.rule(purpose), address)
	}
}

// Since returns Refusal if the last message was sent less than Gap before now;
// lastSent may be nil.
func (s Spacing) Since(lastSent *time.Time, now time.Time) error {
	if lastSent == nil || s.Gap <= 0 {
		return nil
	}
	if wait := lastSent.Add(s.Gap).Sub(now); wait > 0 {
		return s.refuse(wait)
	}
	return nil
}

func (s Spacing) passes(address string) bool { return s.Gap <= 0 || address == "" }

func (s Spacing) rule(purpose string) Rule {
	return Rule{
		Name: s.Name, Events: 1, Per: s.Gap, Burst: 1,
		Refusal: func(wait time.Duration) *fault.Error { return s.refuse(min(wait, s.Gap)) },
	}.For(purpose)
}

func (s Spacing) refuse(wait time.Duration) *fault.Error {
	return s.Refusal.Saying(fmt.Sprintf(auth.TextEmailTooSoon, int(math.Ceil(wait.Seconds())))).After(wait)
}
