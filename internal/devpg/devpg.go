// Package devpg runs Reeve's own Postgres: for `reeve dev`, for tests and for
// the benchmark. It finds the server's binaries, creates a cluster, starts it
// on loopback and a unix socket, stops it, and recovers after a killed process.
// It knows nothing of Reeve's schemas, and production does not use it: there
// the operator names a server.
package devpg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"
)

// Options configure a cluster.
type Options struct {
	// Dir holds the cluster: data, password file, log. It is created if
	// missing. If Postgres's user cannot enter it, the data goes to a separate
	// folder below /var/tmp; the rest stays in Dir.
	Dir string
	// Port is the TCP port on 127.0.0.1; 0 picks a free one.
	Port int
	// Binaries is the folder with initdb and postgres; when empty, Find finds
	// it.
	Binaries string
	// Search names further folders whose node_modules may hold the binaries.
	Search []string
	// Settings are postgresql.conf parameters that override the defaults. The
	// addresses (port, listen_addresses, unix_socket_directories) stay Reeve's.
	Settings map[string]string
	// Ephemeral trades durability for speed, and Stop removes Dir.
	Ephemeral bool
	// Logger receives messages for the operator; nil discards them.
	Logger *slog.Logger
}

// Server is a running Postgres.
type Server struct {
	cluster *cluster
	port    int
	proc    *process
	lock    *dirLock
	done    chan struct{}

	mu      sync.Mutex
	stopErr error
	stopped bool
}

// Start starts a cluster and returns when it answers queries. It creates the
// cluster on first use, completes an interrupted creation, and ends a server
// that an earlier process left running on the same data. It returns an error
// when another living process holds Dir or when Port is taken. ctx bounds the
// start only.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	dir, err := makeDir(o.Dir)
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s, err := start(ctx, o)
	if err != nil {
		if o.Ephemeral {
			err = errors.Join(err, os.RemoveAll(dir))
		}
		return nil, errors.Join(err, lock.Close())
	}
	s.lock = lock
	return s, nil
}

func (o Options) check() error {
	if !supported {
		return errors.New("reeve cannot start Postgres on this operating system: run one and name it in REEVE_DATABASE_URL")
	}
	if o.Dir == "" {
		return errors.New("no folder named for Postgres' data")
	}
	if o.Port < 0 || o.Port > 65535 {
		return fmt.Errorf("postgres port %d is not between 0 and 65535", o.Port)
	}
	return checkSettings(o.Settings)
}

func start(ctx context.Context, o Options) (*Server, error) {
	began := time.Now()
	c, err := locate(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := c.setUp(ctx); err != nil {
		return nil, errors.Join(err, c.discard())
	}
	s, err := c.boot(ctx)
	if err != nil {
		return nil, errors.Join(err, c.discard())
	}
	o.Logger.Info("postgres is up", "version", c.install.version, "port", s.port,
		"data", c.data(), "took", time.Since(began).Round(time.Millisecond).String())
	return s, nil
}

// URL is the superuser's connection string by TCP. It holds the password.
func (s *Server) URL() string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, s.cluster.password),
		Host:     "127.0.0.1:" + strconv.Itoa(s.port),
		Path:     "/postgres",
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// SocketURL is the same by unix socket, which is faster, or URL if there is no
// socket.
func (s *Server) SocketURL() string {
	if s.cluster.socketDir == "" {
		return s.URL()
	}
	q := url.Values{"host": {s.cluster.socketDir}, "port": {strconv.Itoa(s.port)}, "sslmode": {"disable"}}
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, s.cluster.password),
		Path:     "/postgres",
		RawQuery: q.Encode(),
	}
	return u.String()
}

// Port is the TCP port on 127.0.0.1.
func (s *Server) Port() int { return s.port }

// Done is closed when Postgres exits without Stop having been called.
func (s *Server) Done() <-chan struct{} { return s.done }

// Stop shuts Postgres down fast: open transactions are rolled back, and
// committed data is on disk. When ctx ends first it shuts down immediately, and
// the next start recovers. Further calls return the first one's result.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return s.stopErr
	}
	s.stopped = true
	s.stopErr = errors.Join(s.proc.stop(ctx), s.cluster.discard(), s.lock.Close())
	return s.stopErr
}

// watch closes done when the process ends by itself.
func (s *Server) watch(log *slog.Logger) {
	<-s.proc.exited
	select {
	case <-s.proc.asked:
	default:
		log.Error("postgres exited by itself", "cause", s.proc.err, "log", s.cluster.logPath())
		close(s.done)
	}
}
