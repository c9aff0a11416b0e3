//go:build linux || darwin

package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// runPgbench runs a script on a database, by unix socket if possible.
func (b *bench) runPgbench(ctx context.Context, program, database, script string) (sent, spent, error) {
	variables, err := b.variables()
	if err != nil {
		return sent{}, spent{}, err
	}
	logs := strings.TrimSuffix(script, ".sql")
	cmd := exec.CommandContext(ctx, program, append([]string{
		"-n", "-M", "prepared", "-c", strconv.Itoa(b.concurrency), "-j", strconv.Itoa(min(2, b.concurrency)),
		"-T", strconv.Itoa(max(1, int(b.duration.Seconds()+0.5))), "-f", script,
		"-l", "--sampling-rate=0.1", "--log-prefix=" + logs,
	}, variables...)...)
	if cmd.Env, err = b.environment(database); err != nil {
		return sent{}, spent{}, err
	}
	before := b.use()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return sent{}, spent{}, fmt.Errorf("%w: %.2000s", err, out)
	}
	// A backend's time is seen while it runs or after it has ended, not in
	// between.
	if err := b.settle(ctx); err != nil {
		return sent{}, spent{}, err
	}
	cpu := b.use().since(before)
	cpu.client = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	got, err := readPgbench(out, logs)
	return got, cpu, err
}

// variables are the scripts' variables, of which each client has a copy.
func (b *bench) variables() (args []string, err error) {
	define := func(name, value string) { args = append(args, "-D", name+"="+value) }
	define("counter", "0")
	define("agent", "reeve-bench")
	define("ip", "127.0.0.1")
	for i, a := range b.accounts {
		id, err := sessionID(a.AccessToken)
		if err != nil {
			return nil, err
		}
		define(fmt.Sprintf("user%d", i), a.User.ID)
		define(fmt.Sprintf("session%d", i), id)
	}
	return args, nil
}

// environment tells libpq where the database is.
func (b *bench) environment(database string) ([]string, error) {
	u, err := url.Parse(b.pg.url(database))
	if err != nil {
		return nil, err
	}
	host, port := u.Hostname(), u.Port()
	if socket := u.Query().Get("host"); socket != "" {
		host, port = socket, u.Query().Get("port")
	}
	password, _ := u.User.Password()
	return append(os.Environ(), "PGHOST="+host, "PGPORT="+port, "PGUSER="+u.User.Username(), "PGPASSWORD="+password,
		"PGDATABASE="+database, "PGSSLMODE=disable"), nil
}

// sessionID reads the claim session_id of an access token from Reeve.
func sessionID(token string) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", errors.New("access token that is no JWT")
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", fmt.Errorf("access token: %w", err)
	}
	var claims struct {
		Session string `json:"session_id"`
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		return "", fmt.Errorf("access token: %w", err)
	}
	return claims.Session, nil
}

var (
	processed = regexp.MustCompile(`transactions actually processed: (\d+)`)
	perSecond = regexp.MustCompile(`tps = ([0-9.]+)`)
)

// readPgbench parses pgbench's output and the logged times of its transactions.
func readPgbench(out []byte, logs string) (got sent, err error) {
	n, rate := processed.FindSubmatch(out), perSecond.FindSubmatch(out)
	if n == nil || rate == nil {
		return got, fmt.Errorf("pgbench printed %.2000s", out)
	}
	files, err := filepath.Glob(logs + ".[0-9]*")
	if err != nil {
		return got, err
	}
	for _, name := range files {
		if err := got.readLog(name); err != nil {
			return got, err
		}
	}
	got.sum()
	tps, err := strconv.ParseFloat(string(rate[1]), 64)
	if err != nil || tps <= 0 {
		return got, fmt.Errorf("pgbench printed %.2000s", out)
	}
	got.done, _ = strconv.Atoi(string(n[1]))
	got.took = time.Duration(float64(got.done) / tps * float64(time.Second))
	return got, nil
}

// readLog reads the third field of every line: microseconds.
func (s *sent) readLog(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		field := strings.Fields(lines.Text())
		if len(field) < 3 {
			continue
		}
		us, err := strconv.ParseInt(field[2], 10, 64)
		if err != nil {
			return fmt.Errorf("pgbench's log: %w", err)
		}
		s.times = append(s.times, time.Duration(us)*time.Microsecond)
	}
	return lines.Err()
}
