package dev

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/reevehq/reeve/internal/devpg"
	"github.com/reevehq/reeve/internal/secret"
)

// base is the Postgres in use: our own, or one that the configuration names.
type base struct {
	url        string // for this process
	publicURL  string // for people
	publicHost string // its host:port, "" for a named one
	log        *slog.Logger
	options    devpg.Options

	mu  sync.Mutex
	own *devpg.Server // nil for a named one
}

// startBase starts Postgres unless the configuration names one.
func startBase(ctx context.Context, o Options, before state) (*base, error) {
	if named := o.Config.Database.ControlURL; named != "" {
		return &base{url: named, publicURL: named, log: o.Logger}, nil
	}
	options := devpg.Options{Dir: o.Data, Port: o.PostgresPort, Search: searchDirs(), Logger: o.Logger}
	kept := 0
	if options.Port == 0 {
		kept = lastPort(o.Data, before)
		options.Port = kept
	}
	own, err := devpg.Start(ctx, options)
	if kept != 0 && errors.Is(err, devpg.ErrPortTaken) {
		options.Port = 0
		if own, err = devpg.Start(ctx, options); err == nil {
			o.Logger.WarnContext(ctx, "postgres' last port is taken: connection strings that were given out change", "port", kept)
		}
	}
	if errors.Is(err, devpg.ErrPortTaken) {
		return nil, fmt.Errorf("%w: choose another with --postgres-port", err)
	}
	if err != nil {
		return nil, err
	}
	options.Port = own.Port() // for a restart
	if err := keepPort(o.Data, own.Port()); err != nil {
		return nil, errors.Join(fmt.Errorf("keep Postgres' port: %w", err), own.Stop(ctx))
	}
	return &base{
		url: own.SocketURL(), publicURL: own.URL(), publicHost: net.JoinHostPort("127.0.0.1", strconv.Itoa(own.Port())),
		log: o.Logger, options: options, own: own,
	}, nil
}

// explain adds a remedy to the error of a refused master key.
func (b *base) explain(o Options, err error) error {
	switch {
	case !errors.Is(err, secret.ErrSealed):
		return err
	case b.own == nil:
		return fmt.Errorf("%w: bring back the key that the databases were made with", err)
	}
	return fmt.Errorf("%w: bring back the key that the folder was made with (%s or REEVE_MASTER_KEY), or delete the folder %s to begin anew", err, keyPath(o.Data), o.Data)
}

// Binaries finds the server binaries that `reeve dev` would use for the folder.
func Binaries(data string) (dir string, err error) { return devpg.FindFor(data, searchDirs()...) }

// searchDirs are where npm may have put Postgres's binaries: beside the program
// and one folder above, because the program is built into bin. The working
// directory is searched in any case.
func searchDirs() []string {
	path, err := os.Executable()
	if err != nil {
		return nil
	}
	dir := filepath.Dir(path)
	return []string{dir, filepath.Dir(dir)}
}

func portOf(text string) int {
	u, err := url.Parse(text)
	if err != nil {
		return 0
	}
	return parsePort(u.Port())
}

// parsePort returns 0 for text that is not a port.
func parsePort(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 65535 {
		return 0
	}
	return n
}

// stop ends our own Postgres.
func (b *base) stop(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.own == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	return b.own.Stop(ctx)
}

// guard runs fn and restarts our own Postgres when it ends by itself; if that
// fails, fn's context ends.
func (b *base) guard(ctx context.Context, fn func(context.Context) error) error {
	if b.own == nil {
		return fn(ctx)
	}
	guarded, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		if err := b.watch(guarded); err != nil {
			cancel(err)
		}
	}()
	err := fn(guarded)
	if err == nil && ctx.Err() == nil {
		return context.Cause(guarded) // nil unless restarting failed
	}
	return err
}

const (
	// More restarts than this within restartWindow mean a permanent error.
	restarts      = 5
	restartWindow = time.Minute
)

func (b *base) watch(ctx context.Context) error {
	var recent []time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-b.own.Done():
		}
		recent = append(recent, time.Now())
		if len(recent) > restarts {
			if time.Since(recent[0]) < restartWindow {
				return errors.New("postgres ends again and again: see postgres.log in the data folder")
			}
			recent = recent[1:]
		}
		if err := b.restart(ctx); err != nil {
			return err
		}
	}
}

func (b *base) restart(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ctx.Err() != nil {
		return nil
	}
	stopCtx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if err := b.own.Stop(stopCtx); err != nil {
		b.log.WarnContext(ctx, "cleaning up after postgres", "error", err)
	}
	own, err := devpg.Start(ctx, b.options)
	if err != nil {
		return fmt.Errorf("start postgres again: %w", err)
	}
	b.own = own
	return nil
}
