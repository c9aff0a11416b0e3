package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/reevehq/reeve/internal/manage"
)

type (
	projectsBranch struct {
		Ref  string `arg:"" help:"The project to copy: its ref, or its name if no other has it."`
		Name string `arg:"" help:"Name of the branch."`
		TTL  string `name:"ttl" placeholder:"TIME" help:"Delete the branch after this time, such as 30m or 24h (never)."`
	}
	projectsBranches struct {
		Ref string `arg:"" help:"Its ref, or its name if no other has it."`
	}
	projectsReset struct {
		Ref string `arg:"" help:"The branch: its ref, or its name if no other has it."`
		Yes bool   `help:"Do not ask. Required without a terminal."`
	}
)

// Run copies.
func (o *projectsBranch) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, o.Ref)
	if err != nil {
		return err
	}
	created, err := c.Branch(ctx, ref, o.Name, o.TTL)
	if created.Ref == "" {
		return err
	}
	if err = errors.Join(err, r.printCreated(p, created)); err != nil {
		return err
	}
	warnOfNamesakes(ctx, p, c, created.Ref)
	return nil
}

// Run lists.
func (o *projectsBranches) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, o.Ref)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, manage.Path("projects", ref, "branch"))
	if err != nil {
		return err
	}
	return r.print(p, answer, append(projectColumns(), column{"EXPIRES", "expires_at"})...)
}

// Run resets. Without a terminal it requires --yes.
func (o *projectsReset) Run(ctx context.Context, p program, r *remote) error {
	if !o.Yes && !p.attended {
		return usage{errors.New("nothing was reset: there is no terminal to ask for a confirmation; add --yes")}
	}
	c, ref, err := r.project(ctx, p, o.Ref)
	if err != nil {
		return err
	}
	if !o.Yes {
		fmt.Fprintf(p.err, "This deletes all data of branch %s at %s, and copies its source again.\nType its ref: ", ref, c.URL)
		typed, err := p.line(ctx)
		if err != nil {
			return err
		}
		if typed != ref {
			return errors.New("nothing was reset: that is not the branch's ref")
		}
	}
	answer, err := c.Create(ctx, manage.Path("projects", ref, "reset"), struct{}{})
	if err != nil {
		return err
	}
	return r.print(p, answer, projectColumns()...)
}
