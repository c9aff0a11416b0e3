package devpg

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// initialize makes the cluster when there is none. It is built under another
// name and renamed when whole, so an interrupted one is made anew.
func (c *cluster) initialize(ctx context.Context) error {
	tmp, pw := filepath.Join(c.home, "data.tmp"), filepath.Join(c.home, "initdb.password")
	if err := os.RemoveAll(tmp); err != nil {
		return fmt.Errorf("remove a half-made cluster: %w", err)
	}
	if _, err := os.Stat(c.data()); err == nil {
		return nil
	}
	if err := c.account.ownDir(tmp); err != nil {
		return err
	}
	defer func() { _ = os.Remove(pw) }()
	if err := c.lendPassword(pw); err != nil {
		return err
	}
	if err := c.initdb(ctx, tmp, pw); err != nil {
		_ = os.RemoveAll(tmp)
		return err
	}
	if err := os.Rename(tmp, c.data()); err != nil {
		return fmt.Errorf("make the cluster: %w", err)
	}
	return nil
}

// lendPassword writes the password where the account can read it, for the
// moment that initdb runs: the lasting file may be in a closed folder.
func (c *cluster) lendPassword(path string) error {
	_ = os.Remove(path)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("password for initdb: %w", err)
	}
	_, err = f.WriteString(c.password + "\n")
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("password for initdb: %w", err)
	}
	return c.account.own(path)
}

// initdb demands a password on every way in: the roles of tenants must not be
// able to take each other's name, not even on this machine.
func (c *cluster) initdb(ctx context.Context, data, pw string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.install.dir, "initdb"),
		"--pgdata", data, "--username", superuser, "--pwfile", pw,
		"--auth-host=scram-sha-256", "--auth-local=scram-sha-256",
		"--locale=C", "--encoding=UTF8", "--no-sync", "--no-instructions")
	cmd.Dir, cmd.Env = c.home, environ()
	cmd.SysProcAttr = procAttr(c.account, syscall.SIGKILL)
	// initdb's own children would live on and hold the output open.
	cmd.Cancel = func() error { return signalProcess(-cmd.Process.Pid, syscall.SIGKILL) }
	// The death signal is tied to the thread that started the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// environ is what the server's programs see: no PG* variable that would steer
// them elsewhere, and none of Reeve's secrets.
func environ() []string {
	env := []string{"LC_ALL=C"}
	for _, name := range []string{"PATH", "HOME", "LD_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}
