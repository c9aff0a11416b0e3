package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/manage"
)

type configCommand struct {
	Check    configCheck    `cmd:"" help:"Check the server's configuration and start nothing."`
	Get      configGet      `cmd:"" help:"Show the auth configuration of a project."`
	Set      configSet      `cmd:"" help:"Change fields of it; an empty KEY= clears a text, KEY=null brings a default back."`
	History  configHistory  `cmd:"" help:"List the versions of the auth configuration of a project."`
	Diff     configDiff     `cmd:"" help:"Show what a version of it changed."`
	Rollback configRollback `cmd:"" help:"Put the values of an earlier version in force again."`

	TestRedirect configTestRedirect `cmd:"" help:"Tell whether users may be sent to a URL, and by which setting."`
	TestSMTP     configTestSMTP     `cmd:"" name:"test-smtp" help:"Try the mail server of a project step by step."`
}

type (
	configCheck struct {
		File string `name:"config" placeholder:"FILE" help:"Configuration file; REEVE_* variables win over it."`
	}
	configGet struct {
		ofProject
		Names []string `arg:"" optional:"" name:"key" help:"Fields to show; all of them when none is named."`
	}
	configSet struct {
		ofProject
		termsOfChange
		Fields []string `arg:"" name:"key=value" help:"Such as jwt_exp=900 or site_url=https://example.com."`
	}
)

// Run reports every error of the configuration.
func (c *configCheck) Run(p program, r *remote) error {
	if _, err := config.Load(c.File, p.lookup); err != nil {
		return err
	}
	if r.Output == "json" {
		return show(p, map[string]bool{"valid": true})
	}
	_, err := fmt.Fprintln(p.out, "The configuration is valid.")
	return err
}

// Run shows.
func (c *configGet) Run(ctx context.Context, p program, r *remote) error {
	client, ref, err := r.project(ctx, p, c.Project)
	if err != nil {
		return err
	}
	answer, err := client.Get(ctx, manage.Path("projects", ref, "config", "auth"))
	if err != nil {
		return err
	}
	if len(c.Names) > 0 {
		if answer, err = membersOf(answer, c.Names); err != nil {
			return err
		}
	}
	if r.Output == "json" {
		return printJSON(p.out, answer)
	}
	return printList(p.out, answer)
}

// membersOf returns an object with the named members of another one.
func membersOf(object json.RawMessage, names []string) (json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(object, &all); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	some := make(map[string]json.RawMessage, len(names))
	for _, name := range names {
		value, ok := all[name]
		if !ok {
			return nil, fmt.Errorf("%s: unknown field", name)
		}
		some[name] = value
	}
	return json.Marshal(some)
}

// Run changes.
func (c *configSet) Run(ctx context.Context, p program, r *remote) error {
	fields, err := manage.ParseFields(c.Fields)
	if err != nil {
		return usage{err}
	}
	client, ref, err := r.project(ctx, p, c.Project)
	if err != nil {
		return err
	}
	answer, err := client.ChangeAuthConfig(ctx, ref, fields, c.terms())
	if err != nil {
		return err
	}
	if c.DryRun {
		return r.printChanges(p, answer)
	}
	if r.Output == "json" {
		return printJSON(p.out, answer)
	}
	return printList(p.out, answer, fields.Names()...)
}
