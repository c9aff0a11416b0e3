package message

import (
	"context"
	"fmt"

	"golang.org/x/sync/semaphore"
)

// Checker checks templates for callers that are strangers: of all calls in the
// process only a few run at a time, first come, first served, so that checks
// leave processors to everything else.
type Checker struct{ slots *semaphore.Weighted }

// NewChecker returns a Checker that runs n checks at a time.
func NewChecker(n int) *Checker { return &Checker{slots: semaphore.NewWeighted(int64(n))} }

// Check is CheckTemplate, after its turn has come. It returns the context's
// error if that ends first.
func (c *Checker) Check(ctx context.Context, kind Kind, subject bool, text string) error {
	if err := c.slots.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("wait for the check of a template: %w", err)
	}
	defer c.slots.Release(1)
	return CheckTemplate(kind, subject, text)
}
