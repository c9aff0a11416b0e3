package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/reevehq/reeve/internal/manage"
)

type hooksCommand struct {
	List  hooksList  `cmd:"" help:"List the hooks, and what became of their calls of the last day."`
	Calls hooksCalls `cmd:"" help:"List the last calls of a hook, the newest first."`
	Test  hooksTest  `cmd:"" help:"Call a hook as it is saved, with a sample user; exits with 1 if it fails."`
}

// ofHook is the hook that a command works on.
type ofHook struct {
	ofProject
	Point string `arg:"" enum:"before_user_created,after_user_created,custom_access_token,mfa_verification_attempt,password_verification_attempt" help:"${enum}."`
}

type (
	hooksList  struct{ ofProject }
	hooksCalls struct {
		ofHook
		Limit messageLimit `default:"50" placeholder:"N" help:"How many at most, up to 100 (${default})."`
	}
	hooksTest struct{ ofHook }
)

func hooksPath(ref string, parts ...string) string {
	return manage.Path(append([]string{"projects", ref, "auth", "hooks"}, parts...)...)
}

// Run lists.
func (h *hooksList) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, h.Project)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, hooksPath(ref))
	if err != nil || r.Output == "json" {
		if err == nil {
			err = r.print(p, answer)
		}
		return err
	}
	var hooks []struct {
		Point, URI, Mode string
		Enabled, Paused  bool
		Last             *struct {
			Calls, Failed, Refused int
			MedianMS               json.Number `json:"median_ms"`
			Error                  string
		}
	}
	if err := json.Unmarshal(answer, &hooks); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	rows := make([]map[string]any, len(hooks))
	for i, h := range hooks {
		state := "off"
		switch {
		case h.Enabled && h.Paused:
			state = "paused"
		case h.Enabled:
			state = "on"
		}
		rows[i] = map[string]any{"point": h.Point, "state": state, "mode": h.Mode, "uri": h.URI}
		if l := h.Last; l != nil {
			rows[i]["calls"], rows[i]["failed"], rows[i]["refused"], rows[i]["median"], rows[i]["error"] = l.Calls, l.Failed, l.Refused, l.MedianMS, l.Error
		}
	}
	shown, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return r.print(p, shown, column{"HOOK", "point"}, column{"STATE", "state"}, column{"MODE", "mode"}, column{"CALLS", "calls"}, column{"FAILED", "failed"},
		column{"REFUSED", "refused"}, column{"MEDIAN MS", "median"}, column{"URI", "uri"}, column{"LAST ERROR", "error"})
}

// Run lists.
func (h *hooksCalls) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, h.Project)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, hooksPath(ref, h.Point, "calls")+"?limit="+strconv.Itoa(int(h.Limit)))
	if err != nil {
		return err
	}
	return r.print(p, answer, column{"AT", "at"}, column{"OUTCOME", "outcome"}, column{"MODE", "mode"}, column{"MS", "duration_ms"}, column{"STATUS", "status"},
		column{"REQUEST", "request_id"}, column{"ERROR", "error"})
}

var errHookFails = errors.New("the hook does not work")

// Run calls the hook.
func (h *hooksTest) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, h.Project)
	if err != nil {
		return err
	}
	answer, err := c.Post(ctx, hooksPath(ref, h.Point, "test"), nil)
	if err != nil {
		return err
	}
	var test struct{ Outcome, Error, Answer string }
	if err := json.Unmarshal(answer, &test); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if err := r.print(p, answer, column{"OUTCOME", "outcome"}, column{"MS", "duration_ms"}, column{"STATUS", "status"}, column{"ERROR", "error"}, column{"ANSWER", "answer"}); err != nil {
		return err
	}
	if test.Outcome != "ok" && test.Outcome != "refused" { // a sample user may be refused
		return errHookFails
	}
	return nil
}
