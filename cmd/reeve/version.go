package main

import (
	"fmt"
	"runtime/debug"
)

// release is set by the linker in releases.
var release string

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(p program, r *remote) error {
	if r.Output == "json" {
		return show(p, map[string]string{"version": version()})
	}
	_, err := fmt.Fprintln(p.out, "reeve", version())
	return err
}

// version is the release, else the revision of the checkout in the build.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "dev"
	}
	return info.Main.Version
}
