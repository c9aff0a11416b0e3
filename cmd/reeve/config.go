package main

import (
	"context"
	"fmt"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/manage"
)

type configCommand struct {
	Check configCheck `cmd:"" help:"Check the server's configuration and start nothing."`
	Get   configGet   `cmd:"" help:"Show the auth configuration of a project."`
	Set   configSet   `cmd:"" help:"Change fields of it; an empty KEY= clears a text, KEY=null brings a default back."`
}

type (
	configCheck struct {
		File string `name:"config" placeholder:"FILE" help:"Configuration file; REEVE_* variables win over it."`
	}
	configGet struct {
		ofProject
	}
	configSet struct {
		ofProject
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
	client, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := client.Get(ctx, manage.Path("projects", c.Project, "config", "auth"))
	if err != nil {
		return err
	}
	if r.Output == "json" {
		return printJSON(p.out, answer)
	}
	return printList(p.out, answer)
}

// Run changes.
func (c *configSet) Run(ctx context.Context, p program, r *remote) error {
	client, err := r.client(p)
	if err != nil {
		return err
	}
	fields, err := manage.ParseFields(c.Fields)
	if err != nil {
		return usage{err}
	}
	answer, err := client.ChangeAuthConfig(ctx, c.Project, fields)
	if err != nil {
		return err
	}
	if r.Output == "json" {
		return printJSON(p.out, answer)
	}
	return printList(p.out, answer, fields.Names()...)
}
