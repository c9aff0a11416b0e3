package hook

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/projectlog"
)

// The bounds of a journal.
const (
	journalInterval = 2 * time.Second
	journalTimeout  = 5 * time.Second
	maxKept         = 20    // of a hook, in an interval; the oldest ones are dropped
	maxJournal      = 5_000 // of all
)

// Store keeps the last calls. It ignores those that it has.
type Store interface {
	AddHookCalls(ctx context.Context, calls []Call) error
}

// Journal keeps calls in memory until they are written, a few of each hook.
type Journal struct {
	Store  Store
	Logger *slog.Logger

	mu    sync.Mutex
	count int
	calls map[breakerKey][]Call
}

// Add queues a call. It never blocks.
func (j *Journal) Add(c Call) {
	c.ID = uuid.New()
	c.Error = projectlog.Clean(c.Error)
	j.mu.Lock()
	defer j.mu.Unlock()
	key := breakerKey{c.Ref, c.Point}
	list := j.calls[key]
	if len(list) >= maxKept {
		copy(list, list[1:])
		list[len(list)-1] = c
		return
	}
	if j.count >= maxJournal {
		return
	}
	if j.calls == nil {
		j.calls = map[breakerKey][]Call{}
	}
	j.calls[key] = append(list, c)
	j.count++
}

// Run writes the calls until ctx ends.
func (j *Journal) Run(ctx context.Context) error {
	tick := time.NewTicker(journalInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			_ = j.Flush(ctx) // logged
		}
	}
}

// Flush writes the calls. Those that cannot be written are dropped: newer ones come.
func (j *Journal) Flush(ctx context.Context) error {
	j.mu.Lock()
	var all []Call
	for _, list := range j.calls {
		all = append(all, list...)
	}
	j.calls, j.count = nil, 0
	j.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, journalTimeout)
	defer cancel()
	err := j.Store.AddHookCalls(ctx, all)
	if err != nil {
		j.Logger.WarnContext(ctx, "calls of hooks cannot be recorded", "calls", len(all), "error", err)
	}
	return err
}
