//go:build unix

// Command withpg runs a command with a throw-away Postgres cluster: it starts
// one, passes its URL to the command in REEVE_TEST_POSTGRES, stops it
// afterwards and exits with the command's code. So a whole `go test ./...`
// shares one cluster.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/reevehq/reeve/internal/testkit"
)

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: withpg [--] COMMAND [ARGUMENT ...]")
		os.Exit(2)
	}
	code, err := run(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "withpg:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run(args []string) (code int, err error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	pg, err := testkit.StartCluster(context.Background(), map[string]string{"max_connections": "400"})
	if err != nil {
		return 1, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err = errors.Join(err, pg.Stop(ctx))
	}()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), testkit.PostgresEnv+"="+pg.SocketURL())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// A separate group: a Ctrl-C arrives once, forwarded, not twice.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return 127, err
	}
	return wait(cmd, signals, pg.Done())
}

// wait forwards signals to the command's group until it ends, and ends it when
// Postgres has ended.
func wait(cmd *exec.Cmd, signals <-chan os.Signal, lost <-chan struct{}) (int, error) {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var failure error
	for {
		select {
		case sig := <-signals:
			_ = syscall.Kill(-cmd.Process.Pid, sig.(syscall.Signal)) // fails only when all have ended
		case <-lost:
			lost, failure = nil, errors.New("postgres exited while the command ran")
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		case err := <-ended:
			code, err := exitCode(cmd.ProcessState, err)
			return code, errors.Join(failure, err)
		}
	}
}

// exitCode is the command's, or 128 plus the signal's number as in shells.
func exitCode(state *os.ProcessState, err error) (int, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 1, err
	}
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal()), nil
	}
	return state.ExitCode(), nil
}
