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

// initialize creates the cluster if there is none. It is built under another
// name and renamed when complete, so an interrupted one is built again.
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

// lendPassword writes the password where the account can read it while initdb
// runs: the permanent file may be in a folder that the account cannot enter.
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

// initdb requires a password for every kind of connection: tenants' roles must
// not be able to use each other's names, not even on this machine.
func (c *cluster) initdb(ctx context.Context, data, pw string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.install.dir, "initdb"),
		"--pgdata", data, "--username", superuser, "--pwfile", pw,
		"--auth-host=scram-sha-256", "--auth-local=scram-sha-256",
		"--locale=C", "--encoding=UTF8", "--no-sync", "--no-instructions")
	cmd.Dir, cmd.Env = c.home, environ()
	cmd.SysProcAttr = procAttr(c.account, syscall.SIGKILL)
	// initdb's own children would survive and hold the output open.
	cmd.Cancel = func() error { return signalProcess(-cmd.Process.Pid, syscall.SIGKILL) }
	// The death signal is tied to the thread that started the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// environ is the environment of the server's programs: without PG* variables,
// which would redirect them, and without Reeve's secrets.
func environ() []string {
	env := []string{"LC_ALL=C"}
	for _, name := range []string{"PATH", "HOME", "LD_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}
