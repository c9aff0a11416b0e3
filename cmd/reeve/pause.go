package main

import (
	"context"

	"github.com/reevehq/reeve/internal/manage"
)

type (
	projectsPause struct {
		Ref string `arg:"" help:"Its ref, or its name if no other has it."`
	}
	projectsRestore struct {
		Ref string `arg:"" help:"Its ref, or its name if no other has it."`
	}
)

// Run pauses.
func (o *projectsPause) Run(ctx context.Context, p program, r *remote) error {
	return r.move(ctx, p, o.Ref, "pause")
}

// Run restores.
func (o *projectsRestore) Run(ctx context.Context, p program, r *remote) error {
	return r.move(ctx, p, o.Ref, "restore")
}

// move pauses or restores a project.
func (r *remote) move(ctx context.Context, p program, name, how string) error {
	c, ref, err := r.project(ctx, p, name)
	if err != nil {
		return err
	}
	answer, err := c.Create(ctx, manage.Path("projects", ref, how), struct{}{})
	if err != nil {
		return err
	}
	return r.print(p, answer, projectColumns()...)
}
