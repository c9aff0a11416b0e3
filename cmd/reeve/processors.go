package main

import "runtime"

// addProcessors raises GOMAXPROCS by the number of passwords hashed at a time.
// A thread that hashes occupies one of Go's processors whatever its priority.
// The other requests then have as many as without it, and Linux prefers their
// threads.
//
// It changes nothing where GOMAXPROCS is not the number of processors: either
// the environment sets it, or it follows the CPU limit of a container. Such a
// limit counts the time of all threads, so more of them would exhaust it sooner.
func addProcessors(slots int) {
	if n := runtime.NumCPU(); runtime.GOMAXPROCS(0) == n {
		runtime.GOMAXPROCS(n + slots)
	}
}
