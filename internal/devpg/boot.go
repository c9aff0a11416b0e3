package devpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrPortTaken is returned when another program listens on Options.Port.
var ErrPortTaken = errors.New("the port is taken by another program")

var errBusy = errors.New("processes of an earlier server still hold the data")

// busyFor is how long orphans of an earlier server may take to notice that it
// has ended.
const busyFor = 20 * time.Second

// boot starts the postmaster and waits for it. It starts again when a free port
// was taken in between or a process of an earlier server still runs.
func (c *cluster) boot(ctx context.Context) (*Server, error) {
	giveUp := time.Now().Add(busyFor)
	for try := 1; ; try++ {
		port, err := choosePort(c.Port)
		if err != nil {
			return nil, err
		}
		s, err := c.bootOn(ctx, port)
		switch {
		case err == nil:
			return s, nil
		case errors.Is(err, ErrPortTaken) && c.Port == 0 && try < 10:
		case errors.Is(err, errBusy) && time.Now().Before(giveUp):
			if err := sleep(ctx, 50*time.Millisecond); err != nil {
				return nil, err
			}
		default:
			return nil, err
		}
	}
}

func choosePort(port int) (int, error) {
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return 0, fmt.Errorf("postgres port %d: %w", port, ErrPortTaken)
	}
	if err != nil {
		return 0, fmt.Errorf("postgres port %d: %w", port, err)
	}
	port = l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

func (c *cluster) bootOn(ctx context.Context, port int) (*Server, error) {
	logged := int64(0)
	if fi, err := os.Stat(c.logPath()); err == nil && fi.Size() <= maxLog {
		logged = fi.Size()
	}
	p, err := c.launch(port)
	if err != nil {
		return nil, err
	}
	s := &Server{cluster: c, port: port, proc: p, done: make(chan struct{})}
	if err := s.await(ctx); err != nil {
		select {
		case <-p.exited:
			return nil, explainExit(port, c.logFrom(logged), p.err)
		default:
		}
		// The caller's context may have ended; the server must end all the
		// same.
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return nil, errors.Join(err, p.stop(stopCtx))
	}
	go s.watch(c.Logger)
	return s, nil
}

// await polls until a query is answered, the server ends, or ctx ends.
func (s *Server) await(ctx context.Context) error {
	for {
		err := ping(ctx, s.SocketURL())
		if err == nil {
			return nil
		}
		var pe *pgconn.PgError
		if errors.As(err, &pe) && pe.Code == "28P01" {
			return fmt.Errorf("the cluster in %s does not know the password in %s", s.cluster.data(), passwordPath(s.cluster.Dir))
		}
		select {
		case <-s.proc.exited:
			return errors.New("postgres ended")
		case <-ctx.Done():
			return fmt.Errorf("wait for postgres: %w (last: %w)", ctx.Err(), err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func ping(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	var one int
	return conn.QueryRow(ctx, "select 1").Scan(&one)
}

// explainExit converts the server's last log lines to an error.
func explainExit(port int, log string, exit error) error {
	switch {
	case strings.Contains(log, "Address already in use"):
		return fmt.Errorf("postgres port %d: %w", port, ErrPortTaken)
	case strings.Contains(log, "pre-existing shared memory block"), strings.Contains(log, "lock file \"postmaster.pid\" already exists"):
		return fmt.Errorf("%w: %s", errBusy, log)
	}
	return fmt.Errorf("postgres ended while starting (%w): %s", exit, log)
}

// logFrom reads at most the last 4 KiB logged after offset.
func (c *cluster) logFrom(offset int64) string {
	f, err := os.Open(c.logPath())
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	if fi, err := f.Stat(); err == nil {
		offset = max(offset, fi.Size()-4096)
	}
	b, _ := io.ReadAll(io.NewSectionReader(f, offset, 4096))
	return strings.TrimSpace(string(b))
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
