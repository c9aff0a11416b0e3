//go:build linux || darwin

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/manage"
	"github.com/reevehq/reeve/tenants"
)

// creation measures how long the Management API takes to create a project: with
// a warm database, without (cold), many in a row, which uses up warm databases
// faster than they are created, one for a test with its deletion, and a branch.
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
	if b.wants("ephemeral") {
		if err := b.ephemeral(ctx); err != nil {
			return err
		}
	}
	if b.wants("branch") {
		if err := b.branches(ctx); err != nil {
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

// ephemeral measures what a test pays for a project of its own: its creation, with
// a time to live, and its deletion.
func (b *bench) ephemeral(ctx context.Context) error {
	if err := b.ensureServer(ctx); err != nil {
		return err
	}
	return b.measureCreation(ctx, "ephemeral, and deleted", b.samples, func() error { return b.awaitWarm(ctx) }, func() (time.Duration, error) {
		begun := time.Now()
		made, err := b.server.manage.CreateProject(ctx, manage.NewProject{Name: "bench", Organization: "default", TTL: "1h"})
		if err != nil {
			return 0, fmt.Errorf("create an ephemeral project: %w", err)
		}
		if _, err := b.server.manage.Delete(ctx, manage.Path("projects", made.Ref)); err != nil {
			return 0, fmt.Errorf("delete an ephemeral project: %w", err)
		}
		return time.Since(begun), nil
	})
}

// branches measures how long a copy of a project with some thousand users takes.
func (b *bench) branches(ctx context.Context) error {
	if err := b.ensureServer(ctx); err != nil {
		return err
	}
	source, _, err := b.create(ctx)
	if err != nil {
		return err
	}
	err = b.pg.with(ctx, tenants.Ref(source.Ref).Database(), func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `INSERT INTO auth.users (id, email, encrypted_password, created_at)
			SELECT gen_random_uuid(), 'user' || n || '@example.com', repeat('x', 60), now() FROM generate_series(1, 10000) n`)
		return err
	})
	if err != nil {
		return fmt.Errorf("add users to the source of branches: %w", err)
	}
	return b.measureCreation(ctx, "branch of 10,000 users", b.samples, func() error { return b.settle(ctx) },
		func() (time.Duration, error) { return b.branch(ctx, source.Ref) })
}

// branch creates a branch.
func (b *bench) branch(ctx context.Context, source string) (time.Duration, error) {
	begun := time.Now()
	made, err := b.server.manage.Branch(ctx, source, "bench", "")
	if err != nil {
		return 0, fmt.Errorf("branch a project: %w", err)
	}
	took := time.Since(begun)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.made = append(b.made, project{Created: made})
	return took, nil
}

func (b *bench) createMany(ctx context.Context, name string, n int, before func() error) error {
	return b.measureCreation(ctx, name, n, before, func() (time.Duration, error) {
		_, took, err := b.create(ctx)
		return took, err
	})
}

func (b *bench) measureCreation(ctx context.Context, name string, n int, before func() error, create func() (time.Duration, error)) error {
	progress("creating %d projects, %s", n, name)
	var times []time.Duration
	var sum time.Duration
	for range n {
		if err := before(); err != nil {
			return err
		}
		took, err := create()
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
