package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/reevehq/reeve/internal/manage"
)

type (
	// termsOfChange are the flags of what changes a configuration.
	termsOfChange struct {
		Reason string `help:"Why, for the history; at most 500 characters."`
		DryRun bool   `help:"Change nothing; show what would change, and warnings."`
	}
	configHistory struct {
		ofProject
		Before int `placeholder:"VERSION" help:"Only versions before this one."`
		Limit  int `default:"20" help:"How many, at most 50."`
	}
	configDiff struct {
		ofProject
		Version int `arg:"" help:"The version to show."`
		From    int `arg:"" optional:"" help:"The version to compare with (the one before it)."`
	}
	configRollback struct {
		ofProject
		termsOfChange
		Version int `arg:"" help:"The version whose values are to be in force again."`
	}
)

func (t termsOfChange) terms() manage.Terms { return manage.Terms{Reason: t.Reason, DryRun: t.DryRun} }

// Run lists.
func (o *configHistory) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	query := url.Values{"limit": {strconv.Itoa(o.Limit)}}
	if o.Before > 0 {
		query.Set("before", strconv.Itoa(o.Before))
	}
	answer, err := c.Get(ctx, manage.Path("projects", ref, "config", "auth", "history")+"?"+query.Encode())
	if err != nil {
		return err
	}
	if r.Output == "json" {
		return printJSON(p.out, answer)
	}
	rows, err := rowsOf(answer)
	if err != nil {
		return err
	}
	for _, row := range rows {
		var names []string
		list, _ := row["changed"].([]any)
		for _, name := range list {
			names = append(names, text(name))
		}
		row["changed"] = strings.Join(names, " ")
	}
	return printTable(p.out, rows, []column{{"VERSION", "version"}, {"CREATED", "created_at"}, {"AUTHOR", "author"}, {"CHANGED", "changed"}, {"REASON", "reason"}})
}

// Run compares.
func (o *configDiff) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	path := manage.Path("projects", ref, "config", "auth", "history", strconv.Itoa(o.Version))
	if o.From > 0 {
		path += "?from=" + strconv.Itoa(o.From)
	}
	answer, err := c.Get(ctx, path)
	if err != nil {
		return err
	}
	return r.printChanges(p, answer)
}

// Run rolls back.
func (o *configRollback) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	answer, err := c.RollBackAuthConfig(ctx, ref, o.Version, o.terms())
	if err != nil {
		return err
	}
	if o.DryRun {
		return r.printChanges(p, answer)
	}
	if r.Output == "json" {
		return printJSON(p.out, answer)
	}
	_, err = fmt.Fprintf(p.out, "The values of version %d are in force again.\n", o.Version)
	return err
}

// printChanges prints the changes of a comparison or of a dry run.
func (r *remote) printChanges(p program, answer json.RawMessage) error {
	if r.Output == "json" {
		return printJSON(p.out, answer)
	}
	var in struct {
		Changes  json.RawMessage `json:"changes"`
		Warnings []string        `json:"warnings"`
	}
	if err := json.Unmarshal(answer, &in); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	for _, w := range in.Warnings {
		fmt.Fprintln(p.err, "reeve: warning:", printable(w))
	}
	rows, err := rowsOf(in.Changes)
	if err != nil {
		return err
	}
	return printTable(p.out, rows, []column{{"SETTING", "name"}, {"BEFORE", "before"}, {"AFTER", "after"}})
}
