// Package dev is what `reeve dev` adds to the server: its own Postgres and
// master key in a data folder, the control database, the file by which other
// commands find the server, and a first project. It owns that folder and
// nothing of the server's work; production does not use it.
package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/devpg"
	"github.com/reevehq/reeve/internal/front"
	"github.com/reevehq/reeve/internal/manage"
	"github.com/reevehq/reeve/internal/server"
	"github.com/reevehq/reeve/tenants"
)

// DefaultData is the default folder.
const DefaultData = ".reeve"

// stopTimeout is how long Postgres may take to shut down.
const stopTimeout = 15 * time.Second

// Options configure `reeve dev`.
type Options struct {
	// Config is config.Development with file and variables read over it.
	Config config.Config
	// Data is the folder that holds everything; it is created if missing.
	Data string
	// PostgresPort is the port of our own Postgres; 0 keeps the one of the last
	// start, or picks a free one.
	PostgresPort int
	// Command is how this program was called, for printed hints.
	Command string
	Version string
	Logger  *slog.Logger
	// Out receives the output for a person.
	Out io.Writer
}

// Run serves until ctx ends, and then stops everything it started. The folder
// can be used again after any end, including a kill.
func Run(ctx context.Context, o Options) (err error) {
	began := time.Now()
	if pid, held := devpg.Holder(o.Data); held {
		return fmt.Errorf("`reeve dev` already runs here (pid %d, data folder %s)", pid, o.Data)
	}
	listener, err := o.listen(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // the server has closed it, or never got it
	if err := makeFolder(o.Data); err != nil {
		return err
	}
	before, legible := readState(o.Data)
	if !legible {
		o.Logger.WarnContext(ctx, "the file was damaged and is written anew, with another access token", "file", statePath(o.Data))
	}
	base, err := startBase(ctx, o, before)
	if err != nil {
		return err
	}
	// The caller's context has ended when this runs.
	defer func() { err = errors.Join(err, base.stop(context.WithoutCancel(ctx))) }()
	if o.Config, err = o.complete(base); err != nil {
		return err
	}
	if err := controldb.Ensure(ctx, o.Config.Database.ControlURL); err != nil {
		return err
	}
	var s *server.Server
	pages := o.front(func() *server.Server { return s })
	s, err = server.New(ctx, server.Options{
		Config: o.Config, Logger: o.Logger, Version: o.Version, Dev: true, HoldReady: true, Listener: listener,
		Front: pages, Settings: o.settings,
	})
	if err != nil {
		return base.explain(o, err)
	}
	d := development{Options: o, server: s, base: base, pages: pages, before: before, began: began}
	return base.guard(ctx, d.serve)
}

// development is a development server with what it began with.
type development struct {
	Options
	server *server.Server
	base   *base
	pages  *front.Pages
	before state // what the last start wrote
	began  time.Time
}

// front returns the pages for people. of is not called before the server runs.
func (o Options) front(of func() *server.Server) *front.Pages {
	return front.New(front.Options{
		Origin: o.Config.HTTP.Origin(), CLI: o.cli(), Announce: o.announceLink,
		SignIn: func(w http.ResponseWriter, r *http.Request) error { return of().SignInOperator(w, r) },
	})
}

// announceLink prints a link that signs the operator in, on demand of the sign-in
// page.
func (o Options) announceLink(link string) {
	_, _ = fmt.Fprintf(o.Out, "\n  Open this in a browser to sign in. It works once, for 15 minutes:\n\n    %s\n\n", link) // without a terminal nobody reads it
}

// settings are those that a project begins with. Until it has a site of its
// own, links in its mails lead to a page that says what became of them.
func (o Options) settings(ref tenants.Ref) tenants.Config {
	c := tenants.DefaultConfig()
	c.SiteURL = front.Landing(o.Config.HTTP.Origin(), ref)
	return c
}

// serve runs the server and, once it is ready, announces it.
func (d development) serve(ctx context.Context) error {
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	ran := make(chan error, 1)
	go func() {
		ran <- d.server.Run(running)
		cancel() // it will not become ready any more
	}()
	err := d.announce(running)
	if err != nil {
		cancel()
	}
	if ranErr := <-ran; ranErr != nil {
		return ranErr // the cause of announce's error
	}
	if ctx.Err() != nil {
		return nil // stopped while it started
	}
	return err
}

func (d development) announce(ctx context.Context) error {
	s := d.server
	if err := awaitReady(ctx, s.Addr()); err != nil {
		return err
	}
	token := d.before.AccessToken
	if token == "" || !s.CheckToken(ctx, token) {
		var err error
		if token, err = s.Operator(ctx); err != nil {
			return fmt.Errorf("access token of the operator: %w", err)
		}
	}
	now := state{URL: d.Config.HTTP.Origin(), AccessToken: token, PostgresURL: d.base.publicURL}
	demo, err := ensureDemo(ctx, d.Options, s.Addr(), token)
	if err != nil {
		d.Logger.WarnContext(ctx, "no demo project", "error", err)
	}
	if err := d.moveSites(ctx, manage.New(origin(s.Addr()), token)); err != nil {
		d.Logger.WarnContext(ctx, "links in mails may lead to the address of an earlier start", "error", err)
	}
	if err := now.write(d.Data); err != nil {
		return err
	}
	s.Ready() // /readyz answers 200 only when dev.json is there
	b := banner{Options: d.Options, state: now, demo: demo, took: time.Since(d.began)}
	if loopback(s.Addr()) {
		b.page = d.pages.Link()
	}
	return b.print(d.Out)
}

// loopback reports whether only this machine can reach an address.
func loopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// complete adds the values of the folder and base to the configuration.
func (o Options) complete(b *base) (config.Config, error) {
	c := o.Config
	c.Database.ControlURL = b.url
	if c.Database.PublicHost == "" {
		c.Database.PublicHost = b.publicHost
	}
	if len(c.Secrets.MasterKeys) == 0 {
		key, err := masterKey(o.Data)
		if err != nil {
			return c, err
		}
		c.Secrets.MasterKeys = []string{key}
	}
	if err := c.ValidateDevelopment(); err != nil {
		return c, err
	}
	c.Database = c.Database.Resolve()
	return c, nil
}

// listen listens on the address, and makes it final. It fails early when the
// address is taken, before Postgres is started for nothing. Requests are not
// answered until the server serves, but no other program can take the port.
func (o *Options) listen(ctx context.Context) (net.Listener, error) {
	h := &o.Config.HTTP
	host, _, err := net.SplitHostPort(h.Listen)
	if err != nil {
		return nil, explainAddress(h.Listen)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", h.Listen)
	if err != nil {
		return nil, explainListen(h.Listen, err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, errors.Join(explainListen(h.Listen, err), l.Close())
	}
	h.Listen = net.JoinHostPort(host, port)
	if !loopback(l.Addr()) {
		o.Logger.WarnContext(ctx, "others can reach this development server, its captured mails stay behind the access token", "address", h.Listen)
	}
	if h.PublicURL == "" {
		h.PublicURL = "http://" + net.JoinHostPort(publicName(host), port)
	}
	return l, nil
}

// publicName is the name that people use for a listening host.
func publicName(host string) string {
	ip := net.ParseIP(host)
	if ip == nil && host != "" {
		return host
	}
	if ip == nil || ip.IsUnspecified() || ip.Equal(net.IPv4(127, 0, 0, 1)) || ip.Equal(net.IPv6loopback) {
		return "localhost"
	}
	return host
}

// makeFolder creates dir so that other users may pass through but not list it:
// Postgres may run as another user.
func makeFolder(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Clean(dir), 0o711); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { // whatever the umask
		return fmt.Errorf("data folder: %w", err)
	}
	return nil
}
