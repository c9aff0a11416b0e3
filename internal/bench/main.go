//go:build linux || darwin

// Command bench measures Reeve: the real program against a Postgres of its own,
// on this machine, in one run. It prints what the hot paths reach beside what
// Postgres and bcrypt allow (pgbench with the same SQL over the same rows,
// hashes per second), what a project costs to make, and what a process with many
// projects needs. It owns the load generator and the table; it judges nothing.
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
	o, err := parseOptions(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills
	if err := measure(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measure runs the figures and prints what there is, also after an error.
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
