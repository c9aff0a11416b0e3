package ratelimit_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
)

func TestPeekAndRefund(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	now := time.Unix(1_000_000, 0)
	l := ratelimit.New(ratelimit.Options{Now: func() time.Time { return now }})
	a, b := tenants.NewRef(), tenants.NewRef()
	rule := ratelimit.Rule{Name: "x", Events: 2, Per: time.Hour, Burst: 2}
	allowed := func(ref tenants.Ref, r ratelimit.Rule) bool { return l.Allow(ctx, ref, r, "id") == nil }
	peek := func(ref tenants.Ref, r ratelimit.Rule) bool { return l.Peek(ctx, ref, r, "id") == nil }

	for range 2 {
		if !peek(a, rule) || !allowed(a, rule) {
			t.Fatal("one of the first two was refused")
		}
	}
	if peek(a, rule) || allowed(a, rule) {
		t.Fatal("a third passed")
	}
	if !peek(b, rule) {
		t.Error("another project is refused")
	}
	l.Refund(ctx, a, rule, "id")
	if one, two := allowed(a, rule), allowed(a, rule); !one || two {
		t.Error("a refund is worth one event")
	}
	for range 10 {
		l.Refund(ctx, b, rule, "id") // nothing was taken
	}
	if one, two, three := allowed(b, rule), allowed(b, rule), allowed(b, rule); !one || !two || three {
		t.Error("refunds of a full bucket are worth nothing")
	}
	raised := rule
	raised.Events, raised.Burst = 5, 5
	if !peek(a, raised) {
		t.Error("a limit that was raised still refuses")
	}
	for range 3 {
		if !allowed(a, raised) {
			t.Error("a limit that was raised by three lets fewer pass")
		}
	}
	if allowed(a, raised) {
		t.Error("a limit that was raised by three lets more pass")
	}
}

func TestGuess(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	now := time.Unix(1_000_000, 0)
	l := ratelimit.New(ratelimit.Options{Now: func() time.Time { return now }})
	ref := tenants.NewRef()
	rule := ratelimit.Rule{Name: "x", Events: 2, Per: time.Hour, Burst: 2}
	wrong, other := errors.New("wrong"), errors.New("other")
	ran := 0
	guess := func(err error) error {
		return l.Guess(ctx, ref, rule, "id", wrong, func() error { ran++; return err })
	}
	for range 5 {
		if err := guess(nil); err != nil {
			t.Fatal(err)
		}
		if err := guess(other); !errors.Is(err, other) {
			t.Fatalf("error %v, want the attempt's", err)
		}
	}
	for range 2 {
		if err := guess(fmt.Errorf("compare: %w", wrong)); !errors.Is(err, wrong) {
			t.Fatalf("error %v, want the attempt's", err)
		}
	}
	ran = 0
	if err := guess(nil); err == nil || ran != 0 {
		t.Errorf("after two wrong guesses: error %v, %d attempts", err, ran)
	}
}
