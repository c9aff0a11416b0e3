package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/reevehq/reeve/internal/manage"
)

type typesCommand struct {
	Ref    string `arg:"" help:"The project: its ref, or its name if no other has it."`
	Schema string `default:"public" placeholder:"NAMES" help:"Schemas, with commas between them (${default})."`
}

// Run prints the TypeScript types of a project's database.
func (c *typesCommand) Run(ctx context.Context, p program, r *remote) error {
	client, ref, err := r.project(ctx, p, c.Ref)
	if err != nil {
		return err
	}
	q := url.Values{"included_schemas": {c.Schema}}
	answer, err := client.Get(ctx, manage.Path("projects", ref, "types", "typescript")+"?"+q.Encode())
	if err != nil {
		return err
	}
	if r.Output == "json" {
		return printJSON(p.out, answer)
	}
	var types struct{ Types string }
	if err := json.Unmarshal(answer, &types); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	_, err = fmt.Fprint(p.out, types.Types)
	return err
}
