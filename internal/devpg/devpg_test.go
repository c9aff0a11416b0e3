//go:build unix

package devpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const holdEnv = "REEVE_DEVPG_TEST_HOLD"

// TestMain makes the test binary the process that is killed: it runs a server
// on the named folder until its standard input ends, which does not happen.
func TestMain(m *testing.M) {
	dir := os.Getenv(holdEnv)
	if dir == "" {
		os.Exit(m.Run())
	}
	s, err := Start(context.Background(), Options{Dir: dir})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println(s.URL())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// folder creates a folder that Postgres's user can enter, in memory if
// possible.
func folder(t *testing.T) string {
	t.Helper()
	base := "/dev/shm"
	if _, err := os.Stat(base); err != nil {
		base = os.TempDir()
	}
	dir, err := os.MkdirTemp(base, "reeve-devpg-*")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Discard(context.Background(), dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func run(t *testing.T, o Options) *Server {
	t.Helper()
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return s
}

// quietPort finds a free port outside of the ephemeral range (from 32768 on),
// so that it is still free after a stop.
func quietPort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(10000)
		l, err := net.Listen("tcp4", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn := connect(t, url)
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func query[T comparable](t *testing.T, url, sql string) (v T) {
	t.Helper()
	if err := connect(t, url).QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func TestRestartKeepsData(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := run(t, Options{Dir: dir})
	execute(t, s.URL(), "create table kept as select 42 as n")
	stop(t, s)
	stop(t, s) // a second one is harmless
	select {
	case <-s.Done():
		t.Error("Done is closed after Stop")
	default:
	}
	s = run(t, Options{Dir: dir, Settings: map[string]string{"max_connections": "17"}})
	if n := query[int](t, s.SocketURL(), "select n from kept"); n != 42 {
		t.Errorf("n = %d after a restart", n)
	}
	if v := query[string](t, s.URL(), "show max_connections"); v != "17" {
		t.Errorf("max_connections = %s, want the setting given", v)
	}
	if v := query[string](t, s.URL(), "show listen_addresses"); v != "127.0.0.1" {
		t.Errorf("listens on %s", v)
	}
}

func TestPasswordIsDemanded(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := run(t, Options{Dir: dir})
	execute(t, s.URL(), "create role tenant login password 'secret of the tenant'")
	for name, good := range map[string]string{"tcp": s.URL(), "socket": s.SocketURL()} {
		for _, who := range []*url.Userinfo{
			url.UserPassword(superuser, "wrong"), url.User(superuser),
			url.UserPassword("tenant", "wrong"), url.UserPassword(superuser, "secret of the tenant"),
		} {
			u, err := url.Parse(good)
			if err != nil {
				t.Fatal(err)
			}
			u.User = who
			conn, err := pgx.Connect(t.Context(), u.String())
			if err == nil {
				_ = conn.Close(t.Context())
				t.Errorf("%s: %s was let in", name, who)
				continue
			}
			var pe *pgconn.PgError
			if errors.As(err, &pe) && pe.Code != "28P01" {
				t.Errorf("%s: %s refused with %s, want 28P01", name, who, pe.Code)
			}
		}
	}
	fi, err := os.Stat(passwordPath(dir))
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("password file: %v, %v", fi.Mode(), err)
	}
	hba := query[int](t, s.URL(), "select count(*) from pg_hba_file_rules where auth_method <> 'scram-sha-256'")
	if hba != 0 {
		t.Errorf("%d rules of pg_hba.conf let somebody in without a password", hba)
	}
}

func TestKilledHolderRecovers(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	child, at := hold(t, dir)
	execute(t, at, "create table acknowledged (n int)")
	for n := range 20 {
		execute(t, at, "insert into acknowledged values ("+strconv.Itoa(n)+")")
	}
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	s := run(t, Options{Dir: dir})
	if n := query[int](t, s.URL(), "select count(*) from acknowledged"); n != 20 {
		t.Errorf("%d of 20 acknowledged rows survived", n)
	}
}

// hold starts a process that runs a server on dir and returns its URL.
func hold(t *testing.T, dir string) (*exec.Cmd, string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), holdEnv+"="+dir)
	if _, err := child.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill(); _ = child.Wait() })
	line := make([]byte, 4096)
	n, err := out.Read(line)
	if err != nil || strings.HasPrefix(string(line[:n]), "error") {
		t.Fatalf("the holder did not start: %s %v", line[:n], err)
	}
	return child, strings.TrimSpace(string(line[:n]))
}

func TestSecondStartOnOneFolder(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	_, at := hold(t, dir)
	_, err := Start(t.Context(), Options{Dir: dir, Ephemeral: true})
	if !errors.Is(err, ErrInUse) {
		t.Fatalf("a second start answered %v", err)
	}
	if err := Discard(t.Context(), dir); !errors.Is(err, ErrInUse) {
		t.Fatalf("discarding a held folder answered %v", err)
	}
	if n := query[int](t, at, "select 1"); n != 1 {
		t.Error("the first server was harmed")
	}
}

// An old postmaster outlives its Reeve on systems without a death signal.
func TestRunningPostmasterIsStopped(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	old := run(t, Options{Dir: dir, Port: quietPort(t)})
	execute(t, old.URL(), "create table kept as select 7 as n")
	if err := old.lock.Close(); err != nil {
		t.Fatal(err)
	}
	s := run(t, Options{Dir: dir, Port: old.Port()})
	<-old.Done()
	if n := query[int](t, s.URL(), "select n from kept"); n != 7 {
		t.Errorf("n = %d", n)
	}
}

// A child that another goroutine forks shares the lock's file until its exec.
func TestFolderIsGivenBackDespiteAFork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := syscall.Dup(int(lock.file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(shared) }()
	if _, err := lockDir(dir); !errors.Is(err, ErrInUse) {
		t.Fatalf("a second lock: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
}

func TestStalePIDFile(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	stop(t, run(t, Options{Dir: dir}))
	// Its number belongs to an unrelated program: this test.
	stale := strconv.Itoa(os.Getpid()) + "\n" + filepath.Join(dir, "data") + "\n1\n5432\n\n\n"
	if err := os.WriteFile(filepath.Join(dir, "data", "postmaster.pid"), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	s := run(t, Options{Dir: dir})
	if n := query[int](t, s.URL(), "select 1"); n != 1 {
		t.Error("no answer")
	}
}

// The machine went down, and another program now has the dead server's number.
func TestStaleSocketLock(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	old := run(t, Options{Dir: dir, Port: quietPort(t)})
	c := old.cluster
	stop(t, old)
	if c.socketDir == "" {
		t.Skip("no socket here")
	}
	// Postgres only considers processes of its own user, except its parent.
	other := exec.Command("sleep", "600")
	other.SysProcAttr = attributes(c.account)
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
	stale := fmt.Sprintf("%d\n%s\n1\n%d\n%s\n", other.Process.Pid, c.data(), old.port, c.socketDir)
	socket := filepath.Join(c.socketDir, ".s.PGSQL."+strconv.Itoa(old.port))
	for _, file := range []string{socket + ".lock", filepath.Join(c.data(), "postmaster.pid")} {
		if err := os.WriteFile(file, []byte(stale), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := c.account.own(file); err != nil {
			t.Fatal(err)
		}
	}
	s := run(t, Options{Dir: dir, Port: old.port})
	if n := query[int](t, s.SocketURL(), "select 1"); n != 1 {
		t.Error("no answer")
	}
}

func TestHolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if pid, held := Holder(dir); held {
		t.Errorf("an empty folder is held by %d", pid)
	}
	lock, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if pid, held := Holder(dir); !held || pid != os.Getpid() {
		t.Errorf("held %t by %d", held, pid)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	if pid, held := Holder(dir); held {
		t.Errorf("a folder that was given back is held by %d", pid)
	}
}

func TestFindFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := FindFor(dir, ".", "../.."); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	path := filepath.Join(dir, "data", "PG_VERSION")
	if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("9\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := FindFor(dir, ".", "../.."); err == nil || !strings.Contains(err.Error(), "made by PostgreSQL 9") {
		t.Errorf("data of another release: %v", err)
	}
}

func TestHalfDoneInitdb(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	for _, name := range []string{"data.tmp/base/1/1259", "data.tmp/PG_VERSION", "initdb.password"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("15\n"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	s := run(t, Options{Dir: dir})
	if n := query[int](t, s.URL(), "select 1"); n != 1 {
		t.Error("no answer")
	}
	for _, name := range []string{"data.tmp", "initdb.password"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	port := l.Addr().(*net.TCPAddr).Port
	_, err = Start(t.Context(), Options{Dir: folder(t), Port: port})
	if !errors.Is(err, ErrPortTaken) || !strings.Contains(err.Error(), strconv.Itoa(port)) {
		t.Errorf("got %v", err)
	}
}

func TestEphemeralLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(folder(t), "cluster")
	s := run(t, Options{Dir: dir, Ephemeral: true})
	if v := query[string](t, s.URL(), "show fsync"); v != "off" {
		t.Errorf("fsync = %s", v)
	}
	stop(t, s)
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder is still there")
	}
}

// If only root can enter a folder its data is elsewhere, also the next time; if
// a path is too long for a socket, the socket has a shorter one.
func TestClosedAndDeepFolder(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("everybody can enter their own folder")
	}
	closed := filepath.Join(folder(t), "closed")
	dir := filepath.Join(closed, strings.Repeat("deep/", 20), "cluster")
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chmod(closed, 0o700)); err != nil {
		t.Fatal(err)
	}
	s := run(t, Options{Dir: dir})
	home := s.cluster.home
	if home == dir {
		t.Fatalf("data stayed in %s", dir)
	}
	execute(t, s.SocketURL(), "create table kept as select 9 as n")
	stop(t, s)
	s = run(t, Options{Dir: dir})
	if n := query[int](t, s.URL(), "select n from kept"); n != 9 || s.cluster.home != home {
		t.Errorf("n = %d in %s, was in %s", n, s.cluster.home, home)
	}
	stop(t, s)
	if err := Discard(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(home); err == nil {
		t.Errorf("%s is left behind", home)
	}
}

func TestDeepFolderHasShortSocket(t *testing.T) {
	t.Parallel()
	root := folder(t)
	deep := filepath.Join(root, strings.Repeat("deep/", 20))
	if err := os.MkdirAll(deep, 0o711); err != nil {
		t.Fatal(err)
	}
	s := run(t, Options{Dir: filepath.Join(deep, "cluster"), Ephemeral: true})
	if s.SocketURL() == s.URL() {
		t.Fatal("no socket")
	}
	if n := query[int](t, s.SocketURL(), "select 1"); n != 1 {
		t.Error("no answer")
	}
	stop(t, s)
	if _, err := os.Stat(s.cluster.socketDir); err == nil {
		t.Error("the socket's folder is still there")
	}
}

func TestCancelledStartLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Options{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	s := run(t, Options{Dir: dir})
	if n := query[int](t, s.URL(), "select 1"); n != 1 {
		t.Error("no answer")
	}
}

func TestLostPasswordFile(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	stop(t, run(t, Options{Dir: dir}))
	if err := os.Remove(passwordPath(dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "postgres.password") {
		t.Errorf("got %v", err)
	}
}

func TestStopAtOnceIsRecoveredFrom(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := run(t, Options{Dir: dir})
	execute(t, s.URL(), "create table kept as select 5 as n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Logf("the fast shutdown was quicker: %v", err)
	}
	s = run(t, Options{Dir: dir})
	if n := query[int](t, s.URL(), "select n from kept"); n != 5 {
		t.Errorf("n = %d", n)
	}
}

// A Postgres that ends by itself is reported, and Stop still cleans up.
func TestDoneTellsOfAnExit(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(folder(t), "cluster")
	s := run(t, Options{Dir: dir, Ephemeral: true})
	if err := s.proc.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	stop(t, s)
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder is still there")
	}
}
