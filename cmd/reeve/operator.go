package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/reevehq/reeve/internal/server"
)

type operatorCommand struct {
	Link   operatorLinkCommand   `cmd:"" help:"Make a one-time link by which the first operator gets an account."`
	List   operatorListCommand   `cmd:"" help:"List the operators."`
	Add    operatorAddCommand    `cmd:"" help:"Make a user an operator."`
	Remove operatorRemoveCommand `cmd:"" help:"End that a user is an operator."`
}

// installation names the installation that a command works on, by its databases.
type installation struct {
	File string `name:"config" placeholder:"FILE" help:"Configuration file; REEVE_* variables win over it."`
}

type operatorLinkCommand struct {
	installation `embed:""`
}

// Run prints only the link, so that a script can read it.
func (c *operatorLinkCommand) Run(ctx context.Context, p program, r *remote) error {
	o, err := p.serverOptions(c.File)
	if err != nil {
		return err
	}
	link, err := server.OperatorLink(ctx, o)
	if err != nil {
		return stopped(ctx, err)
	}
	if r.Output == "json" {
		return show(p, map[string]string{"link": link})
	}
	fmt.Fprintln(p.out, link)
	return nil
}

type operatorListCommand struct {
	installation `embed:""`
}

// Run prints the operators, the first one first.
func (c *operatorListCommand) Run(ctx context.Context, p program, r *remote) error {
	o, err := p.serverOptions(c.File)
	if err != nil {
		return err
	}
	found, err := server.Operators(ctx, o)
	if err != nil {
		return stopped(ctx, err)
	}
	answer, err := json.Marshal(found)
	if err != nil {
		return fmt.Errorf("list operators: %w", err)
	}
	return r.print(p, answer, column{"USER", "user_id"}, column{"EMAIL", "email"}, column{"SINCE", "created_at"})
}

type operatorAddCommand struct {
	installation `embed:""`
	Email        string `arg:"" help:"Address of a user who signed up at the dashboard."`
}

// Run prints nothing unless JSON is requested.
func (c *operatorAddCommand) Run(ctx context.Context, p program, r *remote) error {
	return changeOperator(ctx, p, r, c.File, c.Email, server.AddOperator)
}

type operatorRemoveCommand struct {
	installation `embed:""`
	Email        string `arg:"" help:"Address of the operator."`
}

// Run prints nothing unless JSON is requested.
func (c *operatorRemoveCommand) Run(ctx context.Context, p program, r *remote) error {
	return changeOperator(ctx, p, r, c.File, c.Email, server.RemoveOperator)
}

func changeOperator(ctx context.Context, p program, r *remote, file, email string,
	change func(context.Context, server.Options, string) (server.Operator, error),
) error {
	o, err := p.serverOptions(file)
	if err != nil {
		return err
	}
	changed, err := change(ctx, o, email)
	if err != nil || r.Output != "json" {
		return stopped(ctx, err)
	}
	return show(p, changed)
}
