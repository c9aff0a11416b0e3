package main

import (
	"os"
	"runtime/debug"
)

// collectAt lets the heap grow to five times what is alive before it is
// collected. What is alive is small, tens of megabytes with a thousand
// projects, so the default would collect many times a second under load.
const collectAt = 400

// tuneMemory applies that, unless whoever runs the process chose otherwise.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
}
