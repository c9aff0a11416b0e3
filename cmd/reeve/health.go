package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/reevehq/reeve/internal/manage"
)

type healthCommand struct {
	ofProject
}

// Run shows the services, and the findings of all of them.
func (h *healthCommand) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, h.Project)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, manage.Path("projects", ref, "health"))
	if err != nil {
		return err
	}
	if err := r.print(p, answer, column{"SERVICE", "name"}, column{"STATUS", "status"}, column{"ERROR", "error"}); err != nil || r.Output == "json" {
		return err
	}
	var services []struct{ Findings []json.RawMessage }
	if err := json.Unmarshal(answer, &services); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	var findings logEntries
	for _, s := range services {
		findings = append(findings, s.Findings...)
	}
	if len(findings) == 0 {
		return nil
	}
	list, err := findings.list()
	if err != nil {
		return err
	}
	fmt.Fprintln(p.out)
	return r.print(p, list, column{"LEVEL", "level"}, column{"FINDING", "code"}, column{"COUNT", "count"}, column{"LAST", "last_at"},
		column{"MESSAGE", "message"}, column{"DETAIL", "detail"})
}
