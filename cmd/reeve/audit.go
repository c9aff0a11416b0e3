package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
)

type auditCommand struct {
	List   auditList   `cmd:"" help:"List what was done in an organization, the newest first; -o json exports all of it."`
	Verify auditVerify `cmd:"" help:"Check that no entry was changed, removed or inserted."`
}

type (
	auditList struct {
		ofOrganization
		Ref    string `placeholder:"REF" help:"Only of this project."`
		Action string `placeholder:"ID" help:"Only this operation, such as delete-project."`
		Result string `enum:",done,refused,failed,unknown" default:"" help:"Only with this result: done, refused, failed or unknown."`
		Limit  int    `default:"100" help:"At most this many, 1 to 1000."`
		Before int64  `placeholder:"N" help:"Only entries with a lower number."`
	}
	auditVerify struct {
		ofOrganization
	}
)

// Run lists.
func (a *auditList) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	q := url.Values{"limit": {strconv.Itoa(a.Limit)}}
	for name, value := range map[string]string{"ref": a.Ref, "action": a.Action, "result": a.Result} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if a.Before > 0 {
		q.Set("before", strconv.FormatInt(a.Before, 10))
	}
	answer, err := c.Get(ctx, a.path("audit-logs")+"?"+q.Encode())
	if err != nil {
		return err
	}
	var page struct{ Entries json.RawMessage }
	if err := json.Unmarshal(answer, &page); err != nil {
		return fmt.Errorf("read the log: %w", err)
	}
	return r.print(p, page.Entries, column{"NO", "seq"}, column{"AT", "at"}, column{"ACTOR", "actor"}, column{"NAME", "service_token"}, column{"ACTION", "action"},
		column{"OBJECT", "object"}, column{"RESULT", "result"})
}

// errBroken makes the exit code say that a log is not what was written.
var errBroken = errors.New("the log is not what was written")

// Run checks.
func (a *auditVerify) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, a.path("audit-logs", "verify"))
	if err != nil {
		return err
	}
	var verdict struct{ Valid bool }
	if err := json.Unmarshal(answer, &verdict); err != nil {
		return fmt.Errorf("read the verdict: %w", err)
	}
	if err := r.print(p, answer, column{"VALID", "valid"}, column{"ENTRIES", "entries"}, column{"BROKEN", "broken"}, column{"REASON", "reason"}); err != nil {
		return err
	}
	if !verdict.Valid {
		return errBroken
	}
	return nil
}
