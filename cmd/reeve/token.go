package main

import (
	"context"
	"fmt"

	"github.com/reevehq/reeve/internal/server"
)

type tokenCommand struct {
	File string `name:"config" placeholder:"FILE" help:"Configuration file; REEVE_* variables win over it."`
}

// Run prints the token alone, so that a script can take it.
func (c *tokenCommand) Run(ctx context.Context, p program) error {
	o, err := p.serverOptions(c.File)
	if err != nil {
		return err
	}
	token, err := server.OperatorToken(ctx, o)
	if err != nil {
		return stopped(ctx, err)
	}
	fmt.Fprintln(p.out, token)
	return nil
}
