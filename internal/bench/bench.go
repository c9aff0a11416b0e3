//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// bench is one run.
type bench struct {
	options
	pg      *postgres
	temp    string // holds the program and pgbench's logs
	program string
	addr    string // of every server of this run, so that tokens stay valid
	server  *reeve
	report  report

	accounts []account // of the project for the hot paths
	mu       sync.Mutex
	made     []project // every project of this run
}

// newBench builds the program and starts Postgres.
func newBench(ctx context.Context, o options) (b *bench, err error) {
	b = &bench{options: o, program: o.binary}
	begun := b // to be closed, whatever is returned
	if b.temp, err = os.MkdirTemp("", "reeve-bench-*"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, begun.close())
		}
	}()
	if b.addr, err = freeAddress(); err != nil {
		return nil, err
	}
	if b.program == "" && !b.inProcess {
		progress("building reeve")
		if b.program, err = build(ctx, b.temp); err != nil {
			return nil, err
		}
	}
	progress("starting Postgres")
	if b.pg, err = startPostgres(ctx, nil); err != nil {
		return nil, err
	}
	b.report.Machine, err = b.machine(ctx)
	return b, err
}

func (b *bench) close() error {
	var errs []error
	errs = append(errs, b.stopServer())
	if b.pg != nil {
		errs = append(errs, b.pg.stop())
	}
	return errors.Join(append(errs, os.RemoveAll(b.temp))...)
}

func (b *bench) stopServer() error {
	if b.server == nil {
		return nil
	}
	err := b.server.end()
	b.server = nil
	return err
}

// restart restarts the server with other variables.
func (b *bench) restart(ctx context.Context, variables ...string) (err error) {
	if err := b.stopServer(); err != nil {
		return err
	}
	b.server, err = b.start(ctx, variables...)
	return err
}

// ensureServer starts a server if none runs.
func (b *bench) ensureServer(ctx context.Context) error {
	if b.server != nil {
		return nil
	}
	if err := b.restart(ctx); err != nil {
		return err
	}
	return b.noteMemory(ctx, "just started")
}

// run measures the requested figures.
func (b *bench) run(ctx context.Context) error {
	parts := []func(context.Context) error{b.hotPaths, b.signUps, b.signIns, b.limits, b.creation, b.fleet, b.users, b.ledger}
	if b.owner {
		parts = []func(context.Context) error{b.limits, b.neighbour, b.attacks}
	}
	for _, part := range parts {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) wants(names ...string) bool {
	for _, name := range names {
		if b.only.MatchString(name) {
			return true
		}
	}
	return false
}

// use returns the processor time by process. Within this process the server's
// share cannot be separated from the client's.
func (b *bench) use() spent {
	s := spent{postgres: treeCPU(b.pg.pid), client: ownCPU()}
	if b.server != nil && b.server.pid != 0 {
		stat, _ := readStat(b.server.pid)
		s.reeve = stat.cpu
	}
	return s
}

const (
	quietFor   = 300 * time.Millisecond
	quietBelow = 20 * time.Millisecond
	quietAfter = 15 * time.Second
)

// settle waits until server and Postgres are idle, up to a limit.
func (b *bench) settle(ctx context.Context) error {
	for until := time.Now().Add(quietAfter); time.Now().Before(until); {
		before := b.use()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(quietFor):
		}
		s := b.use().since(before)
		if s.reeve+s.postgres+s.client < quietBelow {
			return nil
		}
	}
	return nil
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
