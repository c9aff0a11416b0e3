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

// farBase is where data goes that Postgres' user could not reach in Dir: it
// survives a reboot, as Dir does.
const farBase = "/var/tmp"

// maxSocketPath is the portable limit of a unix socket's path in bytes: 107 on
// Linux, 103 elsewhere.
const maxSocketPath = 103

// makeDir returns dir absolute and without symlinks, made when missing.
func makeDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("folder for Postgres: %w", err)
	}
	if _, err := os.Stat(dir); err != nil {
		// Others may pass through, not look: Postgres' user must reach its data.
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return "", fmt.Errorf("folder for Postgres: %w", err)
		}
		if err := os.Chmod(dir, 0o711); err != nil { // whatever the umask
			return "", fmt.Errorf("folder for Postgres: %w", err)
		}
	}
	return filepath.EvalSymlinks(dir)
}

// farHome names the folder that stands in for dir. The password in the hash
// makes it unguessable, so nobody can lay it out beforehand, and makes a
// deleted and recreated dir a new cluster.
func farHome(dir, password string) string {
	sum := sha256.Sum256([]byte(dir + "\x00" + password))
	return filepath.Join(farBase, "reeve-"+hex.EncodeToString(sum[:6]))
}

// pickHome answers Dir, or home where the account cannot enter Dir. Data that is
// in one of the two stays there.
func (c *cluster) pickHome(ctx context.Context, home string) (string, error) {
	near := c.account.canEnter(c.Dir)
	if dataMajor(filepath.Join(c.Dir, "data")) != 0 && !near {
		return "", fmt.Errorf("user %s, whom Postgres runs as, cannot enter %s: let others pass through it and its parents (chmod o+x)",
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

// sweepHomes removes stand-ins of an earlier dir of the same name: whoever
// deleted that meant its data.
func sweepHomes(ctx context.Context, dir string) {
	homes, _ := filepath.Glob(filepath.Join(farBase, "reeve-*"))
	for _, home := range homes {
		origin, err := os.ReadFile(filepath.Join(home, "origin"))
		if err == nil && strings.TrimSpace(string(origin)) == dir && ownedByUs(home) == nil {
			_ = discardHome(ctx, home) // what resists stays; it is in nobody's way
		}
	}
}

// pickSocketDir takes the home's own folder when the socket's path fits, else a
// short temporary one; "" when nothing fits.
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
