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

type configTestSMTP struct {
	ofProject
	Send   bool     `help:"Also send a mail to your own verified address."`
	Fields []string `arg:"" optional:"" name:"key=value" help:"Settings to try, such as smtp_host=smtp.example.com."`
}

// errNotDelivered makes the exit code tell.
var errNotDelivered = errors.New("the mail server does not take mails")

// Run asks the server, which connects to the mail server.
func (o *configTestSMTP) Run(ctx context.Context, p program, r *remote) error {
	fields, err := manage.ParseFields(o.Fields)
	if err != nil {
		return usage{err}
	}
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	answer, err := c.TestSMTP(ctx, ref, o.Send, fields)
	if err != nil {
		return err
	}
	var test struct {
		OK    bool
		Steps json.RawMessage
	}
	if err := json.Unmarshal(answer, &test); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if r.Output == "json" {
		err = printJSON(p.out, answer)
	} else {
		err = r.print(p, test.Steps, column{"STEP", "name"}, column{"STATUS", "status"}, column{"DETAIL", "detail"})
	}
	if err == nil && !test.OK {
		return errNotDelivered
	}
	return err
}
