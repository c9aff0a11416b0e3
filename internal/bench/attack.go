//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// attack is what the developers of some projects do to the server. They have
// what the Management API gives a developer: keys, and the owner's connection.
type attack struct {
	name    string
	hostile int // projects
	// prepare runs before the period without the attack. It may be nil.
	prepare func(ctx context.Context, s *siege) error
	// run attacks until ctx ends. Its errors do not count: what the server
	// refuses is a part of its defence.
	run func(ctx context.Context, s *siege)
	// state is a condition that holds while Postgres shows what the attack is
	// about; "" when Postgres does not show it. It refers to the locks l and the
	// sessions a of the hostile projects, and to every session as s.
	state string
}

// siege is an attack on a server of its own.
type siege struct {
	bench   *bench
	hostile []project
	light   *light
}

// attacks run each attack, with the light load on the others before it and
// during it.
func (b *bench) attacks(ctx context.Context) error {
	for _, a := range attacks {
		if !b.wants(a.name) {
			continue
		}
		if err := b.besiege(ctx, a); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	return nil
}

// siegeConnections is the limit of the attacked Postgres server, and siegeLocks the
// size of its lock table for each connection: what docs/production.md recommends.
const (
	siegeConnections = "200"
	siegeLocks       = "1024"
)

func (b *bench) besiege(ctx context.Context, a attack) error {
	if err := b.renew(ctx, map[string]string{"max_connections": siegeConnections, "max_locks_per_transaction": siegeLocks}); err != nil {
		return err
	}
	s := &siege{bench: b}
	for range a.hostile {
		p, err := b.configured(ctx, map[string]any{"mailer_autoconfirm": true})
		if err != nil {
			return err
		}
		s.hostile = append(s.hostile, p)
	}
	var err error
	if s.light, err = b.settleIn(ctx); err != nil {
		return err
	}
	if a.prepare != nil {
		if err := a.prepare(ctx, s); err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
	}
	probes := s.light.mix()
	// One round unmeasured: caches and connections are as they will be.
	if _, err := s.light.run(ctx, time.Second, probes); err != nil {
		return err
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	progress("%s: without", a.name)
	alone, err := s.light.run(ctx, b.duration, probes)
	if err != nil {
		return err
	}
	progress("%s: with", a.name)
	look, err := s.lookout(ctx, a.state)
	if err != nil {
		return err
	}
	attacking, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { look.watch(attacking) })
	running.Go(func() { a.run(attacking, s) })
	under, err := s.light.run(ctx, b.duration, probes)
	stop()
	running.Wait()
	b.report.Sieges = append(b.report.Sieges, siegeOf(a.name, look.result(), alone, under))
	return err
}

// groupPostgres weighs Postgres's processor time against that of all others, unless
// the options say otherwise.
func (b *bench) groupPostgres() error {
	if b.oneGroup {
		return nil
	}
	err := b.pg.groupCPU()
	if errors.Is(err, errNoCPUGroups) || errors.Is(err, os.ErrPermission) {
		progress("no processor group for Postgres: %v", err)
		return nil
	}
	b.report.Machine.Grouped = true
	return err
}

// renew starts another Postgres server, with these settings besides, and Reeve.
func (b *bench) renew(ctx context.Context, set map[string]string) (err error) {
	if err := errors.Join(b.stopServer(), b.pg.stop()); err != nil {
		return err
	}
	b.made, b.accounts = nil, nil
	if b.pg, err = startPostgres(ctx, set); err != nil {
		return err
	}
	if err := b.groupPostgres(); err != nil {
		return err
	}
	return b.restart(ctx, lightIdle)
}

// owners connects n times as the owner of each hostile project and repeats the
// statements on each connection, again after each end of it.
func (s *siege) owners(ctx context.Context, n int, statements ...string) {
	var group sync.WaitGroup
	for _, p := range s.hostile {
		config, err := pgx.ParseConfig(p.DatabaseURL)
		if err != nil {
			continue
		}
		for range n {
			group.Go(func() { repeat(ctx, config, statements...) })
		}
	}
	group.Wait()
}

// repeat runs the statements on a connection, in order and whatever becomes of
// them, and again, until ctx ends. It connects again when the connection ends.
func repeat(ctx context.Context, config *pgx.ConnConfig, statements ...string) {
	for ctx.Err() == nil {
		conn, err := connect(ctx, config)
		if err != nil {
			rest(ctx, 250*time.Millisecond)
			continue
		}
		for ctx.Err() == nil && !conn.IsClosed() {
			for _, sql := range statements {
				_, _ = conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
			}
			_, _ = conn.Exec(ctx, "ROLLBACK")
		}
		_ = conn.Close(context.WithoutCancel(ctx))
	}
}

// connect waits for as long as a hanging server lets a client wait.
func connect(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return pgx.ConnectConfig(ctx, config.Copy())
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// exec runs statements as the owner of a hostile project.
func (p *project) exec(ctx context.Context, statements ...string) error {
	config, err := pgx.ParseConfig(p.DatabaseURL)
	if err != nil {
		return err
	}
	conn, err := connect(ctx, config)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
	}
	return nil
}

// requests floods each hostile project until ctx ends: n requests at a time of
// the kind, or of those that given makes.
func (s *siege) requests(ctx context.Context, n int, kind string, of func(*project) [][]byte) {
	var group sync.WaitGroup
	for i := range s.hostile {
		p := &s.hostile[i]
		f := flood{Addr: s.bench.addr, Host: s.bench.server.host, Kind: kind, Project: *p, Workers: n, Round: s.light.name("hostile")}
		if of != nil {
			f.Requests = of(p)
		}
		group.Go(func() {
			wait, err := s.bench.startFlood(ctx, f)
			if err == nil {
				_, err = wait() // it is killed
			}
			if err != nil && ctx.Err() == nil {
				progress("the attack ended: %v", err)
			}
		})
	}
	group.Wait()
}

// together runs parts of an attack at the same time.
func together(parts ...func()) {
	var group sync.WaitGroup
	for _, part := range parts {
		group.Go(part)
	}
	group.Wait()
}

// victims are the databases that an attack aims at.
func (s *siege) victims() []string {
	names := []string{control, maintenance, "reeve_template"}
	for _, r := range s.light.projects {
		names = append(names, "reeve_"+r.Ref)
	}
	return slices.Clip(names)
}
