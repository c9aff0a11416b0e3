//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// step sends one request of a worker on its connection and returns the answer's
// status.
type step func(c *conn) (status int, body []byte, err error)

// sent is the result of a load.
type sent struct {
	took  time.Duration
	done  int             // number of 2xx answers
	times []time.Duration // their times, or a sample of them, ascending
	// errors counts other answers; example is one of them.
	errors  int
	example string
}

// patience is how long an answer may take after the measured time.
const patience = 30 * time.Second

// drive has workers repeat steps for the duration, each on its own connection.
func drive(ctx context.Context, addr string, workers int, d time.Duration, of func(worker int) step) (sent, error) {
	parts := make([]sent, workers)
	begun := time.Now()
	until := begun.Add(d)
	group, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		group.Go(func() error {
			c, err := dial(addr, until.Add(patience))
			if err != nil {
				return err
			}
			defer func() { _ = c.net.Close() }()
			return parts[w].work(ctx, c, until, of(w))
		})
	}
	err := group.Wait()
	all := sent{took: time.Since(begun)}
	for _, p := range parts {
		all.times = append(all.times, p.times...)
		all.errors += p.errors
		if all.example == "" {
			all.example = p.example
		}
	}
	all.sum()
	return all, err
}

// sum is called once all times are known.
func (s *sent) sum() {
	slices.Sort(s.times)
	s.done = len(s.times)
}

func (s *sent) work(ctx context.Context, c *conn, until time.Time, do step) error {
	s.times = make([]time.Duration, 0, 1<<14)
	for now := time.Now(); now.Before(until); {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		status, body, err := do(c)
		if err != nil {
			return fmt.Errorf("request: %w", err)
		}
		after := time.Now()
		if status >= 200 && status < 300 {
			s.times = append(s.times, after.Sub(now))
		} else if s.errors++; s.example == "" {
			s.example = fmt.Sprintf("%d %.200s", status, body)
		}
		now = after
	}
	return nil
}

// each calls fn for 0 to n-1, some concurrently, each time on one of their
// connections.
func each(ctx context.Context, addr string, workers, n int, fn func(c *conn, i int) error) error {
	next := make(chan int)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(next)
		for i := range n {
			select {
			case next <- i:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range min(workers, n) {
		group.Go(func() error {
			c, err := dial(addr, time.Now().Add(time.Hour))
			if err != nil {
				return err
			}
			defer func() { _ = c.net.Close() }()
			for i := range next {
				if err := fn(c, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// quantile of ascending times; 0 if there are none.
func quantile(times []time.Duration, q float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	return times[int(q*float64(len(times)-1)+0.5)]
}

var errRefused = errors.New("refused")

// good returns the body of a 2xx, else an error with the answer.
func good(status int, body []byte, err error) ([]byte, error) {
	if err == nil && (status < 200 || status > 299) {
		err = fmt.Errorf("%w: %d %.300s", errRefused, status, body)
	}
	return body, err
}
