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

// finding is a doctor.Finding as JSON.
type finding struct {
	About  string `json:"about"`
	Result string `json:"result"` // ok, warning or bad
	Text   string `json:"text"`
}

// Run prints each finding, and fails when a check failed.
func (c *doctorCommand) Run(ctx context.Context, p program, r *remote) error {
	found, bad := []finding{}, 0
	for _, f := range doctor.Examine(ctx, doctor.Options{File: c.File, Data: r.Data, Lookup: p.lookup}) {
		line := finding{About: f.About, Result: "ok", Text: f.Text}
		switch {
		case f.Err != nil:
			line.Result, line.Text = "bad", f.Err.Error()
			bad++
		case f.Warning:
			line.Result = "warning"
		}
		found = append(found, line)
	}
	if err := printFindings(p, r, found); err != nil {
		return err
	}
	if bad > 0 {
		return errors.New("not everything is well")
	}
	return nil
}

func printFindings(p program, r *remote, found []finding) error {
	if r.Output == "json" {
		return show(p, found)
	}
	marks := map[string]string{"ok": "ok  ", "warning": "warn", "bad": "BAD "}
	for _, f := range found {
		fmt.Fprintf(p.out, "%s %s: %s\n", marks[f.Result], f.About, f.Text)
	}
	return nil
}
