//go:build linux || darwin

package main

import (
	"context"
	"slices"
	"time"
)

// creation measures how long the Management API takes to create a project: with
// a warm database, without (cold), and many in a row, which uses up warm
// databases faster than they are created.
func (b *bench) creation(ctx context.Context) error {
	if b.wants("create-warm") {
		if err := b.createWarm(ctx); err != nil {
			return err
		}
	}
	if b.wants("create-row") {
		if err := b.ensureServer(ctx); err != nil {
			return err
		}
		if err := b.awaitWarm(ctx); err != nil {
			return err
		}
		if err := b.createMany(ctx, "in a row", b.row, func() error { return nil }); err != nil {
			return err
		}
	}
	if !b.wants("create-cold") {
		return nil
	}
	if err := b.dropWarm(ctx); err != nil {
		return err
	}
	return b.createMany(ctx, "cold", b.samples, func() error { return b.settle(ctx) })
}

func (b *bench) createWarm(ctx context.Context) error {
	if err := b.ensureServer(ctx); err != nil {
		return err
	}
	return b.createMany(ctx, "warm", b.samples, func() error { return b.awaitWarm(ctx) })
}

func (b *bench) createMany(ctx context.Context, name string, n int, before func() error) error {
	progress("creating %d projects, %s", n, name)
	var times []time.Duration
	var sum time.Duration
	for range n {
		if err := before(); err != nil {
			return err
		}
		_, took, err := b.create(ctx)
		if err != nil {
			return err
		}
		times, sum = append(times, took), sum+took
	}
	slices.Sort(times)
	b.report.Creations = append(b.report.Creations, creation{
		Name: name, Projects: n, PerSecond: float64(n) / sum.Seconds(),
		Median: ms(quantile(times, 0.5)), P95: ms(quantile(times, 0.95)), Longest: ms(times[len(times)-1]),
	})
	return nil
}

// control is the control database, as the server names it by default.
const control = "reeve_control"

// awaitWarm waits until a database is warm and no more are being created.
func (b *bench) awaitWarm(ctx context.Context) error {
	for until := time.Now().Add(time.Minute); time.Now().Before(until); {
		if n, err := b.warm(ctx); err != nil || n > 0 {
			if err != nil {
				return err
			}
			return b.settle(ctx)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

func (b *bench) warm(ctx context.Context) (n int, err error) {
	err = b.pg.query(ctx, control, `select count(*) from databases where state = 'warm'`, &n)
	return n, err
}

// dropWarm starts a server that keeps no warm databases, and uses up the
// existing ones.
func (b *bench) dropWarm(ctx context.Context) error {
	if err := b.restart(ctx, "REEVE_WARM_DATABASES=0"); err != nil {
		return err
	}
	for {
		n, err := b.warm(ctx)
		if err != nil || n == 0 {
			return err
		}
		if _, _, err := b.create(ctx); err != nil {
			return err
		}
	}
}
