package pool

import (
	"context"
	"fmt"

	"github.com/reevehq/reeve/tenants"
)

// Forget closes the project's idle connections, and has those in use closed on
// release. It is called when a project was paused or deleted, or when its
// password or schema changed. Later requests dial again. Forget does not wait
// for the server to end the connections.
func (b *Budget) Forget(ref tenants.Ref) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.shares[ref]
	if s == nil {
		return
	}
	s.gen++
	for len(s.idle) > 0 {
		b.discard(b.unpark(s))
	}
	b.assignPlaces()
}

// Close refuses waiting and later requests, closes the idle connections and
// waits until those in use were released and closed. If ctx ends first, the
// error says how many are left; they are still closed on release.
func (b *Budget) Close(ctx context.Context) error {
	b.shut()
	select {
	case <-b.drained:
		b.background.Wait()
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close connection budget: %d connections left: %w", b.Stats().Open, ctx.Err())
	}
}

func (b *Budget) shut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.closed = true
	b.cancel()
	b.sweeper.Stop()
	for _, s := range b.shares {
		for s.waiters.n > 0 {
			s.waiters.grant(s.waiters.first, grant{err: ErrClosed})
		}
		b.update(s)
	}
	for c := b.idle.first; c != nil; c = b.idle.first {
		b.discard(b.unparkOldest(c.share))
	}
	if b.places == 0 {
		close(b.drained)
	}
}
