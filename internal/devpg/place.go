package devpg

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// farBase is the place of data that Postgres's user could not reach in Dir: it
// survives a reboot, as Dir does.
const farBase = "/var/tmp"

// maxSocketPath is the portable limit of a unix socket's path in bytes: 107 on
// Linux, 103 elsewhere.
const maxSocketPath = 103

// makeDir returns dir as an absolute path without symlinks, and creates it if
// missing.
func makeDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("folder for Postgres: %w", err)
	}
	if _, err := os.Stat(dir); err != nil {
		// Others may pass through, but not list it: Postgres's user must reach
		// its data.
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return "", fmt.Errorf("folder for Postgres: %w", err)
		}
		if err := os.Chmod(dir, 0o711); err != nil { // whatever the umask
			return "", fmt.Errorf("folder for Postgres: %w", err)
		}
	}
	return filepath.EvalSymlinks(dir)
}

// farHome names the folder that replaces dir. The hash contains the password,
// so that nobody can guess and create the folder beforehand, and so that a
// deleted and recreated dir is a new cluster.
func farHome(dir, password string) string {
	sum := sha256.Sum256([]byte(dir + "\x00" + password))
	return filepath.Join(farBase, "reeve-"+hex.EncodeToString(sum[:6]))
}

// pickHome returns Dir, or home if the account cannot enter Dir. Existing data
// in one of the two stays there.
func (c *cluster) pickHome(ctx context.Context, home string) (string, error) {
	near := c.account.canEnter(c.Dir)
	if dataMajor(filepath.Join(c.Dir, "data")) != 0 && !near {
		return "", fmt.Errorf("user %s, which runs Postgres, cannot enter %s: let others pass through it and its parents (chmod o+x)",
			c.account.name, c.Dir)
	}
	if near && dataMajor(filepath.Join(home, "data")) == 0 {
		return c.Dir, nil
	}
	return c.farHome(ctx, home)
}

func (c *cluster) farHome(ctx context.Context, home string) (string, error) {
	c.Logger.Warn("postgres cannot run as root, and its user cannot enter the folder: the data lives elsewhere", "folder", c.Dir, "data", home)
	if _, err := os.Lstat(home); err == nil {
		return home, ownedByUs(home)
	}
	sweepHomes(ctx, c.Dir)
	if err := os.Mkdir(home, 0o711); err != nil {
		return "", fmt.Errorf("folder for Postgres' data: %w", err)
	}
	if err := os.Chmod(home, 0o711); err != nil {
		return "", fmt.Errorf("folder for Postgres' data: %w", err)
	}
	return home, os.WriteFile(filepath.Join(home, "origin"), []byte(c.Dir+"\n"), 0o600)
}

// sweepHomes removes replacements of an earlier dir of the same name: deleting
// dir was meant to delete its data.
func sweepHomes(ctx context.Context, dir string) {
	homes, _ := filepath.Glob(filepath.Join(farBase, "reeve-*"))
	for _, home := range homes {
		origin, err := os.ReadFile(filepath.Join(home, "origin"))
		if err == nil && strings.TrimSpace(string(origin)) == dir && ownedByUs(home) == nil {
			_ = discardHome(ctx, home) // one that cannot be deleted stays, without harm
		}
	}
}

// pickSocketDir returns the home's own folder if the socket's path fits, else a
// short temporary one; "" if nothing fits.
func (c *cluster) pickSocketDir() string {
	near := filepath.Join(c.home, "socket")
	if socketFits(near) {
		return near
	}
	name := filepath.Base(farHome(c.Dir, c.password)) + "-s"
	for _, base := range slices.Compact([]string{os.TempDir(), "/tmp"}) {
		if dir := filepath.Join(base, name); socketFits(dir) && c.account.canEnter(base) {
			return dir
		}
	}
	return ""
}

func socketFits(dir string) bool {
	return len(filepath.Join(dir, ".s.PGSQL.65535")) <= maxSocketPath
}
