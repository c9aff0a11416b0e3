package devpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopStale ends a postmaster that an earlier process left running on data. The
// caller holds the folder's lock, so no living Reeve needs it. A pid file whose
// number now belongs to another program is removed, because Postgres would
// refuse to start. A pid file with a free number is left to Postgres, which
// checks that no child of the dead server still uses the data.
func stopStale(ctx context.Context, data string, log *slog.Logger) error {
	file := filepath.Join(data, "postmaster.pid")
	pid, ok := readPID(file)
	if !ok || !alive(pid) {
		return nil
	}
	if !isPostmaster(pid, data) {
		return os.Remove(file)
	}
	log.Warn("an earlier postgres still runs on the data: stopping it", "pid", pid, "data", data)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT} {
		if err := signalProcess(pid, sig); err != nil && alive(pid) {
			return fmt.Errorf("stop the earlier postgres (pid %d): %w", pid, err)
		}
		if gone, err := awaitEnd(ctx, pid, data, 15*time.Second); gone || err != nil {
			return err
		}
	}
	return fmt.Errorf("an earlier postgres (pid %d) still runs on %s and does not end", pid, data)
}

// clearSockets removes a dead server's files in its socket's folder. Postgres
// does so itself unless the number in the socket's lock now belongs to another
// program, or to a zombie: then it refuses to start. The caller holds the
// folder's lock and has ended any server, so no living server of ours uses the
// sockets.
func clearSockets(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("socket's folder: %w", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".s.PGSQL.") {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove a dead server's socket: %w", err)
		}
	}
	return nil
}

// readPID reads the first line of a postmaster.pid.
func readPID(file string) (int, bool) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	return pid, err == nil && pid > 1
}

func awaitEnd(ctx context.Context, pid int, data string, within time.Duration) (bool, error) {
	for end := time.Now().Add(within); time.Now().Before(end); {
		if !alive(pid) || !isPostmaster(pid, data) {
			return true, nil
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return false, fmt.Errorf("wait for an earlier postgres (pid %d) to end: %w", pid, err)
		}
	}
	return false, nil
}
