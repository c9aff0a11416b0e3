//go:build unix

package testkit

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/devpg"
)

// Cluster is a separate Postgres server for one test, which can be stopped and
// started again at the same address with the same data.
type Cluster struct {
	dir      string
	port     int
	settings map[string]string
	server   *devpg.Server
}

// NewCluster starts a cluster that is removed when the test ends.
func NewCluster(tb testing.TB) *Cluster {
	tb.Helper()
	return NewClusterWith(tb, nil)
}

// NewClusterWith is NewCluster with settings over the defaults.
func NewClusterWith(tb testing.TB, settings map[string]string) *Cluster {
	tb.Helper()
	dir, err := os.MkdirTemp(memory(), fmt.Sprintf("reeve-test-%d-*", os.Getpid()))
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { // Postgres' user passes through
		tb.Fatal(err)
	}
	c := &Cluster{dir: dir, settings: settings}
	tb.Cleanup(func() {
		c.Stop()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := devpg.Discard(ctx, dir); err != nil {
			tb.Errorf("remove the cluster: %v", err)
		}
	})
	c.Start(tb)
	return c
}

// Start brings the server up again.
func (c *Cluster) Start(tb testing.TB) {
	tb.Helper()
	server, err := devpg.Start(tb.Context(), devpg.Options{Dir: c.dir, Port: c.port, Settings: c.settings, Search: moduleRoot()})
	if err != nil {
		tb.Fatalf("start Postgres: %v", err)
	}
	c.server, c.port = server, server.Port()
}

// Stop ends the server at once, like a crash: connections are not closed
// properly.
func (c *Cluster) Stop() {
	if c.server == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = c.server.Stop(ctx) // its error is that the shutdown was immediate
	c.server = nil
}

// URL is the superuser's connection string, by TCP.
func (c *Cluster) URL() string { return c.server.URL() }

// Database creates an empty database and returns its superuser URL.
func (c *Cluster) Database(tb testing.TB, name string) string {
	tb.Helper()
	execute(tb, c.URL(), func(*pgx.Conn) string { return "create database " + name })
	u, err := url.Parse(c.URL())
	if err != nil {
		tb.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}
