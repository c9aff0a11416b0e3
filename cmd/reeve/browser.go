package main

import (
	"context"
	"os/exec"
	"runtime"
)

// openBrowser opens a web address in the user's browser. It does not wait for
// the browser to end.
func openBrowser(address string) error {
	name, args := "xdg-open", []string{address}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	}
	// The browser outlives the command, so no context ends it.
	return exec.CommandContext(context.Background(), name, args...).Start() //nolint:gosec // the address begins with http:// or https://
}
