package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/internal/server"
	"github.com/reevehq/reeve/tenants"
)

type migrateCommand struct {
	File string `name:"config" placeholder:"FILE" help:"Configuration file; REEVE_* variables win over it."`
}

// Run migrates everything, and can be repeated after any end. It prints a line
// for each project and a summary; or, as JSON, one document at the end.
func (c *migrateCommand) Run(ctx context.Context, p program, r *remote) error {
	o, err := p.serverOptions(c.File)
	if err != nil {
		return err
	}
	t := newTally(p.out)
	if r.Output == "json" {
		t.out = io.Discard
	}
	err = server.Migrate(ctx, o, t.add)
	if err != nil && !t.any() {
		return err
	}
	if r.Output == "json" {
		return errors.Join(err, show(p, t.report()))
	}
	t.sum()
	return err
}

// tally prints and counts the result for each database; warm databases belong
// to no project and are counted separately.
type tally struct {
	out            io.Writer
	projects, warm map[provision.MigrationState]int
	all            []outcome
}

// outcome is the result for a database, as JSON.
type outcome struct {
	Ref    tenants.Ref              `json:"ref"`
	State  provision.MigrationState `json:"state"`
	From   int64                    `json:"from"`
	To     int64                    `json:"to"`
	Warm   bool                     `json:"warm"`
	Status tenants.Status           `json:"status,omitempty"` // of the project
	Error  string                   `json:"error,omitempty"`
}

// report is the whole result.
type report struct {
	Databases []outcome                        `json:"databases"`
	Projects  map[provision.MigrationState]int `json:"projects"`
	Warm      map[provision.MigrationState]int `json:"warm_databases"`
}

func (t *tally) report() report {
	return report{Databases: append([]outcome{}, t.all...), Projects: t.projects, Warm: t.warm} // never null
}

func newTally(out io.Writer) *tally {
	return &tally{out: out, projects: map[provision.MigrationState]int{}, warm: map[provision.MigrationState]int{}}
}

func (t *tally) add(o provision.Outcome) {
	count, what := t.projects, string(o.State)
	if o.Warm {
		count = t.warm
	}
	count[o.State]++
	line := outcome{Ref: o.Ref, State: o.State, From: o.From, To: o.To, Warm: o.Warm, Status: o.Status}
	if o.Err != nil {
		line.Error = o.Err.Error()
	}
	t.all = append(t.all, line)
	switch o.State {
	case provision.MigrationDone:
		what = fmt.Sprintf("migrated %d -> %d", o.From, o.To)
	case provision.MigrationFailed:
		what = fmt.Sprintf("failed at %d: %v", o.From, o.Err)
	case provision.MigrationUnfinished:
		what = "skipped" // finished or dropped by reeve serve
	default:
		what = fmt.Sprintf("%s at %d", what, o.From)
	}
	switch {
	case o.Warm:
		what += " (warm database)"
	case o.Status != tenants.StatusActive:
		what += " (" + string(o.Status) + ")"
	}
	fmt.Fprintf(t.out, "%s  %s\n", o.Ref, printable(what))
}

func (t *tally) any() bool { return len(t.projects)+len(t.warm) > 0 }

func (t *tally) sum() {
	fmt.Fprintf(t.out, "projects: %s; warm databases: %s\n", counts(t.projects), counts(t.warm))
}

// counts always shows the migrated and the failed ones, others if there are
// any.
func counts(of map[provision.MigrationState]int) string {
	parts := []string{
		fmt.Sprintf("%d migrated", of[provision.MigrationDone]),
		fmt.Sprintf("%d failed", of[provision.MigrationFailed]),
		fmt.Sprintf("%d current", of[provision.MigrationCurrent]),
	}
	for _, rare := range []provision.MigrationState{provision.MigrationPending, provision.MigrationUnfinished} {
		if n := of[rare]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, rare))
		}
	}
	return strings.Join(parts, ", ")
}
