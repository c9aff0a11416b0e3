package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/reevehq/reeve/internal/manage"
)

type projectsCommand struct {
	List   projectsList   `cmd:"" help:"List the projects."`
	Create projectsCreate `cmd:"" help:"Create a project; its secrets are shown this once."`
	Get    projectsGet    `cmd:"" help:"Show a project."`
	Delete projectsDelete `cmd:"" help:"Delete a project with its database."`
}

type (
	projectsList   struct{}
	projectsCreate struct {
		Name string `arg:"" help:"Its name."`
		Org  string `placeholder:"SLUG" help:"The organization (your first one)."`
	}
	projectsGet struct {
		Ref string `arg:"" help:"Its ref."`
	}
	projectsDelete struct {
		Ref string `arg:"" help:"Its ref."`
	}
)

func projectColumns() []column {
	return []column{{"REF", "ref"}, {"NAME", "name"}, {"ORGANIZATION", "organization_slug"}, {"STATUS", "status"}, {"CREATED", "created_at"}}
}

// Run lists.
func (projectsList) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, manage.Path("projects"))
	if err != nil {
		return err
	}
	return r.print(p, answer, projectColumns()...)
}

// Run creates. What was created is shown even when waiting for its database
// failed: the secrets cannot be had again.
func (o *projectsCreate) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	created, err := c.CreateProject(ctx, o.Name, o.Org)
	if created.Ref == "" {
		return err
	}
	return errors.Join(err, r.printCreated(p, created))
}

func (r *remote) printCreated(p program, created manage.Created) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // db_url is to be copied
	if err := e.Encode(created); err != nil {
		return err
	}
	if r.Output == "json" {
		return printJSON(p.out, b.Bytes())
	}
	return printList(p.out, b.Bytes())
}

// Run shows.
func (o *projectsGet) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, manage.Path("projects", o.Ref))
	if err != nil {
		return err
	}
	return r.print(p, answer, projectColumns()...)
}

// Run deletes.
func (o *projectsDelete) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := c.Delete(ctx, manage.Path("projects", o.Ref))
	if err != nil {
		return err
	}
	return r.print(p, answer, column{"DELETED", "ref"}, column{"NAME", "name"})
}
