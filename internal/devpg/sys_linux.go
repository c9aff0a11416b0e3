package devpg

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// procAttr makes the kernel send death to the child when the starting thread
// ends; 0 sends nothing.
func procAttr(a *account, death syscall.Signal) *syscall.SysProcAttr {
	attr := attributes(a)
	attr.Pdeathsig = death
	return attr
}

// isPostmaster reports whether pid is a server on data, which is a postmaster's
// working directory. A zombie does not count.
func isPostmaster(pid int, data string) bool {
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil || cwd != data {
		return false
	}
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && strings.Contains(string(args), "postgres")
}
