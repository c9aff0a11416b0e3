package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/reevehq/reeve/internal/manage"
)

type billingCommand struct {
	Usage   billingUsage   `cmd:"" help:"What an organization used in a billing period, and what that costs."`
	Plans   billingPlans   `cmd:"" help:"The plans, and which one the organization has."`
	Users   billingUsers   `cmd:"" help:"Who was counted in a billing period, by pseudonyms."`
	Recount billingRecount `cmd:"" help:"Count the ledgers of an organization's projects anew, and name what differs from the bill."`
}

type (
	billingUsage struct {
		ofOrganization
		Period string `placeholder:"DAY" help:"The first day of the period, as 2027-01-15; the current one by default."`
	}
	billingPlans struct {
		ofOrganization
	}
	billingUsers struct {
		ofProject
		Period string `placeholder:"DAY" help:"The first day of the period, as 2027-01-15; the current one by default."`
		Day    string `placeholder:"DAY" help:"Only those who were counted on this day (UTC)."`
	}
	billingRecount struct {
		ofOrganization
	}
)

// bill is what the commands show of a bill.
type bill struct {
	Period struct{ Start, End string }
	Plan   struct{ Name string }
	Amount struct {
		Base, Total int64
		Lines       json.RawMessage
	}
	Projected *struct{ Total int64 }
	Projects  []struct {
		Ref, Name string
		Deleted   bool
	}
}

func (b *billingUsage) read(ctx context.Context, c *manage.Client) (json.RawMessage, *bill, error) {
	path := b.path("billing", "usage")
	if b.Period != "" {
		path += "?" + url.Values{"period": {b.Period}}.Encode()
	}
	answer, err := c.Get(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	var read bill
	if err := json.Unmarshal(answer, &read); err != nil {
		return nil, nil, fmt.Errorf("read the answer: %w", err)
	}
	return answer, &read, nil
}

// Run prints the lines of the bill.
func (b *billingUsage) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, read, err := b.read(ctx, c)
	if err != nil {
		return err
	}
	if r.Output == "json" {
		return printJSON(p.out, answer)
	}
	fmt.Fprintf(p.out, "%s, %s to %s (UTC, exclusive)\n\n", read.Plan.Name, read.Period.Start, read.Period.End)
	if err := r.print(p, read.Amount.Lines, column{"METER", "meter"}, column{"USED", "quantity"}, column{"INCLUDED", "included"},
		column{"BILLED", "billable"}, column{"PRICE", "price"}, column{"CENTS", "amount"}); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "\nBase %s, total %s USD\n", dollars(read.Amount.Base), dollars(read.Amount.Total))
	if read.Projected != nil {
		fmt.Fprintf(p.out, "Projected to the end of the period: %s USD\n", dollars(read.Projected.Total))
	}
	return nil
}

// dollars formats cents.
func dollars(cents int64) string {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	return fmt.Sprintf("%s%d.%02d", sign, cents/100, cents%100)
}

// Run prints a line for each plan on offer.
func (b *billingPlans) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, b.path("billing", "plans"))
	if err != nil {
		return err
	}
	if r.Output == "json" {
		return printJSON(p.out, answer)
	}
	var plans struct {
		Billed  bool
		Current struct{ Name string }
		Plans   json.RawMessage
	}
	if err := json.Unmarshal(answer, &plans); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	fmt.Fprintf(p.out, "The plan of %s is %s.\n", b.Slug, plans.Current.Name)
	if !plans.Billed {
		fmt.Fprintln(p.out, "This installation bills nobody.")
		return nil
	}
	fmt.Fprintln(p.out)
	return r.print(p, plans.Plans, column{"ID", "id"}, column{"NAME", "name"}, column{"USD A PERIOD", "base"}, column{"PROJECTS", "projects"}, column{"DAYS OF LOGS", "log_days"})
}

// Run prints who was counted, all pages.
func (b *billingUsers) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, b.Project)
	if err != nil {
		return err
	}
	q := url.Values{"limit": {"1000"}}
	for name, value := range map[string]string{"period": b.Period, "day": b.Day} {
		if value != "" {
			q.Set(name, value)
		}
	}
	all := []json.RawMessage{}
	for {
		answer, err := c.Get(ctx, manage.Path("projects", ref, "billing", "users")+"?"+q.Encode())
		if err != nil {
			return err
		}
		var page struct {
			Entries []json.RawMessage
			Next    string
		}
		if err := json.Unmarshal(answer, &page); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		all = append(all, page.Entries...)
		if page.Next == "" {
			break
		}
		q.Set("cursor", page.Next)
	}
	list, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return r.print(p, list, column{"USER", "user"}, column{"FIRST", "first_at"}, column{"RETURNED", "returned_at"}, column{"KIND", "kind"}, column{"METHOD", "method"})
}

var errDiffers = errors.New("ledgers and bill differ")

// Run recounts project after project. It fails if anything differs.
func (b *billingRecount) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	_, read, err := (&billingUsage{ofOrganization: b.ofOrganization}).read(ctx, c)
	if err != nil {
		return err
	}
	rows, differs := []map[string]any{}, false
	for _, project := range read.Projects {
		row := map[string]any{"ref": project.Ref, "name": project.Name, "differences": []any{}}
		rows = append(rows, row)
		if project.Deleted {
			row["state"] = "deleted: its ledger is gone"
			continue
		}
		answer, err := c.Get(ctx, manage.Path("projects", project.Ref, "billing", "recount"))
		var refused *manage.Refusal
		if errors.As(err, &refused) {
			row["state"] = "not counted: " + refused.Message
			continue
		}
		if err != nil {
			return err
		}
		var recount struct{ Differences []any }
		if err := json.Unmarshal(answer, &recount); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		row["differences"], row["state"] = recount.Differences, "agrees"
		if n := len(recount.Differences); n > 0 {
			row["state"], differs = fmt.Sprintf("%d days differ", n), true
		}
	}
	list, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	if err := r.print(p, list, column{"REF", "ref"}, column{"NAME", "name"}, column{"LEDGER", "state"}); err != nil {
		return err
	}
	if differs {
		return errDiffers
	}
	return nil
}
