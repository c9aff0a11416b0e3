package ratelimit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// Failures are the wrong guesses in one bucket.
type Failures struct {
	Ref        tenants.Ref `json:"ref"`
	Rule       string      `json:"rule"`
	Identifier string      `json:"identifier"` // a digest
	Count      float64     `json:"count"`      // those that are not forgotten
	Rate       float64     `json:"rate"`       // how many are forgotten per second
	Burst      int         `json:"burst"`      // the most that count
}

// Keeper keeps failures for all processes, and beyond their end.
type Keeper interface {
	// KeepFailures adds failures to what is kept. The list has each bucket once. Of a
	// project that has too many, those that are forgotten first are dropped.
	KeepFailures(ctx context.Context, list []Failures) error
	// KeptFailures returns up to max buckets that changed after since, a time of the
	// Keeper's clock, in the order of their changes, and the time of the last change.
	KeptFailures(ctx context.Context, since time.Time, max int) ([]Failures, time.Time, error)
}

// How a Limiter works with its Keeper.
const (
	keepInterval = time.Second
	keepTimeout  = 5 * time.Second
	keepBatch    = 5_000
	// A change may become visible after a later one.
	keepOverlap = 3 * time.Second
	// maxUnkept bounds the buckets that wait to be kept, maxUnkeptOf those of a
	// project; more count in this process only.
	maxUnkept   = 50_000
	maxUnkeptOf = 5_000
)

// failures are those of this process that are still to be kept.
type failures struct {
	keeper Keeper
	key    []byte

	now func() time.Time

	mu      sync.Mutex
	waiting map[bucketName]*waiting
	of      map[tenants.Ref]int // how many of them wait
	seen    time.Time           // of the last change that was read
	failing bool
}

// waiting are failures that are still to be kept.
type waiting struct {
	Failures
	at time.Time // of Count
}

// forget reduces the count by what is forgotten since.
func (w *waiting) forget(now time.Time) {
	w.Count, w.at = max(0, w.Count-w.Rate*now.Sub(w.at).Seconds()), now
}

type bucketName struct {
	ref tenants.Ref
	key key
}

// digest stands for an identifier, which is not stored: it may name a person.
func (f *failures) digest(ref tenants.Ref, identifier string) string {
	mac := hmac.New(sha256.New, f.key)
	mac.Write([]byte(string(ref) + "\x00" + identifier))
	return base64.RawStdEncoding.EncodeToString(mac.Sum(nil))
}

func (f *failures) add(ref tenants.Ref, rule Rule, identifier string) {
	name := bucketName{ref, key{rule.Name, identifier}}
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.waiting[name]
	if w == nil {
		w = &waiting{Failures{Ref: ref, Rule: rule.Name, Identifier: identifier}, f.now()}
		if !f.wait(name, w) {
			return
		}
	}
	w.forget(f.now())
	w.Count++
	w.Rate, w.Burst = float64(rule.Events)/rule.Per.Seconds(), rule.Burst
}

// wait adds what waits to be kept, unless too much does.
func (f *failures) wait(name bucketName, w *waiting) bool {
	if len(f.waiting) >= maxUnkept || f.of[name.ref] >= maxUnkeptOf {
		return false
	}
	f.waiting[name] = w
	f.of[name.ref]++
	return true
}

// take removes a batch from those that wait.
func (f *failures) take() (batch []Failures) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, w := range f.waiting {
		if len(batch) == keepBatch {
			break
		}
		if w.forget(f.now()); w.Count > 0 {
			batch = append(batch, w.Failures)
		}
		delete(f.waiting, name)
		if f.of[name.ref]--; f.of[name.ref] == 0 {
			delete(f.of, name.ref)
		}
	}
	return batch
}

func (f *failures) putBack(batch []Failures) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range batch {
		b := &batch[i]
		name := bucketName{b.Ref, key{b.Rule, b.Identifier}}
		if w := f.waiting[name]; w != nil {
			w.Count += b.Count
		} else {
			f.wait(name, &waiting{*b, f.now()})
		}
	}
}

// Load reads what is kept. It is called before the first guess, and then Run
// reads what other processes add.
func (l *Limiter) Load(ctx context.Context) error {
	if l.failures == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, keepTimeout)
	defer cancel()
	for {
		list, last, err := l.failures.keeper.KeptFailures(ctx, l.failures.seen, keepBatch)
		if err != nil {
			return fmt.Errorf("read failed guesses: %w", err)
		}
		for i := range list {
			l.local.raise(&list[i])
		}
		if len(list) < keepBatch {
			if len(list) > 0 {
				l.failures.seen = last.Add(-keepOverlap)
			}
			return nil
		}
		l.failures.seen = last
	}
}

// Flush hands all failures of this process to the Keeper.
func (l *Limiter) Flush(ctx context.Context) error {
	if l.failures == nil {
		return nil
	}
	for {
		batch := l.failures.take()
		if len(batch) == 0 {
			return nil
		}
		limited, cancel := context.WithTimeout(ctx, keepTimeout)
		err := l.failures.keeper.KeepFailures(limited, batch)
		cancel()
		if err != nil {
			l.failures.putBack(batch)
			return fmt.Errorf("keep failed guesses: %w", err)
		}
	}
}

// Run hands failures to the Keeper and reads those of other processes, until ctx
// ends. Call Flush when nothing is guessed any more. While the Keeper fails, the
// Limiter counts in this process.
func (l *Limiter) Run(ctx context.Context) error {
	if l.failures == nil {
		return nil
	}
	tick := time.NewTicker(keepInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := l.Flush(ctx)
		if err == nil {
			err = l.Load(ctx)
		}
		if err != nil && !l.failures.failing && ctx.Err() == nil {
			l.logger.WarnContext(ctx, "failed guesses are counted in this process only for now", "error", fault.Clip(err.Error(), 500))
		}
		l.failures.failing = err != nil
	}
}

// raise makes a bucket hold no more than the failures leave.
func (m *Memory) raise(f *Failures) {
	k := key{rule: f.Rule, identifier: f.Identifier}
	if f.Rate <= 0 || f.Burst <= 0 || f.Identifier == "" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	b := m.find(f.Ref, k)
	if b == nil {
		b = rate.NewLimiter(rate.Limit(f.Rate), f.Burst)
		m.insert(f.Ref, k, b, now)
	}
	tokens := b.TokensAt(now)
	if n := int(math.Round(f.Count - (float64(b.Burst()) - tokens))); n > 0 {
		b.AllowN(now, min(n, int(tokens)))
	}
}
