//go:build linux || darwin

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of the times in /proc/<pid>/stat: USER_HZ, which is 100 on
// every platform that Go supports.
const tick = 10 * time.Millisecond

// procStat is the part of /proc/<pid>/stat (proc(5)) in use.
type procStat struct {
	parent       int
	cpu, waited  time.Duration // of the process, and of children that have ended
	residentSize int64         // bytes
}

// readStat returns false if there is no such process, or no /proc.
func readStat(pid int) (s procStat, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return s, false
	}
	// The name in parentheses may contain anything; fields are counted after
	// it.
	at := strings.LastIndexByte(string(text), ')')
	f := strings.Fields(string(text[at+1:]))
	if at < 0 || len(f) < 22 {
		return s, false
	}
	number := func(field int) int64 {
		n, _ := strconv.ParseInt(f[field-3], 10, 64)
		return n
	}
	return procStat{
		parent:       int(number(4)),
		cpu:          time.Duration(number(14)+number(15)) * tick,
		waited:       time.Duration(number(16)+number(17)) * tick,
		residentSize: number(24) * int64(os.Getpagesize()),
	}, true
}

// treeCPU is the time of a process and its children, including those that have
// ended and were waited for.
func treeCPU(root int) time.Duration {
	s, _ := readStat(root)
	sum := s.cpu + s.waited
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if child, ok := readStat(pid); ok && child.parent == root {
			sum += child.cpu + child.waited
		}
	}
	return sum
}

// ownCPU is the time of this process.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// spent is processor time by process.
type spent struct{ reeve, postgres, client time.Duration }

func (s spent) since(before spent) spent {
	return spent{s.reeve - before.reeve, s.postgres - before.postgres, s.client - before.client}
}

// freeBytes is the free space of path's file system; false if unknown.
func freeBytes(path string) (uint64, bool) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		return 0, false
	}
	return fs.Bavail * uint64(fs.Bsize), true
}
