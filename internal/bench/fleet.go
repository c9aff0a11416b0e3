//go:build linux || darwin

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// fleet measures one process that has many projects, each with a signed-in
// user: the first request to a project, requests to random ones, and the
// process's memory.
func (b *bench) fleet(ctx context.Context) error {
	if !b.wants("fleet") {
		return nil
	}
	if err := b.populate(ctx); err != nil {
		return err
	}
	// A new process, which has not seen any project.
	if err := b.restart(ctx); err != nil {
		return err
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	if err := b.noteMemory(ctx, "started, %d projects, none asked for", len(b.made)); err != nil {
		return err
	}
	var size int64
	if err := b.pg.query(ctx, maintenance, `select pg_database_size('reeve_`+b.made[len(b.made)-1].Ref+`')`, &size); err != nil {
		return err
	}
	b.report.Fleet.add("a project with one user", "size of its database", fmt.Sprintf("%.1f MB", float64(size)/1e6))
	if err := b.firstRequests(ctx); err != nil {
		return err
	}
	if err := b.touch(ctx, b.made); err != nil {
		return err
	}
	if err := b.noteMemory(ctx, "each of %d projects asked for", len(b.made)); err != nil {
		return err
	}
	for _, k := range b.kinds() {
		if err := b.atRandom(ctx, fmt.Sprintf("%s, one of %d", k.name, len(b.made)), k.build); err != nil {
			return err
		}
	}
	return b.noteMemory(ctx, "after requests to random ones")
}

// kind is a request that needs the project's database, or does not.
type kind struct {
	name  string
	build func(*project) []byte
}

func (b *bench) kinds() []kind { return []kind{{"settings", b.settingsRequest}, {"user", b.signedIn}} }

func (b *bench) signedIn(p *project) []byte { return b.userRequest(p, p.token) }

// firstRequests measures the first request to a project in this process, half
// of them with and half without a need for its database.
func (b *bench) firstRequests(ctx context.Context) error {
	progress("first requests")
	n := min(200, len(b.made)/2)
	c, err := dial(b.addr, time.Now().Add(10*time.Minute))
	if err != nil {
		return err
	}
	defer func() { _ = c.net.Close() }()
	for i, k := range b.kinds() {
		if err := b.timeEach(ctx, c, k, b.made[i*n:(i+1)*n]); err != nil {
			return fmt.Errorf("first request: %w", err)
		}
	}
	return nil
}

func (b *bench) timeEach(ctx context.Context, c *conn, k kind, projects []project) error {
	var times []time.Duration
	for i := range projects {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		req := k.build(&projects[i])
		begun := time.Now()
		if _, err := good(c.do(req)); err != nil {
			return err
		}
		times = append(times, time.Since(begun))
	}
	slices.Sort(times)
	b.report.Fleet.add("first request to a project", k.name+": median, p95",
		fmt.Sprintf("%.1f ms, %.1f ms", ms(quantile(times, 0.5)), ms(quantile(times, 0.95))))
	return nil
}

// touch requests a user of every project once.
func (b *bench) touch(ctx context.Context, projects []project) error {
	return each(ctx, b.addr, b.concurrency, len(projects), func(c *conn, i int) error {
		_, err := good(c.do(b.signedIn(&projects[i])))
		return err
	})
}

// atRandom measures requests to random projects.
func (b *bench) atRandom(ctx context.Context, name string, build func(*project) []byte) error {
	requests := make([][]byte, len(b.made))
	for i := range b.made {
		requests[i] = build(&b.made[i])
	}
	progress("%s", name)
	watched, stop := context.WithCancel(ctx)
	most := b.watchConnections(watched)
	got, cpu, err := b.load(ctx, "random", func(int) step {
		return func(c *conn) (int, []byte, error) { return c.do(requests[rand.IntN(len(requests))]) }
	})
	stop()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.report.Loads = append(b.report.Loads, loadOf(name, got, cpu))
	b.report.Fleet.add(name, "most Postgres connections", fmt.Sprint(<-most))
	return nil
}
