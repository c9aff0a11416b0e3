package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/reevehq/reeve/internal/manage"
	"github.com/reevehq/reeve/internal/snippet"
)

type projectsCommand struct {
	List     projectsList     `cmd:"" help:"List the projects."`
	Create   projectsCreate   `cmd:"" help:"Create a project; its secrets are shown this once."`
	Get      projectsGet      `cmd:"" help:"Show a project."`
	Branch   projectsBranch   `cmd:"" help:"Copy a project with its database into a new one, whose messages are captured."`
	Branches projectsBranches `cmd:"" help:"List the branches of a project."`
	Reset    projectsReset    `cmd:"" help:"Replace the database of a branch by a new copy of its source."`
	Pause    projectsPause    `cmd:"" help:"Stop serving a project and close its database, until it is restored."`
	Restore  projectsRestore  `cmd:"" help:"Serve a paused project again."`
	Extend   projectsExtend   `cmd:"" help:"Change when a project with a time to live deletes itself."`
	Delete   projectsDelete   `cmd:"" help:"Delete a project with its database."`
}

type (
	projectsList   struct{}
	projectsCreate struct {
		Name string `arg:"" help:"Its name."`
		Org  string `placeholder:"SLUG" help:"The organization (your first one)."`
		TTL  string `name:"ttl" placeholder:"TIME" help:"Delete it after this time, such as 30m or 24h (never)."`
	}
	projectsExtend struct {
		Ref string `arg:"" help:"Its ref, or its name if no other has it."`
		TTL string `name:"ttl" required:"" placeholder:"TIME" help:"Delete it after this time from now, such as 30m or 24h."`
	}
	projectsGet struct {
		Ref string `arg:"" help:"Its ref, or its name if no other has it."`
	}
	projectsDelete struct {
		Ref string `arg:"" help:"Its ref, or its name if no other has it."`
		Yes bool   `help:"Do not ask. Required without a terminal."`
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

// Run creates. It prints the project even if waiting for its database failed,
// because the secrets are not shown again.
func (o *projectsCreate) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	created, err := c.CreateProject(ctx, manage.NewProject{Name: o.Name, Organization: o.Org, TTL: o.TTL})
	if created.Ref == "" {
		return err
	}
	if err = errors.Join(err, r.printCreated(p, created)); err != nil {
		return err
	}
	warnOfNamesakes(ctx, p, c, created.Ref)
	return nil
}

// warnOfNamesakes warns that a new project's name is ambiguous. The project
// exists, so a failure to find out is a warning too.
func warnOfNamesakes(ctx context.Context, p program, c *manage.Client, ref string) {
	others, err := c.Namesakes(ctx, ref)
	switch {
	case err != nil:
		fmt.Fprintln(p.err, "reeve: warning: could not look for other projects of this name:", err)
	case len(others) > 0:
		fmt.Fprintf(p.err, "reeve: warning: the organization has another project of this name (%s): name it by its ref, %s\n", others[0], ref)
	}
}

func (r *remote) printCreated(p program, created manage.Created) error {
	if r.Output == "json" {
		return show(p, created)
	}
	answer, err := encode(created)
	if err != nil {
		return err
	}
	if err := printList(p.out, answer); err != nil {
		return err
	}
	app := snippet.Project{Ref: created.Ref, URL: created.URL, Key: created.PublishableKey}
	_, err = fmt.Fprintf(p.out, "\n%s", app.Client())
	return err
}

// Run shows.
func (o *projectsGet) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, o.Ref)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, manage.Path("projects", ref))
	if err != nil {
		return err
	}
	return r.print(p, answer, projectColumns()...)
}

// Run extends.
func (o *projectsExtend) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, o.Ref)
	if err != nil {
		return err
	}
	answer, err := c.Change(ctx, manage.Path("projects", ref), map[string]string{"ttl": o.TTL})
	if err != nil {
		return err
	}
	return r.print(p, answer, column{"REF", "ref"}, column{"NAME", "name"}, column{"EXPIRES", "expires_at"})
}

// ask makes a person type the name of the project to delete, because its
// database is deleted too.
func (o *projectsDelete) ask(ctx context.Context, p program, c *manage.Client, ref string) error {
	if o.Yes {
		return nil
	}
	project, err := c.Project(ctx, ref)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.err, "This deletes project %s (%s) at %s, with its database and all its users.\nType its name or its ref: ",
		printable(project.Name), project.Ref, c.URL)
	typed, err := p.line(ctx)
	if err != nil {
		return err
	}
	if typed == "" || typed != project.Name && typed != project.Ref {
		return errors.New("nothing was deleted: that is neither the project's name nor its ref")
	}
	return nil
}

// Run deletes. Without a terminal it requires --yes.
func (o *projectsDelete) Run(ctx context.Context, p program, r *remote) error {
	if !o.Yes && !p.attended {
		return usage{errors.New("nothing was deleted: there is no terminal to ask for a confirmation; add --yes")}
	}
	c, ref, err := r.project(ctx, p, o.Ref)
	if err != nil {
		return err
	}
	if err := o.ask(ctx, p, c, ref); err != nil {
		return err
	}
	answer, err := c.Delete(ctx, manage.Path("projects", ref))
	if err != nil {
		return err
	}
	return r.print(p, answer, column{"DELETED", "ref"}, column{"NAME", "name"})
}
