package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
)

// replica is another process of the same installation, whose clock is off by skew.
func replica(f *flowtest.Fixture, skew time.Duration) session.Sessions {
	now := func() time.Time { return f.Clock.Now().Add(skew) }
	return session.Sessions{Tokens: token.Issuer{Now: now}, Active: session.NewActivity(10), Now: now}
}

// An honest client is never signed out, on whichever replica its requests arrive: when
// answers are lost and it tries again after minutes, when tabs present the same token at
// once, and when a tab presents the one that another tab has just replaced. A thief who
// presents an old token after the reuse interval ends the session.
func TestHonestClient(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	f.A.SignUp(t, "ann@example.com", "password123")
	ctx, sc := context.Background(), f.A.Scope()
	interval := time.Duration(sc.Tenant.Config.RefreshTokenReuseInterval) * time.Second
	const maxSkew = 2 * time.Second // between two replicas
	rapid.Check(t, func(rt *rapid.T) {
		at := func() session.Sessions {
			return replica(f, time.Duration(rapid.IntRange(0, 2000).Draw(rt, "skew"))*time.Millisecond)
		}
		stored := f.A.SignIn(t, "ann@example.com", "password123").Refresh
		first, replaced, since := stored, stored, f.Clock.Now()
		refresh := func(from string) string {
			tokens, err := at().Rotate(ctx, sc, from)
			if err != nil {
				rt.Fatalf("an honest client is refused: %v", err)
			}
			return tokens.RefreshToken
		}
		save := func(next string) {
			if next != stored {
				replaced, stored, since = stored, next, f.Clock.Now()
			}
		}
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			f.Clock.Advance(time.Duration(rapid.IntRange(0, 300).Draw(rt, "seconds")) * time.Second)
			switch rapid.SampledFrom([]string{"answered", "lost", "tabs", "a late tab"}).Draw(rt, "step") {
			case "answered":
				save(refresh(stored))
			case "lost": // and again, until an answer arrives
				for range rapid.IntRange(1, 3).Draw(rt, "lost") {
					refresh(stored)
					f.Clock.Advance(time.Duration(rapid.IntRange(0, 600).Draw(rt, "pause")) * time.Second)
				}
				save(refresh(stored))
			case "tabs":
				var wg sync.WaitGroup
				next, errs := make([]string, 3), make([]error, 3)
				for i := range next {
					s := at()
					wg.Go(func() {
						tokens, err := s.Rotate(ctx, sc, stored)
						if errs[i] = err; err == nil {
							next[i] = tokens.RefreshToken
						}
					})
				}
				wg.Wait()
				if err := errors.Join(errs...); err != nil || next[0] != next[1] || next[1] != next[2] {
					rt.Fatalf("tabs: %v %v", next, err)
				}
				save(next[0])
			case "a late tab": // it read the token before another tab replaced it
				if f.Clock.Now().Sub(since) < interval-maxSkew {
					save(refresh(replaced))
				}
			}
		}
		for range 2 { // so that the first token is older than the one before the newest
			save(refresh(stored))
		}
		f.Clock.Advance(interval + maxSkew)
		if _, err := at().Rotate(ctx, sc, first); !errors.Is(err, auth.ErrRefreshUsed) {
			rt.Fatalf("a stolen token: %v", err)
		}
		if _, err := at().Rotate(ctx, sc, stored); !errors.Is(err, auth.ErrRefreshNotFound) {
			rt.Fatalf("after the theft: %v", err)
		}
	})
}
