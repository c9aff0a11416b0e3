// Command which prints the folder of the Postgres binaries that Reeve would run
// in the working directory, and fails with the places tried when there are none.
// Set-up scripts ask it, so that the search is written once.
package main

import (
	"fmt"
	"os"

	"github.com/reevehq/reeve/internal/devpg"
)

func main() {
	dir, err := devpg.Find(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(dir)
}
