//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/devpg"
)

const asProgram = "REEVE_TEST_AS_PROGRAM"

// TestMain lets the test binary run as the program, so that it can be killed.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// dataFolder is a folder that Postgres's user can enter, in memory if possible.
func dataFolder(t *testing.T) string {
	t.Helper()
	base := "/dev/shm"
	if _, err := os.Stat(base); err != nil {
		base = os.TempDir()
	}
	dir, err := os.MkdirTemp(base, "reeve-dev-*")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := devpg.Discard(context.Background(), dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// environment is the process's without variables that would affect the program.
func environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "REEVE_") })
	return append(env, asProgram+"=1")
}

// running is a started `reeve dev`.
type running struct {
	cmd    *exec.Cmd
	errOut *bytes.Buffer
	told   string // its output
}

// startDev starts the program and waits until it says that it is ready.
func startDev(t *testing.T, dir string, flags ...string) *running {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"dev", "--listen", "127.0.0.1:0", "--data", dir}, flags...)...)
	r := &running{cmd: cmd, errOut: &bytes.Buffer{}}
	cmd.Env, cmd.Stderr = environment(), r.errOut
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		r.told += lines.Text() + "\n"
		if strings.Contains(lines.Text(), "Ctrl-C stops") {
			return r
		}
	}
	_ = cmd.Wait()
	t.Fatalf("it ended instead of being ready: %s", r.errOut)
	return nil
}

// end signals it and returns its exit code, -1 if it was killed.
func (r *running) end(t *testing.T, signal os.Signal) int {
	t.Helper()
	if err := r.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	err := r.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return r.cmd.ProcessState.ExitCode()
}

// devFile reads dev.json.
func devFile(t *testing.T, dir string) map[string]string {
	t.Helper()
	path := filepath.Join(dir, "dev.json")
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if fi.Mode().Perm() != 0o600 {
		t.Errorf("dev.json has mode %v", fi.Mode())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]string
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"access_token", "postgres_url", "url"}, slices.Sorted(maps.Keys(out))); diff != "" {
		t.Error(diff)
	}
	return out
}

// quietPort finds a free port outside of the ephemeral range (from 32768 on):
// it must still be free at the next start.
func quietPort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(20000 + rand.IntN(10000))
		l, err := net.Listen("tcp4", "127.0.0.1:"+port)
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return ""
}

func expectReady(t *testing.T, origin string) {
	t.Helper()
	res, err := http.Get(origin + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("/readyz: %d", res.StatusCode)
	}
}

// command runs another command against the folder's server.
func command(t *testing.T, dir string, args ...string) string {
	t.Helper()
	code, out, errOut := call(t, nil, append(args, "--data", dir)...)
	if code != exitOK {
		t.Fatalf("%v: exit %d: %s", args, code, errOut)
	}
	return out
}

func TestDev(t *testing.T) {
	t.Parallel()
	dir := dataFolder(t)

	first := startDev(t, dir, "--postgres-port", quietPort(t))
	told := devFile(t, dir)
	expectReady(t, told["url"])
	for _, part := range []string{told["url"], told["access_token"], "createClient(", "sb_publishable_", told["url"] + "/dev/open?code=", "inbox list --project ", "projects create NAME"} {
		if !strings.Contains(first.told, part) {
			t.Errorf("nothing printed about %q", part)
		}
	}
	var made map[string]string
	if err := json.Unmarshal([]byte(command(t, dir, "projects", "create", "shop", "-o", "json")), &made); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"db_url", "publishable_key", "ref", "secret_key", "url"}, slices.Sorted(maps.Keys(made))); diff != "" {
		t.Error(diff)
	}
	if role := roleOf(t, made["db_url"]); role != "reeve_"+made["ref"]+"_owner" {
		t.Errorf("db_url leads to role %q", role)
	}
	signUp(t, made["url"], made["publishable_key"], "ada@example.com")
	awaitMail(t, dir, "shop", "ada@example.com")
	expectSite(t, dir, "shop", told["url"]+"/landing/"+made["ref"])
	command(t, dir, "config", "set", "--project", "demo", "site_url=http://localhost:3000")
	readMail(t, dir, "shop", made["url"])
	refuseSecond(t, dir, told["url"])
	if code := first.end(t, syscall.SIGTERM); code != exitOK {
		t.Errorf("SIGTERM: exit %d: %s", code, first.errOut)
	}

	damage(t, dir, told)
	second := startDev(t, dir)
	again := devFile(t, dir)
	if again["postgres_url"] != told["postgres_url"] {
		t.Errorf("the second start has another port:\n%v\n%v", told, again)
	}
	if roleOf(t, made["db_url"]) == "" {
		t.Error("the connection string is no longer good")
	}
	expectSite(t, dir, "shop", again["url"]+"/landing/"+made["ref"])
	expectSite(t, dir, "demo", "http://localhost:3000")
	_ = second.end(t, syscall.SIGKILL)

	third := startDev(t, dir)
	if now := devFile(t, dir); now["access_token"] != again["access_token"] || now["postgres_url"] != again["postgres_url"] {
		t.Errorf("the third start has another token or port:\n%v\n%v", again, now)
	}
	expectReady(t, devFile(t, dir)["url"])
	list := command(t, dir, "projects", "list")
	if !strings.Contains(list, made["ref"]) || strings.Count(list, " demo ") != 1 {
		t.Errorf("after a kill: %s", list)
	}
	killPostgres(t, dir)
	awaitReady(t, devFile(t, dir)["url"])
	signUp(t, devFile(t, dir)["url"]+"/p/"+made["ref"], made["publishable_key"], "eve@example.com")
	if code := third.end(t, os.Interrupt); code != exitOK {
		t.Errorf("SIGINT: exit %d: %s", code, third.errOut)
	}
}

// expectSite checks where links in a project's mails lead.
func expectSite(t *testing.T, dir, project, want string) {
	t.Helper()
	var config map[string]any
	if err := json.Unmarshal([]byte(command(t, dir, "config", "get", "--project", project, "-o", "json")), &config); err != nil {
		t.Fatal(err)
	}
	if config["site_url"] != want {
		t.Errorf("links in mails of %s lead to %v, want %s", project, config["site_url"], want)
	}
}

// damage truncates dev.json, as a full disk would.
func damage(t *testing.T, dir string, told map[string]string) {
	t.Helper()
	half := `{"url":"` + told["url"]
	if err := os.WriteFile(filepath.Join(dir, "dev.json"), []byte(half), 0o600); err != nil {
		t.Fatal(err)
	}
}

func roleOf(t *testing.T, url string) (role string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if err := conn.QueryRow(t.Context(), "SELECT current_user").Scan(&role); err != nil {
		t.Fatal(err)
	}
	return role
}

func signUp(t *testing.T, url, key, email string) {
	t.Helper()
	body := strings.NewReader(`{"email":"` + email + `","password":"correct horse battery"}`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/auth/v1/signup", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("apikey", key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("sign-up: %d %s", res.StatusCode, answer)
	}
}

// awaitMail polls until the mail was captured: it is sent after the answer.
func awaitMail(t *testing.T, dir, project, to string) {
	t.Helper()
	for range 600 {
		if strings.Contains(command(t, dir, "inbox", "list", "--project", project), to) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("no mail to %s", to)
}

// readMail shows the newest message and prints its link, which leads to url.
func readMail(t *testing.T, dir, project, url string) {
	t.Helper()
	var listed []struct{ ID, Code string }
	if err := json.Unmarshal([]byte(command(t, dir, "inbox", "list", "--limit", "1", "--project", project, "-o", "json")), &listed); err != nil || len(listed) != 1 {
		t.Fatalf("%d messages, %v", len(listed), err)
	}
	if shown := command(t, dir, "inbox", "show", listed[0].ID, "--project", project); !strings.Contains(shown, listed[0].Code) {
		t.Errorf("shown:\n%s", shown)
	}
	if link := command(t, dir, "inbox", "open", listed[0].ID, "--project", project); !strings.HasPrefix(link, url+"/auth/v1/verify?") {
		t.Errorf("the link is %s", link)
	}
}

// killPostgres kills the database server and waits until it was restarted
// automatically.
func killPostgres(t *testing.T, dir string) {
	t.Helper()
	before := postmaster(t, dir)
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for range 1200 { // devpg lets orphans of the old one linger for 20 s
		if now := postmaster(t, dir); now != 0 && now != before {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("postgres did not come back")
}

// postmaster reads the server's process id, 0 if there is none.
func postmaster(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return pid
}

// awaitReady polls until the server is ready again.
func awaitReady(t *testing.T, origin string) {
	t.Helper()
	for range 1200 {
		res, err := http.Get(origin + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("never ready again")
}

// refuseSecond tries to start on the folder and the address of a running
// server.
func refuseSecond(t *testing.T, dir, url string) {
	t.Helper()
	address := "127.0.0.1:" + url[strings.LastIndex(url, ":")+1:]
	for _, listen := range []string{address, "127.0.0.1:0"} {
		code, _, errOut := call(t, nil, "dev", "--listen", listen, "--data", dir)
		if code != exitFailure || !strings.Contains(errOut, "`reeve dev` already runs here (pid ") {
			t.Errorf("a second one on %s: exit %d: %s", listen, code, errOut)
		}
	}
}

// TestDevOnTakenAddress checks that a failed start leaves nothing behind.
func TestDevOnTakenAddress(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	dir := filepath.Join(t.TempDir(), "data")
	code, _, errOut := call(t, nil, "dev", "--listen", l.Addr().String(), "--data", dir)
	if code != exitFailure || !strings.Contains(errOut, l.Addr().String()) {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder was made: %v", err)
	}
}
