package devpg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const superuser = "postgres"

// cluster is the state of Start before a process runs: folders, account,
// binaries, password.
type cluster struct {
	Options
	home      string   // holds data; Dir unless the account cannot enter that
	socketDir string   // empty: no unix socket
	account   *account // nil: the process's own user
	install   install
	password  string
}

func (c *cluster) data() string    { return filepath.Join(c.home, "data") }
func (c *cluster) logPath() string { return filepath.Join(c.Dir, "postgres.log") }

// locate decides where everything is; it starts nothing.
func locate(ctx context.Context, o Options) (*cluster, error) {
	c := &cluster{Options: o}
	var err error
	if c.password, err = ensurePassword(o.Dir); err != nil {
		return nil, err
	}
	far := farHome(o.Dir, c.password)
	if c.account, err = pickAccount(filepath.Join(o.Dir, "data"), filepath.Join(far, "data")); err != nil {
		return nil, err
	}
	if c.home, err = c.pickHome(ctx, far); err != nil {
		return nil, err
	}
	if c.install, err = chooseInstall(o, c.data()); err != nil {
		return nil, err
	}
	if c.install, err = c.install.runnableBy(c.account, o.Logger); err != nil {
		return nil, err
	}
	c.socketDir = c.pickSocketDir()
	return c, nil
}

// setUp ends an old server and creates the cluster if there is none.
func (c *cluster) setUp(ctx context.Context) error {
	if err := stopStale(ctx, c.data(), c.Logger); err != nil {
		return err
	}
	if err := c.initialize(ctx); err != nil {
		return err
	}
	if c.socketDir == "" {
		return nil
	}
	if err := c.account.ownDir(c.socketDir); err != nil {
		return err
	}
	return clearSockets(c.socketDir)
}

// discard removes the files that must not outlive the server.
func (c *cluster) discard() error {
	var errs []error
	if c.socketDir != "" && filepath.Dir(c.socketDir) != c.home {
		errs = append(errs, os.RemoveAll(c.socketDir))
	}
	if c.Ephemeral {
		errs = append(errs, os.RemoveAll(c.home), os.RemoveAll(c.Dir))
	}
	return errors.Join(errs...)
}

func passwordPath(dir string) string { return filepath.Join(dir, "postgres.password") }

// ensurePassword reads the superuser's password, or generates one if there is
// no cluster yet.
func ensurePassword(dir string) (string, error) {
	path := passwordPath(dir)
	b, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(b))) > 0 {
		return strings.TrimSpace(string(b)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read Postgres' password: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		return "", fmt.Errorf("%s holds a cluster but its password file %s is gone: restore the file, or remove the folder to start afresh",
			filepath.Join(dir, "data"), path)
	}
	password := rand.Text()
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, []byte(password+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write Postgres' password: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return "", fmt.Errorf("write Postgres' password: %w", err)
	}
	return password, nil
}

// dataMajor returns the major release of the cluster's data; 0 if there is
// none.
func dataMajor(data string) int {
	b, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return n
}

// Discard ends any server that still runs on the cluster in dir and removes the
// cluster. It returns ErrInUse, and removes nothing, when a living process
// holds it.
func Discard(ctx context.Context, dir string) error {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return fmt.Errorf("discard a cluster: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	homes := []string{dir}
	if b, err := os.ReadFile(passwordPath(dir)); err == nil {
		homes = append(homes, farHome(dir, strings.TrimSpace(string(b))))
	}
	for _, home := range homes {
		if err := discardHome(ctx, home); err != nil {
			return err
		}
	}
	return os.RemoveAll(dir)
}

func discardHome(ctx context.Context, home string) error {
	if err := stopStale(ctx, filepath.Join(home, "data"), slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	return os.RemoveAll(home)
}
