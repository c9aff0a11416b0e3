package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/reevehq/reeve/internal/doctor"
)

type doctorCommand struct {
	File string `name:"config" placeholder:"FILE" help:"Configuration file; REEVE_* variables win over it."`
}

// Run prints each finding, and fails when one is bad.
func (c *doctorCommand) Run(ctx context.Context, p program, r *remote) error {
	bad := 0
	for _, f := range doctor.Examine(ctx, doctor.Options{File: c.File, Data: r.Data, Lookup: p.lookup}) {
		mark := "ok  "
		if f.Err != nil {
			mark, bad = "BAD ", bad+1
			fmt.Fprintf(p.out, "%s %s: %v\n", mark, f.About, f.Err)
			continue
		}
		fmt.Fprintf(p.out, "%s %s: %s\n", mark, f.About, f.Text)
	}
	if bad > 0 {
		return errors.New("not everything is well")
	}
	return nil
}
