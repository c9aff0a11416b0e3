//go:build unix

package testkit

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/devpg"
)

// PostgresEnv names the variable with the superuser URL of a cluster that tests
// use instead of starting one.
const PostgresEnv = "REEVE_TEST_POSTGRES"

// shared is the one cluster of this test process. It is a package variable,
// because the testing package has nothing that outlives a test.
var shared struct {
	once   sync.Once
	server *devpg.Server
	err    error
}

// Postgres returns the superuser URL of a throw-away cluster: the one in
// REEVE_TEST_POSTGRES, else one of this process, started at the first call.
func Postgres(tb testing.TB) string {
	tb.Helper()
	if named := os.Getenv(PostgresEnv); named != "" {
		return named
	}
	shared.once.Do(func() { shared.server, shared.err = StartCluster(context.Background(), nil) })
	if shared.err != nil {
		tb.Fatalf("no Postgres to test with: %v", shared.err)
	}
	return shared.server.SocketURL()
}

// Main runs the tests of a package, stops its cluster and exits. A package
// without it works too: the cluster dies with the process where the system
// allows, and the next test process removes its folder.
func Main(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := shared.server.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "stop Postgres:", err)
		}
	}
	os.Exit(code)
}

// Database creates an empty database with a random name and returns its
// superuser URL. It is dropped, even if clients are connected, when the test
// ends.
func Database(tb testing.TB) string {
	tb.Helper()
	admin := Postgres(tb)
	name := "test_" + strings.ToLower(rand.Text())
	// Nobody connects to template1, so concurrent copies of it are allowed.
	execute(tb, admin, func(conn *pgx.Conn) string { return "create database " + name + strategy(conn) })
	tb.Cleanup(func() {
		execute(tb, admin, func(*pgx.Conn) string { return "drop database if exists " + name + " with (force)" })
	})
	u, err := url.Parse(admin)
	if err != nil {
		tb.Fatalf("%s: %v", PostgresEnv, err)
	}
	u.Path = "/" + name
	return u.String()
}

// strategy copies files, which is faster than the WAL on a disk in memory.
func strategy(conn *pgx.Conn) string {
	major, _, _ := strings.Cut(conn.PgConn().ParameterStatus("server_version"), ".")
	if n, err := strconv.Atoi(major); err == nil && n >= 15 {
		return " strategy file_copy"
	}
	return ""
}

// execute does not use the test's own context, which has ended at cleanup.
func execute(tb testing.TB, at string, statement func(*pgx.Conn) string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, at)
	if err != nil {
		tb.Fatalf("connect to the test cluster: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	sql := statement(conn)
	if _, err := conn.Exec(ctx, sql); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
}

// StartCluster starts a throw-away cluster, in memory if possible, with
// settings over the defaults, and first removes those that killed test
// processes left.
func StartCluster(ctx context.Context, settings map[string]string) (*devpg.Server, error) {
	base := memory()
	sweep(ctx, base)
	dir, err := os.MkdirTemp(base, fmt.Sprintf("reeve-test-%d-*", os.Getpid()))
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o711); err != nil { // Postgres' user passes through
		return nil, err
	}
	return devpg.Start(ctx, devpg.Options{
		Dir: dir, Ephemeral: true, Settings: settings, Search: moduleRoot(),
	})
}

// memory is a folder in memory, or another one if there is none.
func memory() string {
	const shm = "/dev/shm"
	if fi, err := os.Stat(shm); err != nil || !fi.IsDir() {
		return os.TempDir()
	}
	return shm
}

// sweep removes the clusters of dead processes. Discard refuses one that a
// living process holds, for instance in another container.
func sweep(ctx context.Context, base string) {
	dirs, _ := filepath.Glob(filepath.Join(base, "reeve-test-*-*"))
	for _, dir := range dirs {
		field, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), "reeve-test-"), "-")
		pid, err := strconv.Atoi(field)
		if err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
			_ = devpg.Discard(ctx, dir) // another process's is not ours to remove
		}
	}
}

// moduleRoot is the folder with go.mod above the package under test: the
// binaries may be in its node_modules.
func moduleRoot() []string {
	dir, err := os.Getwd()
	if err != nil {
		return nil
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return []string{dir}
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}
