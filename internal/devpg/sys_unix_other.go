//go:build unix && !linux

package devpg

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// procAttr cannot end the child with this process here; the next start ends it.
func procAttr(a *account, _ syscall.Signal) *syscall.SysProcAttr { return attributes(a) }

// isPostmaster reports whether pid is a server that was started on data.
func isPostmaster(pid int, data string) bool {
	out, err := exec.Command("ps", "-p", strconv.Itoa(pid), "-o", "command=").Output()
	return err == nil && strings.Contains(string(out), "postgres") && strings.Contains(string(out), data)
}
