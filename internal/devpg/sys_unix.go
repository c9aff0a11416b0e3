//go:build unix

package devpg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const supported = true

// ErrInUse is returned when another living process holds the cluster's folder.
var ErrInUse = errors.New("in use by another process")

// dirLock is a folder locked by this process.
type dirLock struct{ file *os.File }

// Close releases the folder at once. Closing the file is not enough: a child
// that another goroutine forked in between shares it until its exec.
func (l *dirLock) Close() error {
	_ = syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN) // fails only when closed
	return l.file.Close()
}

// Holder reports whether a living process holds the cluster's folder dir, and
// its process id if that is known.
func Holder(dir string) (pid int, held bool) {
	f, err := os.Open(lockPath(dir))
	if err != nil {
		return 0, false
	}
	defer func() { _ = f.Close() }()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err == nil {
		_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) // as in Close
		return 0, false
	} else if !errors.Is(err, syscall.EWOULDBLOCK) {
		return 0, false
	}
	return holder(f), true
}

// holder reads the process id that lockDir wrote; 0 if there is none yet.
func holder(f *os.File) int {
	text := make([]byte, 20)
	n, _ := f.ReadAt(text, 0)
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	return pid
}

func lockPath(dir string) string { return filepath.Join(dir, "postgres.lock") }

// lockDir locks the folder for this process; the kernel releases it when the
// process ends in any way.
func lockDir(dir string) (*dirLock, error) {
	f, err := os.OpenFile(lockPath(dir), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		pid := holder(f)
		_ = f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", dir, err)
		}
		return nil, fmt.Errorf("%s is %w (pid %d)", dir, ErrInUse, pid)
	}
	// Only for the message above.
	_ = f.Truncate(0)
	_, _ = fmt.Fprintln(f, os.Getpid())
	return &dirLock{file: f}, nil
}

// attributes are common to all systems: another user when the process is root,
// and a separate process group, so that Ctrl-C reaches only this process, which
// then stops the child.
func attributes(a *account) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if a != nil {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}

func ownerOf(fi fs.FileInfo) (uid uint32, ok bool) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return st.Uid, true
}

func signalProcess(pid int, sig syscall.Signal) error { return syscall.Kill(pid, sig) }

// alive also counts a process that this one may not signal.
func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
