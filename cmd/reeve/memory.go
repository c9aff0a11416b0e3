package main

import (
	"os"
	"runtime/debug"
)

// collectAt lets the heap grow to five times the live data before it is
// collected. The live data is small, tens of megabytes with a thousand
// projects, so the default would collect many times a second under load.
const collectAt = 400

// tuneMemory applies collectAt, unless the environment sets the collector.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
}
