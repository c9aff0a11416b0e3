package message

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/reevehq/reeve/internal/fault"
)

func TestChecker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewChecker(1)
		if err := c.slots.Acquire(t.Context(), 1); err != nil { // another check runs
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		left, waits := make(chan error, 1), make(chan error, 1)
		go func() { left <- c.Check(ctx, Recovery, false, "x") }()
		synctest.Wait()
		go func() { waits <- c.Check(t.Context(), Recovery, false, "{{") }()
		synctest.Wait()
		select {
		case err := <-left:
			t.Fatalf("two checks run at a time: %v", err)
		case err := <-waits:
			t.Fatalf("two checks run at a time: %v", err)
		default:
		}
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("a caller that left: %v", err)
		}
		c.slots.Release(1)
		if err := <-waits; fault.From(err).Kind != fault.Invalid {
			t.Errorf("the next: %v", err)
		}
		if err := c.Check(t.Context(), Recovery, false, "x"); err != nil {
			t.Errorf("a slot was lost: %v", err)
		}
	})
}
