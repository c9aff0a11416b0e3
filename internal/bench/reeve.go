//go:build linux || darwin

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/reevehq/reeve/internal/dev"
	"github.com/reevehq/reeve/internal/manage"
)

// reeve is a running server.
type reeve struct {
	addr   string // that it listens on
	host   string // its public name
	manage *manage.Client
	token  string // of the operator, for the Management API
	pid    int    // 0: within this process
	end    func() error
	ended  <-chan struct{}
}

// startTimeout is how long a server may take to be ready.
const startTimeout = 2 * time.Minute

// start starts a server on the address, on the benchmark's Postgres, with
// further variables "NAME=value".
func (b *bench) start(ctx context.Context, variables ...string) (*reeve, error) {
	variables = append([]string{"REEVE_DATABASE_URL=" + b.pg.url(maintenance), "REEVE_LOG_LEVEL=warn"}, variables...)
	launch := b.spawn
	if b.inProcess {
		launch = b.embed
	}
	r, err := launch(ctx, variables)
	if err != nil {
		return nil, err
	}
	if err := b.await(ctx, r); err != nil {
		return nil, errors.Join(err, r.end())
	}
	return r, nil
}

// spawn runs the program in a separate process and process group, so that the
// benchmark decides when a Ctrl-C reaches it.
func (b *bench) spawn(_ context.Context, variables []string) (*reeve, error) {
	cmd := exec.Command(b.program, "dev", "--listen", b.addr, "--data", b.data())
	cmd.Env = append(os.Environ(), variables...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.Discard, &said
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start reeve: %w", err)
	}
	ended := make(chan struct{})
	var exit error
	go func() {
		exit = cmd.Wait()
		close(ended)
	}()
	end := func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if exit != nil {
			return fmt.Errorf("reeve: %w: %.2000s", exit, said.String())
		}
		return nil
	}
	return &reeve{pid: cmd.Process.Pid, end: end, ended: ended}, nil
}

// await waits until the server has written its address, and answers.
func (b *bench) await(ctx context.Context, r *reeve) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		origin, token, err := dev.Endpoint(b.data())
		if err == nil && b.ready(ctx) {
			u, err := url.Parse(origin)
			if err != nil {
				return err
			}
			r.addr, r.host, r.manage, r.token = b.addr, u.Host, manage.New("http://"+b.addr, token), token
			if _, err := r.manage.Organizations(ctx); err == nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for reeve: %w", ctx.Err())
		case <-r.ended:
			return errors.New("reeve ended while it started")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (b *bench) ready(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.addr+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// data is the server's folder.
func (b *bench) data() string { return filepath.Join(b.pg.dir, "reeve") }

// build compiles the measured program.
func build(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "reeve-program")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/reevehq/reeve/cmd/reeve")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build reeve: %w: %s", err, out)
	}
	return program, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
