package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
)

// Dispatcher runs the queues of all kinds that this process consumes.
type Dispatcher struct {
	Store  Store
	Marks  Marks
	Logger *slog.Logger
	Now    func() time.Time // time.Now when nil; must have a monotonic reading

	queues []*Queue
}

// Register adds the consumer of a kind and returns its queue. It must be called
// before Run, at most once per kind.
func (d *Dispatcher) Register(kind Kind, c Consumer, o Options) *Queue {
	q := &Queue{Kind: kind, Consumer: c, Store: d.Store, Marks: d.Marks, Logger: d.Logger, Now: d.Now, Options: o}
	d.queues = append(d.queues, q)
	return q
}

// Run runs all queues until ctx ends, see Queue.Run. It fails if a kind has two
// consumers.
func (d *Dispatcher) Run(ctx context.Context) error {
	seen := map[Kind]bool{}
	for _, q := range d.queues {
		if seen[q.Kind] {
			return fmt.Errorf("outbox: two consumers of kind %q", q.Kind)
		}
		seen[q.Kind] = true
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, q := range d.queues {
		group.Go(func() error { return q.Run(ctx) })
	}
	return group.Wait()
}
