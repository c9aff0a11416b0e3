package main

import (
	"context"
	"fmt"

	"github.com/reevehq/reeve/internal/server"
)

type migrateCommand struct {
	File string `name:"config" placeholder:"FILE" help:"Configuration file; REEVE_* variables win over it."`
}

// Run migrates everything, and can be run again after any end.
func (c *migrateCommand) Run(ctx context.Context, p program) error {
	o, err := p.serverOptions(c.File)
	if err != nil {
		return err
	}
	done, failed := 0, 0
	err = server.Migrate(ctx, o, func(ref string, from, to int64, err error) {
		if err != nil {
			failed++
			fmt.Fprintf(p.out, "%s  %d  failed: %v\n", ref, from, err)
			return
		}
		done++
		fmt.Fprintf(p.out, "%s  %d -> %d\n", ref, from, to)
	})
	fmt.Fprintf(p.out, "%d projects migrated, %d failed\n", done, failed)
	return err
}
