package ratelimit

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// waitOf checks that err is the refusal and returns its wait, 0 for no error.
func waitOf(t *testing.T, err error, refusal *fault.Error) time.Duration {
	t.Helper()
	if err == nil {
		return 0
	}
	if !errors.Is(err, refusal) {
		t.Fatalf("refused with %v, want %v", err, refusal)
	}
	wait := fault.From(err).RetryAfter
	if wait <= 0 {
		t.Fatalf("refused without RetryAfter: %v", err)
	}
	return wait
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	own := fault.New(fault.TooMany, "own", "Own")
	named := Rule{Name: "named", Events: 1, Per: time.Minute, Burst: 1, Refusal: func(wait time.Duration) *fault.Error {
		return own.Saying(wait.Truncate(time.Second).String()).After(wait)
	}}
	for name, c := range map[string]struct {
		rule    Rule
		refusal *fault.Error
		wait    time.Duration
	}{
		"email":  {EmailSent(1), auth.ErrEmailRate, time.Hour},
		"verify": {Verify(1), auth.ErrRequestRate, 5 * time.Minute},
		"token":  {Token(1), auth.ErrRequestRate, 5 * time.Minute},
		"otp":    {OTP(1).For("signup"), auth.ErrRequestRate, 5 * time.Minute},
		"own":    {named, own, time.Minute},
	} {
		l := New(Options{Now: newClock().Now})
		for _, call := range []func() error{
			func() error { return l.Peek(t.Context(), projectA, c.rule, "x") },
			func() error { return l.Allow(t.Context(), projectA, c.rule, "x") },
		} {
			if err := call(); err != nil {
				t.Fatalf("%s: the first was refused: %v", name, err)
			}
		}
		peek, allow := l.Peek(t.Context(), projectA, c.rule, "x"), l.Allow(t.Context(), projectA, c.rule, "x")
		for _, err := range []error{peek, allow} {
			if wait := waitOf(t, err, c.refusal); wait < c.wait || wait > c.wait+time.Millisecond {
				t.Errorf("%s: wait for %v, want %v", name, wait, c.wait)
			}
		}
	}
	l := New(Options{Now: newClock().Now})
	_ = l.Allow(t.Context(), projectA, named, "x")
	if got := fault.From(l.Allow(t.Context(), projectA, named, "x")).Message; got != "1m0s" {
		t.Errorf("message %q does not tell the wait", got)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ got, want Rule }{
		"email":      {EmailSent(30), Rule{Name: "email_sent", Events: 30, Per: time.Hour, Burst: 30}},
		"many mails": {EmailSent(1000), Rule{Name: "email_sent", Events: 1000, Per: time.Hour, Burst: 1000}},
		"verify":     {Verify(30), Rule{Name: "verify", Events: 30, Per: 5 * time.Minute, Burst: 30}},
		"token":      {Token(150), Rule{Name: "token", Events: 150, Per: 5 * time.Minute, Burst: 30}},
		"otp":        {OTP(30), Rule{Name: "otp", Events: 30, Per: 5 * time.Minute, Burst: 30}},
		"part":       {OTP(3).For("recover"), Rule{Name: "otp/recover", Events: 3, Per: 5 * time.Minute, Burst: 3}},
	} {
		if c.got.Name != c.want.Name || c.got.Events != c.want.Events || c.got.Per != c.want.Per || c.got.Burst != c.want.Burst {
			t.Errorf("%s = %+v, want %+v", name, c.got, c.want)
		}
	}
}

// A rule without events refuses before anything is counted, also in Peek.
func TestRule_without_events(t *testing.T) {
	t.Parallel()
	l := New(Options{Shared: &failing{err: errors.New("not to be asked")}, Now: newClock().Now})
	for _, rule := range []Rule{EmailSent(0), EmailSent(-1)} {
		l.Refund(t.Context(), projectA, rule, "")
		for _, err := range []error{l.Allow(t.Context(), projectA, rule, ""), l.Peek(t.Context(), projectA, rule, "")} {
			if wait := waitOf(t, err, auth.ErrEmailRate); wait != time.Hour {
				t.Errorf("%d events: wait for %v, want an hour", rule.Events, wait)
			}
		}
	}
	if err := l.Allow(t.Context(), projectA, Rule{Name: "x"}, ""); waitOf(t, err, auth.ErrRequestRate) < time.Second {
		t.Errorf("the zero rule: %v", err)
	}
	if l.local.Len() != 0 {
		t.Error("a bucket was made")
	}
}

func TestLong_identifiers(t *testing.T) {
	t.Parallel()
	shared := &failing{Source: NewMemory(MemoryOptions{})}
	l := New(Options{Shared: shared})
	long := strings.Repeat("x", 1<<20)
	for i := range 3 {
		if err := l.Allow(t.Context(), projectA, OTP(2), long+"a"); (err == nil) != (i < 2) {
			t.Errorf("event %d: %v", i, err)
		}
	}
	if err := l.Allow(t.Context(), projectA, OTP(2), long+"b"); err != nil {
		t.Error("long identifiers are not told apart")
	}
	if shared.longest == 0 || shared.longest > maxIdentifier {
		t.Errorf("the source was given %d bytes", shared.longest)
	}
}

// failing is a shared source that can fail or hang.
type failing struct {
	Source
	err     error
	hang    bool
	calls   int
	longest int
}

func (f *failing) fail(ctx context.Context, identifier string) error {
	f.calls++
	f.longest = max(f.longest, len(identifier))
	if f.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return f.err
}

func (f *failing) Take(ctx context.Context, ref tenants.Ref, rule Rule, identifier string) (time.Duration, error) {
	if err := f.fail(ctx, identifier); err != nil {
		return 0, err
	}
	return f.Source.Take(ctx, ref, rule, identifier)
}

func (f *failing) Peek(ctx context.Context, ref tenants.Ref, rule Rule, identifier string) (time.Duration, error) {
	if err := f.fail(ctx, identifier); err != nil {
		return 0, err
	}
	return f.Source.Peek(ctx, ref, rule, identifier)
}

func (f *failing) Return(ctx context.Context, ref tenants.Ref, rule Rule, identifier string) error {
	if err := f.fail(ctx, identifier); err != nil {
		return err
	}
	return f.Source.Return(ctx, ref, rule, identifier)
}

// Two processes that share a source share the limit, and refund into it.
func TestShared(t *testing.T) {
	t.Parallel()
	c := newClock()
	shared := NewMemory(MemoryOptions{Now: c.Now})
	one, two := New(Options{Shared: shared, Now: c.Now}), New(Options{Shared: shared, Now: c.Now})
	rule := perMinute(2)
	if one.Allow(t.Context(), projectA, rule, "x") != nil || two.Allow(t.Context(), projectA, rule, "x") != nil {
		t.Fatal("one of the first two was refused")
	}
	for _, l := range []*Limiter{one, two} {
		for _, err := range []error{l.Peek(t.Context(), projectA, rule, "x"), l.Allow(t.Context(), projectA, rule, "x")} {
			if waitOf(t, err, auth.ErrRequestRate) == 0 {
				t.Error("a third passed")
			}
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	one.Refund(ended, projectA, rule, "x")
	if two.Allow(t.Context(), projectA, rule, "x") != nil {
		t.Error("the refund is not seen by the other process")
	}
}

// A failing shared source neither stops requests nor lifts the limits.
func TestShared_fails(t *testing.T) {
	t.Parallel()
	for name, breakIt := range map[string]func(*failing){
		"error": func(f *failing) { f.err = errors.New("connection refused") },
		"hangs": func(f *failing) { f.hang = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, c, rule := t.Context(), newClock(), perMinute(5)
			shared := &failing{Source: NewMemory(MemoryOptions{Now: c.Now})}
			var log bytes.Buffer
			l := New(Options{Shared: shared, Now: c.Now, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			for range 2 {
				if err := l.Allow(ctx, projectA, rule, "x"); err != nil {
					t.Fatal(err)
				}
			}
			breakIt(shared)
			shared.calls = 0
			if err := l.Peek(ctx, projectA, rule, "x"); err != nil {
				t.Fatalf("stopped by the failure: %v", err)
			}
			passed := 0
			for range 10 {
				if l.Allow(ctx, projectA, rule, "x") == nil {
					passed++
				}
			}
			if passed != 3 {
				t.Errorf("%d passed, want the 3 that were left before the failure", passed)
			}
			if waitOf(t, l.Peek(ctx, projectA, rule, "x"), auth.ErrRequestRate) == 0 {
				t.Error("Peek lets pass what Allow refuses")
			}
			l.Refund(ctx, projectA, rule, "x")
			if err := l.Allow(ctx, projectA, rule, "x"); err != nil {
				t.Errorf("after a refund: %v", err)
			}
			if shared.calls != 1 || strings.Count(log.String(), "level=WARN") != 1 {
				t.Errorf("the source was asked %d times; log: %s", shared.calls, log.String())
			}

			shared.err, shared.hang = nil, false
			c.advance(sharedPause)
			if err := l.Allow(ctx, projectA, rule, "y"); err != nil || shared.calls != 2 {
				t.Errorf("after the pause: %v, %d calls", err, shared.calls)
			}
		})
	}
}

// A client that closes its connection does not switch the shared source off.
func TestShared_caller_went_away(t *testing.T) {
	t.Parallel()
	shared := &failing{Source: NewMemory(MemoryOptions{}), hang: true}
	l := New(Options{Shared: shared})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	passed := 0
	for range 5 {
		if l.Allow(gone, projectA, Verify(2), "x") == nil {
			passed++
		}
	}
	if passed != 2 {
		t.Errorf("%d events of a caller that went away passed, want 2", passed)
	}
	shared.hang = false
	if err := l.Allow(t.Context(), projectA, Verify(2), "y"); err != nil || shared.calls != 6 {
		t.Errorf("%v after %d calls, want the source to be asked", err, shared.calls)
	}
}
