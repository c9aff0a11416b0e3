package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/reevehq/reeve/internal/manage"
)

type usageCommand struct {
	ofProject
	Days usageDays `default:"7" placeholder:"N" help:"How many days, today included, up to 400 (${default})."`
}

// usageDays is how many days are shown.
type usageDays int

// maxUsageDays is how many days the server keeps.
const maxUsageDays = 400

// UnmarshalText reads a flag.
func (d *usageDays) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > maxUsageDays {
		return fmt.Errorf("must be a number from 1 to %d", maxUsageDays)
	}
	*d = usageDays(n)
	return nil
}

// Run prints a line for each day (UTC), the oldest first.
func (u *usageCommand) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, u.Project)
	if err != nil {
		return err
	}
	from := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-int(u.Days))
	q := url.Values{"interval": {"day"}, "from": {from.Format(time.RFC3339)}}
	answer, err := c.Get(ctx, manage.Path("projects", ref, "usage")+"?"+q.Encode())
	if err != nil {
		return err
	}
	var usage struct {
		Points json.RawMessage `json:"points"`
	}
	if err := json.Unmarshal(answer, &usage); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return r.print(p, usage.Points, column{"DAY", "at"}, column{"ACTIVE", "active_users"}, column{"SIGN-UPS", "sign_ups"},
		column{"SIGN-INS", "sign_ins"}, column{"REFRESHES", "token_refreshes"}, column{"REQUESTS", "requests"}, column{"REFUSALS", "refusals"},
		column{"MAILS", "mails_sent"}, column{"FAILED", "mails_failed"}, column{"TEXTS", "texts_sent"})
}
