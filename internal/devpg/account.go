package devpg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
)

// account is the user that Postgres runs as when the process is root, because
// Postgres refuses to run as root. A nil account is the process's own user.
type account struct {
	name     string
	uid, gid uint32
}

// pickAccount returns the owner of existing data, else the system's Postgres
// user, else nobody. The account must be in the user database, because Postgres
// looks its own name up.
func pickAccount(data ...string) (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, dir := range data {
		fi, err := os.Stat(dir)
		if err != nil {
			continue
		}
		uid, _ := ownerOf(fi)
		if u, err := user.LookupId(strconv.Itoa(int(uid))); err == nil && uid != 0 {
			return accountOf(u)
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return accountOf(u)
		}
	}
	return nil, errors.New("postgres cannot run as root, and there is neither a user postgres nor nobody to run it as")
}

func accountOf(u *user.User) (*account, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", u.Username, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", u.Username, err)
	}
	return &account{name: u.Username, uid: uint32(uid), gid: uint32(gid)}, nil
}

// canEnter tries to enter dir, so that access lists and mount options count
// too.
func (a *account) canEnter(dir string) bool {
	if a == nil {
		return true
	}
	cmd := exec.Command("/bin/sh", "-c", ":")
	cmd.Dir = dir // entered after the change of user
	cmd.SysProcAttr = procAttr(a, 0)
	return cmd.Run() == nil
}

// ownDir creates dir if it is missing and makes the account its only user.
func (a *account) ownDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("folder for Postgres: %w", err)
	}
	// A link here could give another user's folder to the account.
	if fi, err := os.Lstat(dir); err != nil || !fi.IsDir() {
		return fmt.Errorf("%s is no folder: remove it", dir)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("folder for Postgres: %w", err)
	}
	return a.own(dir)
}

func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	if err := os.Lchown(path, int(a.uid), int(a.gid)); err != nil {
		return fmt.Errorf("give %s to user %s: %w", filepath.Base(path), a.name, err)
	}
	return nil
}

// ownedByUs refuses a folder in a public place that another user could have
// created.
func ownedByUs(dir string) error {
	fi, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	uid, _ := ownerOf(fi)
	if !fi.IsDir() || int(uid) != os.Geteuid() || fi.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is not ours alone: remove it", dir)
	}
	return nil
}
