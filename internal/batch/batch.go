// Package batch writes what a process has counted in memory to a store, at
// intervals and in numbered batches. It owns the numbers, the repetition of a
// failed batch and what is logged of it. What is counted, and how, is its
// collectors' business.
package batch

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
)

// timeout bounds one write.
const timeout = 5 * time.Second

// Stamp names a batch. A store that remembers the number of each writer's last
// batch adds none twice.
type Stamp struct {
	Writer uuid.UUID // the collector, in this process
	Number int64     // ascending
}

// Source is a collector and its store.
type Source[B any] interface {
	// Take removes and returns what was counted; nil for nothing.
	Take(ctx context.Context) *B
	// Write stores a batch. It may get one again that it has stored.
	Write(ctx context.Context, s Stamp, b *B) error
}

// Writer writes the batches of a collector.
type Writer[B any] struct {
	what   string
	every  time.Duration
	log    *slog.Logger
	source Source[B]

	mu      sync.Mutex // guards what follows
	stamp   Stamp
	unsure  *B // failed, and may have been written
	failing bool
}

// New returns a Writer; what says what it writes, for the log.
func New[B any](what string, every time.Duration, log *slog.Logger, source Source[B]) *Writer[B] {
	if log == nil {
		log = slog.Default()
	}
	return &Writer[B]{what: what, every: every, log: log, source: source, stamp: Stamp{Writer: uuid.New()}}
}

// Run writes until ctx ends. Call Flush once nothing is counted any more.
func (w *Writer[B]) Run(ctx context.Context) error {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			_ = w.Flush(ctx) // logged
		}
	}
}

// Flush writes everything that was counted. A batch whose write failed is written
// again as it was, because it may have been committed.
func (w *Writer[B]) Flush(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unsure != nil {
		if err := w.write(ctx, w.unsure); err != nil {
			return err
		}
		w.unsure = nil
	}
	b := w.source.Take(ctx)
	if b == nil {
		return nil
	}
	w.stamp.Number++
	err := w.write(ctx, b)
	if err != nil {
		w.unsure = b
	}
	return err
}

func (w *Writer[B]) write(ctx context.Context, b *B) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := w.source.Write(limited, w.stamp, b)
	if err == nil {
		w.failing = false
		return nil
	}
	if !w.failing && ctx.Err() == nil { // once, not every time
		w.log.WarnContext(ctx, w.what+" is not written for now", "error", err)
	}
	w.failing = true
	return fmt.Errorf("write %s: %w", w.what, err)
}
