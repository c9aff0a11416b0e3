package main

import (
	"runtime"
	"testing"
)

// Not parallel: GOMAXPROCS is the process's.
func TestAddProcessors(t *testing.T) {
	before, cpus := runtime.GOMAXPROCS(0), runtime.NumCPU()
	defer runtime.GOMAXPROCS(before)
	for _, tc := range []struct {
		name        string
		given, want int
	}{
		{"one for each slot", cpus, cpus + 3},
		{"the environment set it", cpus + 1, cpus + 1},
		{"a container's limit", max(1, cpus-1), max(1, cpus-1)},
	} {
		if tc.given == 1 && cpus == 1 {
			tc.want = cpus + 3 // the limit is no limit
		}
		t.Run(tc.name, func(t *testing.T) {
			runtime.GOMAXPROCS(tc.given)
			addProcessors(3)
			if got := runtime.GOMAXPROCS(0); got != tc.want {
				t.Errorf("GOMAXPROCS = %d, want %d", got, tc.want)
			}
		})
	}
}
