//go:build linux || darwin

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A service manager that weighs processor time gives each service a group of its
// own: while both want the processors, Postgres with all its processes gets as much as
// Reeve. Without groups Linux divides them among Postgres's sessions and Reeve
// evenly, and many that compute leave Reeve nothing.

// cpuGroups is where Linux has the groups; "" if this system weighs none.
func cpuGroups() string {
	const v1, v2 = "/sys/fs/cgroup/cpu", "/sys/fs/cgroup"
	if _, err := os.Stat(filepath.Join(v1, "cpu.shares")); err == nil {
		return v1
	}
	if enabled, err := os.ReadFile(filepath.Join(v2, "cgroup.subtree_control")); err == nil && strings.Contains(string(enabled), "cpu") {
		return v2
	}
	return ""
}

var errNoCPUGroups = errors.New("this system has none")

// groupCPU moves Postgres, just started, into a group of its own.
func (p *postgres) groupCPU() error {
	base := cpuGroups()
	if base == "" {
		return errNoCPUGroups
	}
	group := filepath.Join(base, filepath.Base(p.dir))
	if err := os.Mkdir(group, 0o755); err != nil {
		return err
	}
	p.group = group
	pids, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	move := func(pid int) error {
		return os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o600)
	}
	if err := move(p.pid); err != nil { // first: its later children follow it
		return fmt.Errorf("move Postgres: %w", err)
	}
	for _, entry := range pids {
		pid, err := strconv.Atoi(entry.Name())
		if child, ok := readStat(pid); err == nil && ok && child.parent == p.pid {
			_ = move(pid) // it may have ended
		}
	}
	return nil
}

// ungroupCPU removes the group of a Postgres that has stopped.
func (p *postgres) ungroupCPU() error {
	if p.group == "" {
		return nil
	}
	return os.Remove(p.group)
}
