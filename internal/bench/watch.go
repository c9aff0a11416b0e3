//go:build linux || darwin

package main

import (
	"context"
	"fmt"
	"time"
)

// resident is the server's memory in RAM; "" if unknown.
func (b *bench) resident() string {
	if b.server == nil || b.server.pid == 0 {
		return ""
	}
	s, ok := readStat(b.server.pid)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.0f MB", float64(s.residentSize)/1e6)
}

// noteMemory reports the present memory and connections.
func (b *bench) noteMemory(ctx context.Context, when string, args ...any) error {
	when = fmt.Sprintf(when, args...)
	b.report.Fleet.add(when, "resident memory", b.resident())
	n, err := b.pg.connections(ctx)
	if err != nil {
		return fmt.Errorf("count connections: %w", err)
	}
	b.report.Fleet.add(when, "Postgres connections", fmt.Sprint(n))
	return nil
}

// watchConnections counts connections until ctx ends, then reports the maximum.
func (b *bench) watchConnections(ctx context.Context) <-chan int {
	out := make(chan int, 1)
	go func() {
		most := 0
		for ctx.Err() == nil {
			if n, err := b.pg.connections(ctx); err == nil {
				most = max(most, n)
			}
			select {
			case <-ctx.Done():
			case <-time.After(250 * time.Millisecond):
			}
		}
		out <- most
	}()
	return out
}
