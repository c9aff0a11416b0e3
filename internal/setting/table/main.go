// Command table writes the table of settings into the page of the documentation
// that it is given.
package main

import (
	"fmt"
	"os"

	"github.com/reevehq/reeve/internal/setting"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: table PAGE")
	}
	page, err := os.ReadFile(args[0]) //nolint:gosec // the Makefile names the page
	if err != nil {
		return err
	}
	text, err := setting.WriteTable(string(page))
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return os.WriteFile(args[0], []byte(text), 0o644) //nolint:gosec // a page of the documentation, for everybody to read
}
