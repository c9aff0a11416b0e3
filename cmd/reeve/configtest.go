package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/reevehq/reeve/internal/manage"
)

type configTestRedirect struct {
	ofProject
	URL    string   `arg:"" help:"The redirect_to of a request."`
	Fields []string `arg:"" optional:"" name:"key=value" help:"Changes to test with, such as uri_allow_list=https://*.example.com/**."`
}

// errNotAllowed makes the exit code tell.
var errNotAllowed = errors.New("users are not sent there")

// Run asks the server, whose rules these are.
func (o *configTestRedirect) Run(ctx context.Context, p program, r *remote) error {
	fields, err := manage.ParseFields(o.Fields)
	if err != nil {
		return usage{err}
	}
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	answer, err := c.TestRedirect(ctx, ref, o.URL, fields)
	if err != nil {
		return err
	}
	if r.Output == "json" {
		return printJSON(p.out, answer)
	}
	var test struct {
		Allowed         bool
		Target, Refused string
		Patterns        json.RawMessage
		Warnings        []string
	}
	if err := json.Unmarshal(answer, &test); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if err := r.print(p, test.Patterns, column{"SETTING", "setting"}, column{"PATTERN", "pattern"}, column{"MATCHES", "matches"}, column{"REASON", "reason"}, column{"WARNINGS", "warnings"}); err != nil {
		return err
	}
	for _, line := range append([]string{test.Refused}, test.Warnings...) {
		if line != "" {
			fmt.Fprintln(p.out, text(line))
		}
	}
	fmt.Fprintln(p.out, "Users are sent to", text(test.Target))
	if !test.Allowed {
		return errNotAllowed
	}
	return nil
}
