package tenants

import (
	"context"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 5 * time.Second
)

// Run keeps the cache current until ctx ends, and then returns nil. It listens
// for announced changes and also polls, so that a lost announcement only costs
// PollInterval.
func (r *Registry) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { r.listen(ctx); return nil })
	g.Go(func() error { r.poll(ctx); return nil })
	return g.Wait()
}

// listen keeps one listening connection open, with growing pauses between
// attempts. Each attempt requests a full comparison, because announcements were
// lost before it. Changes between the two are in the poll window.
func (r *Registry) listen(ctx context.Context) {
	backoff := firstBackoff
	for {
		r.mu.Lock()
		r.resync = true
		r.mu.Unlock()
		began := r.o.Now()
		err := r.src.Listen(ctx, r.Changed)
		if ctx.Err() != nil {
			return
		}
		if r.o.Now().Sub(began) > lastBackoff {
			backoff = firstBackoff
		}
		r.o.Log.WarnContext(ctx, "listening for project changes broke off, polling goes on", "error", err, "retry_in", backoff)
		select {
		case <-ctx.Done():
			return
		case <-time.After(backoff/2 + rand.N(backoff/2)): //nolint:gosec // jitter is no secret
		}
		backoff = min(2*backoff, lastBackoff)
	}
}

// poll looks for changed versions at a fixed pace.
func (r *Registry) poll(ctx context.Context) {
	tick := time.NewTicker(r.o.PollInterval)
	defer tick.Stop()
	p := poller{r: r, polledAt: r.o.Now(), comparedAt: r.o.Now()}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.poll(ctx)
		}
	}
}

// poller is the state that one poll passes to the next.
type poller struct {
	r          *Registry
	polledAt   time.Time // start of the last poll that succeeded
	comparedAt time.Time // start of the last full comparison that succeeded
	failing    bool
}

func (p *poller) poll(ctx context.Context) {
	r, began := p.r, p.r.o.Now()
	full, mark := r.beginPoll(began.Sub(p.comparedAt) >= r.o.ResyncInterval)
	// A duration, not a time of day: this process's clock may be off.
	within := began.Sub(p.polledAt) + r.o.PollWindow
	if full {
		within = 0
	}
	lookCtx, cancel := context.WithTimeout(ctx, r.o.LoadTimeout)
	defer cancel()
	changes, err := r.src.Changes(lookCtx, within)
	if err != nil {
		if full {
			r.mu.Lock()
			r.resync = true
			r.mu.Unlock()
		}
		if !p.failing && ctx.Err() == nil {
			r.o.Log.ErrorContext(ctx, "cannot look for project changes, cached projects stay as they are", "error", err)
		}
		p.failing = true
		return
	}
	if p.failing {
		r.o.Log.InfoContext(ctx, "looking for project changes works again")
	}
	p.failing, p.polledAt = false, began
	if full {
		p.comparedAt = began
		r.compare(changes, mark)
		return
	}
	for _, c := range changes {
		r.Changed(c)
	}
}

// beginPoll reports whether this poll is a full one, and marks which loads
// began before it. An empty cache has nothing to compare. It also drops the
// announcements that no later poll will repeat.
func (r *Registry) beginPoll(due bool) (full bool, mark uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	full = (r.resync || due) && r.tenants.Len() > 0
	r.resync = false
	now := r.o.Now()
	for ref, a := range r.told {
		if now.Sub(a.at) > 2*r.o.PollWindow {
			delete(r.told, ref)
		}
	}
	return full, r.seq
}
