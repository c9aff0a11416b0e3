// Package billing serves what organizations used and what that costs, from the ledgers
// of active users in their projects' databases. It owns the counting of the ledgers, and
// not the rules of plans and amounts: those are internal/billing's.
package billing

import (
	"context"
	"net/http"
	"time"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/billing"
	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the routes.
type Handler struct {
	Service *Service
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	control.Register(api, control.Operation{
		ID: "list-project-addons", Method: http.MethodGet, Path: "/v1/projects/{ref}/billing/addons",
		Summary: "List the add-ons of a project: there are none", Tag: "Billing",
	}, h.addons)
	control.Register(api, control.Operation{
		ID: "get-organization-bill", Method: http.MethodGet, Path: "/v1/organizations/{slug}/billing/usage",
		Summary: "What the organization used in a billing period by project, day, kind and method, and what that costs", Tag: "Billing",
	}, h.bill)
	control.Register(api, control.Operation{
		ID: "list-billing-plans", Method: http.MethodGet, Path: "/v1/organizations/{slug}/billing/plans",
		Summary: "List the plans, and which one the organization has", Tag: "Billing",
	}, h.plans)
	control.Register(api, control.Operation{
		ID: "list-counted-users", Method: http.MethodGet, Path: "/v1/projects/{ref}/billing/users",
		Summary: "List the users who were counted in a billing period, by pseudonyms", Tag: "Billing",
	}, h.users)
	control.Register(api, control.Operation{
		ID: "recount-project", Method: http.MethodGet, Path: "/v1/projects/{ref}/billing/recount",
		Summary: "Count the ledger of a project's active users anew, and name what differs from the bill", Tag: "Billing",
	}, h.recount)
}

// Addons are the add-ons of a project. The CLI and the Terraform provider read
// them before they change or show a project.
type Addons struct {
	Selected  []Addon `json:"selected_addons"`
	Available []Addon `json:"available_addons"`
}

// Addon is an add-on of a project.
type Addon struct {
	Type string `json:"type"`
}

type refInput struct {
	Ref string `path:"ref"`
}

func (h *Handler) addons(ctx context.Context, actor control.Actor, in *refInput) (*Addons, error) {
	if _, err := h.Service.Authz.Project(ctx, actor, authz.ReadProject, in.Ref); err != nil {
		return nil, err
	}
	return &Addons{Selected: []Addon{}, Available: []Addon{}}, nil
}

// Bill is what an organization used in a billing period, and what that costs.
type Bill struct {
	Period    Period       `json:"period"`
	Previous  string       `json:"previous,omitempty" format:"date" doc:"The first day of the period before, unless that was before the organization."`
	Next      string       `json:"next,omitempty" format:"date" doc:"The first day of the period after, if that has begun."`
	Plan      PlanName     `json:"plan"`
	Currency  string       `json:"currency"`
	Amount    Amount       `json:"amount"`
	Projected *Amount      `json:"projected,omitempty" doc:"At the end of the current period, if it goes on like this."`
	Projects  []ProjectUse `json:"projects"`
	Days      []Day        `json:"days" doc:"In the order of projects and days."`
}

// Amount is what a period costs.
type Amount struct {
	Base  int64  `json:"base" doc:"US cents."`
	Lines []Line `json:"lines"`
	Total int64  `json:"total" doc:"US cents: the base and the lines, each rounded to cents."`
}

// Line is a line of a bill.
type Line struct {
	Meter    billing.Meter `json:"meter" doc:"mau, sso_mau, mails or texts."`
	Quantity int64         `json:"quantity"`
	Included *int64        `json:"included" doc:"How much the plan includes; null for as much as wanted."`
	Billable int64         `json:"billable" doc:"What is paid for."`
	Over     int64         `json:"over" doc:"What is beyond the plan, and not sold."`
	Price    string        `json:"price" doc:"US dollars for one more."`
	Amount   int64         `json:"amount" doc:"US cents."`
}

func amountOf(b billing.Bill) Amount {
	out := Amount{Base: b.Base, Total: b.Total, Lines: make([]Line, len(b.Lines))}
	for i, l := range b.Lines {
		out.Lines[i] = Line{Meter: l.Meter, Quantity: l.Quantity, Included: l.Included, Billable: l.Billable, Over: l.Over, Price: l.Price.String(), Amount: l.Amount}
	}
	return out
}

// Period is a billing period: days in UTC.
type Period struct {
	Start string `json:"start" format:"date"`
	End   string `json:"end" format:"date" doc:"Exclusive."`
}

// PlanName names a plan.
type PlanName struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// ProjectUse is what a project contributed.
type ProjectUse struct {
	Ref       string                 `json:"ref"`
	Name      string                 `json:"name"`
	Deleted   bool                   `json:"deleted"`
	CountedAt *time.Time             `json:"counted_at" doc:"When its ledger was counted last; null for never."`
	Users     map[billing.Kind]int64 `json:"users" doc:"By kind: first_party, sso, third_party, anonymous, test. Test users cost nothing."`
}

// Day is how many users a project gained on a day.
type Day struct {
	Ref    string       `json:"ref"`
	Day    string       `json:"day" format:"date"`
	Kind   billing.Kind `json:"kind"`
	Method string       `json:"method"`
	Users  int64        `json:"users"`
}

type billInput struct {
	Slug   string `path:"slug"`
	Period string `query:"period" maxLength:"10" doc:"The first day of a period; the current one by default."`
}

func (h *Handler) bill(ctx context.Context, actor control.Actor, in *billInput) (*Bill, error) {
	return h.Service.Bill(ctx, actor, in.Slug, in.Period)
}

// PlanList are the plans of the installation.
type PlanList struct {
	Billed  bool   `json:"billed" doc:"Whether this installation bills anybody."`
	Current Plan   `json:"current"`
	Plans   []Plan `json:"plans" doc:"Those that are offered."`
}

// Plan is what an organization pays, and what it gets for that.
type Plan struct {
	ID           string      `json:"id"`
	Name         string      `json:"name"`
	Base         string      `json:"base" doc:"US dollars for a period."`
	FirstDayFree bool        `json:"first_day_free" doc:"Whether a user counts only once they come back a day after their first sign-in, or later."`
	Meters       []PlanMeter `json:"meters" doc:"What is limited or sold; of other meters there is as much as wanted."`
	Projects     int         `json:"projects" doc:"How many at a time; 0 for no limit."`
	LogDays      int         `json:"log_days" doc:"How long logs are kept; 0 for as long as the installation keeps them."`
}

// PlanMeter is how much of a meter is included, and what more costs.
type PlanMeter struct {
	Meter    billing.Meter `json:"meter"`
	Included int64         `json:"included"`
	Price    *string       `json:"price" doc:"US dollars for one more; null where no more is sold."`
}

func planOnWire(p billing.Plan) Plan {
	out := Plan{
		ID: p.ID, Name: p.Name, Base: p.Base.String(), FirstDayFree: p.FirstDayFree, Meters: []PlanMeter{},
		Projects: p.Limits.Projects, LogDays: p.Limits.LogDays,
	}
	for _, meter := range billing.Meters() {
		q, ok := p.Meters[meter]
		if !ok {
			continue
		}
		m := PlanMeter{Meter: meter, Included: q.Included}
		if q.Price != nil {
			price := q.Price.String()
			m.Price = &price
		}
		out.Meters = append(out.Meters, m)
	}
	return out
}

type slugInput struct {
	Slug string `path:"slug"`
}

func (h *Handler) plans(ctx context.Context, actor control.Actor, in *slugInput) (*PlanList, error) {
	o, err := h.Service.Authz.Organization(ctx, actor, authz.ReadOrganization, in.Slug)
	if err != nil {
		return nil, err
	}
	out := &PlanList{Billed: h.Service.Plans != nil, Current: planOnWire(h.Service.plan(&o)), Plans: []Plan{}}
	for _, p := range h.Service.Plans {
		if !p.Hidden {
			out.Plans = append(out.Plans, planOnWire(p))
		}
	}
	return out, nil
}

// EntriesInput selects entries.
type EntriesInput struct {
	Period string `query:"period" maxLength:"10" doc:"The first day of a period; the current one by default."`
	Day    string `query:"day" maxLength:"10" doc:"Only those who were counted on this day (UTC)."`
	Cursor string `query:"cursor" maxLength:"40"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type entriesInput struct {
	Ref string `path:"ref"`
	EntriesInput
}

// Entries are users who were counted, in the order in which they were.
type Entries struct {
	Entries []Entry `json:"entries"`
	Next    string  `json:"next,omitempty" doc:"The cursor of the next page."`
}

// Entry is a user who was counted.
type Entry struct {
	User       string       `json:"user" doc:"A pseudonym, the same in each period."`
	FirstAt    time.Time    `json:"first_at" doc:"The first sign-in or refresh in the period."`
	ReturnedAt *time.Time   `json:"returned_at" doc:"The first time that is a day after the user's first entry; null for none."`
	Kind       billing.Kind `json:"kind"`
	Method     string       `json:"method"`
}

func (h *Handler) users(ctx context.Context, actor control.Actor, in *entriesInput) (*Entries, error) {
	return h.Service.Entries(ctx, actor, in.Ref, in.EntriesInput)
}

// Recount is the result of a recount.
type Recount struct {
	Differences []Difference `json:"differences" doc:"Empty if ledger and bill agree."`
}

func (h *Handler) recount(ctx context.Context, actor control.Actor, in *refInput) (*Recount, error) {
	return h.Service.Recount(ctx, actor, in.Ref)
}
