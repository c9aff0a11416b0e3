package main

import (
	"context"

	"github.com/reevehq/reeve/internal/manage"
)

type inboxCommand struct {
	List  inboxList  `cmd:"" help:"List the captured messages, the newest first."`
	Clear inboxClear `cmd:"" help:"Delete them."`
}

type (
	inboxList struct {
		ofProject
	}
	inboxClear struct {
		ofProject
	}
)

// Run lists.
func (i *inboxList) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, i.Project)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, manage.Path("projects", ref, "inbox"))
	if err != nil {
		return err
	}
	return r.print(p, answer, column{"AT", "created_at"}, column{"TO", "to"}, column{"SUBJECT", "subject"},
		column{"CODE", "code"}, column{"LINK", "links"})
}

// Run empties.
func (i *inboxClear) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, i.Project)
	if err != nil {
		return err
	}
	answer, err := c.Delete(ctx, manage.Path("projects", ref, "inbox"))
	if err != nil {
		return err
	}
	return r.print(p, answer, column{"DELETED", "deleted"})
}
