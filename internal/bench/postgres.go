//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/devpg"
)

// settings are Postgres's for the benchmark: as durable as in production, with
// the cost of writing to memory if the data is in memory.
func settings() map[string]string {
	return map[string]string{
		"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "max_connections": "400",
	}
}

// shown are the settings that the report names.
var shown = []string{"fsync", "full_page_writes", "synchronous_commit", "shared_buffers", "max_connections", "wal_level", "jit"}

// postgres is the measured cluster.
type postgres struct {
	server *devpg.Server
	dir    string
	pid    int // of the postmaster; 0 if unknown
	where  string
	group  string // of its processor time; "" for that of the benchmark
}

const dirPrefix = "reeve-bench-"

// startPostgres starts a throw-away cluster, in memory if possible, and first
// removes those that killed benchmarks left. It changes settings by set.
func startPostgres(ctx context.Context, set map[string]string) (*postgres, error) {
	base, where := "/dev/shm", "in memory (/dev/shm)"
	if fi, err := os.Stat(base); err != nil || !fi.IsDir() {
		base, where = os.TempDir(), "on disk (temporary folder)"
	}
	sweep(ctx, base)
	dir, err := os.MkdirTemp(base, fmt.Sprintf("%s%d-*", dirPrefix, os.Getpid()))
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o711); err != nil { // Postgres' user passes through
		return nil, err
	}
	all := settings()
	maps.Copy(all, set)
	server, err := devpg.Start(ctx, devpg.Options{Dir: dir, Ephemeral: true, Settings: all})
	if err != nil {
		return nil, err
	}
	p := &postgres{server: server, dir: dir, where: where}
	if p.pid, err = p.postmaster(ctx); err != nil {
		return nil, fmt.Errorf("look at Postgres: %w", err)
	}
	return p, nil
}

func sweep(ctx context.Context, base string) {
	dirs, _ := filepath.Glob(filepath.Join(base, dirPrefix+"*-*"))
	for _, dir := range dirs {
		field, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), dirPrefix), "-")
		pid, err := strconv.Atoi(field)
		if err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
			_ = devpg.Discard(ctx, dir) // refused while another process holds it
		}
	}
}

func (p *postgres) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return errors.Join(p.server.Stop(ctx), p.ungroupCPU())
}

// url is a database's URL for the superuser, by unix socket if possible.
func (p *postgres) url(database string) string {
	u, err := url.Parse(p.server.SocketURL())
	if err != nil {
		return p.server.SocketURL()
	}
	u.Path = "/" + database
	return u.String()
}

// query queries a single value from a database.
func (p *postgres) query(ctx context.Context, database, sql string, into any) error {
	return p.with(ctx, database, func(c *pgx.Conn) error { return c.QueryRow(ctx, sql).Scan(into) })
}

func (p *postgres) with(ctx context.Context, database string, fn func(*pgx.Conn) error) error {
	c, err := pgx.Connect(ctx, p.url(database))
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	return fn(c)
}

// postmaster is the parent of every backend.
func (p *postgres) postmaster(ctx context.Context) (pid int, err error) {
	err = p.with(ctx, maintenance, func(c *pgx.Conn) error {
		s, _ := readStat(int(c.PgConn().PID()))
		pid = s.parent
		return nil
	})
	return pid, err
}

// maintenance is a database that every cluster has.
const maintenance = "postgres"

// connections counts the connected clients, except this query's.
func (p *postgres) connections(ctx context.Context) (n int, err error) {
	err = p.query(ctx, maintenance,
		`select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`, &n)
	return n, err
}
