//go:build linux || darwin

// Command bench measures Reeve: the real program against a separate Postgres,
// on this machine, in one run. It prints the speed of the hot paths beside the
// limits of Postgres and bcrypt (pgbench with the same SQL over the same rows,
// hashes per second), the cost of creating a project, and the needs of a
// process with many projects. It owns the load generator and the table; it has
// no thresholds.
//
// With -owner it measures instead what owners of projects can do to the others:
// a light load on five projects, with and without a flood of another project's
// requests, and with and without attacks by owner connections. Each attack has
// a server of its own, and the report names the goals that it missed.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills
	if len(os.Args) == 2 && os.Args[1] == floodCommand {
		exit(runFlood(ctx, os.Stdin, os.Stdout))
	}
	o, err := parseOptions(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	exit(measure(ctx, o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// measure measures the figures and prints the available ones, also after an
// error.
func measure(ctx context.Context, o options) (err error) {
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	runErr := b.run(ctx)
	b.report.print(os.Stdout)
	return errors.Join(runErr, b.report.save(o.json))
}
