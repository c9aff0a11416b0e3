// Package usage serves how much projects are used. It only reads;
// internal/usage counts.
package usage

import (
	"context"
	"net/http"
	"time"

	"github.com/reevehq/reeve/internal/controldb"
	counted "github.com/reevehq/reeve/internal/usage"
	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the routes.
type Handler struct {
	Service *Service
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	control.Register(api, control.Operation{
		ID: "get-project-usage", Method: http.MethodGet, Path: "/v1/projects/{ref}/usage",
		Summary: "How much a project is used, by hour or day", Tag: "Usage",
	}, h.project)
	control.Register(api, control.Operation{
		ID: "get-organization-usage", Method: http.MethodGet, Path: "/v1/organizations/{slug}/usage",
		Summary: "How much the projects of an organization are used together, by hour or day", Tag: "Usage",
	}, h.organization)
	control.Register(api, control.Operation{
		ID: "v1-get-project-usage-api-count", Method: http.MethodGet, Path: "/v1/projects/{ref}/analytics/endpoints/usage.api-counts",
		Summary: "Count the requests to a project by hour", Tag: "Usage",
	}, h.requests)
	control.Register(api, control.Operation{
		ID: "v1-get-project-usage-request-count", Method: http.MethodGet, Path: "/v1/projects/{ref}/analytics/endpoints/usage.api-requests-count",
		Summary: "Count the requests to a project in the last day", Tag: "Usage",
	}, h.total)
}

// Usage is the usage of a span of time.
type Usage struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to" doc:"Exclusive."`
	Interval string    `json:"interval" enum:"hour,day"`
	Points   []Point   `json:"points" doc:"One for each hour or day (UTC), the oldest first."`
}

// Point is the usage of an hour or day.
type Point struct {
	At              time.Time        `json:"at" doc:"Its beginning."`
	ActiveUsers     int64            `json:"active_users" doc:"Distinct users who signed in or refreshed a session: an estimate with a standard error of 1.6 %."`
	Requests        int64            `json:"requests"`
	SignUps         int64            `json:"sign_ups" doc:"New users."`
	SignUpsByMethod map[string]int64 `json:"sign_ups_by_method"`
	SignIns         int64            `json:"sign_ins" doc:"New sessions."`
	SignInsByMethod map[string]int64 `json:"sign_ins_by_method"`
	TokenRefreshes  int64            `json:"token_refreshes"`
	Refusals        int64            `json:"refusals"`
	RefusalsByCode  map[string]int64 `json:"refusals_by_code"`
	MailsSent       int64            `json:"mails_sent"`
	MailsFailed     int64            `json:"mails_failed" doc:"Given up."`
	TextsSent       int64            `json:"texts_sent"`
	TextsFailed     int64            `json:"texts_failed" doc:"Given up."`
}

// RequestCounts is the hosted service's answer with numbers of requests.
type RequestCounts struct {
	Result []RequestCount `json:"result"`
}

// RequestCount has the requests of an hour; Reeve serves only those of Auth.
type RequestCount struct {
	Timestamp time.Time `json:"timestamp"`
	Auth      int64     `json:"total_auth_requests"`
	Realtime  int64     `json:"total_realtime_requests"`
	Rest      int64     `json:"total_rest_requests"`
	Storage   int64     `json:"total_storage_requests"`
}

// Totals is the hosted service's answer with one number.
type Totals struct {
	Result []Total `json:"result"`
}

// Total is a number of requests.
type Total struct {
	Count int64 `json:"count"`
}

// Span are the parameters of a span of time.
type Span struct {
	From     time.Time `query:"from" doc:"24 hours, or 30 days, before to by default."`
	To       time.Time `query:"to" doc:"Exclusive; by default the end of the current hour or day."`
	Interval string    `query:"interval" enum:"hour,day" default:"day"`
}

type projectInput struct {
	Ref string `path:"ref"`
	Span
}

type organizationInput struct {
	Slug string `path:"slug"`
	Span
}

type requestsInput struct {
	Ref      string `path:"ref"`
	Interval string `query:"interval" enum:"15min,30min,1hr,3hr,1day,3day,7day" default:"1day" doc:"How far the counted hours reach back."`
}

type totalInput struct {
	Ref string `path:"ref"`
}

func (h *Handler) project(ctx context.Context, actor control.Actor, in *projectInput) (*Usage, error) {
	return h.Service.Project(ctx, actor, in.Ref, in.Span)
}

func (h *Handler) organization(ctx context.Context, actor control.Actor, in *organizationInput) (*Usage, error) {
	return h.Service.Organization(ctx, actor, in.Slug, in.Span)
}

// windows are the intervals of the hosted service.
var windows = map[string]time.Duration{
	"15min": 15 * time.Minute, "30min": 30 * time.Minute, "1hr": time.Hour, "3hr": 3 * time.Hour,
	"1day": 24 * time.Hour, "3day": 3 * 24 * time.Hour, "7day": 7 * 24 * time.Hour,
}

func (h *Handler) requests(ctx context.Context, actor control.Actor, in *requestsInput) (*RequestCounts, error) {
	now := h.Service.Now()
	u, err := h.Service.Project(ctx, actor, in.Ref, Span{From: now.Add(-windows[in.Interval]), Interval: "hour"})
	if err != nil {
		return nil, err
	}
	out := &RequestCounts{Result: make([]RequestCount, len(u.Points))}
	for i, p := range u.Points {
		out.Result[i] = RequestCount{Timestamp: p.At, Auth: p.Requests}
	}
	return out, nil
}

func (h *Handler) total(ctx context.Context, actor control.Actor, in *totalInput) (*Totals, error) {
	counts, err := h.requests(ctx, actor, &requestsInput{Ref: in.Ref, Interval: "1day"})
	if err != nil {
		return nil, err
	}
	var t Total
	for _, c := range counts.Result {
		t.Count += c.Auth
	}
	return &Totals{Result: []Total{t}}, nil
}

func onWire(at time.Time, p controldb.UsagePoint) Point {
	by := func(m counted.Metric) (total int64, labels map[string]int64) {
		labels = map[string]int64{}
		for label, n := range p.Counts[m] {
			labels[label] = n
			total += n
		}
		return total, labels
	}
	out := Point{At: at, ActiveUsers: p.Users}
	out.SignUps, out.SignUpsByMethod = by(counted.SignUps)
	out.SignIns, out.SignInsByMethod = by(counted.SignIns)
	out.Refusals, out.RefusalsByCode = by(counted.Refusals)
	for m, n := range map[counted.Metric]*int64{
		counted.Requests: &out.Requests, counted.Refreshes: &out.TokenRefreshes, counted.MailsSent: &out.MailsSent,
		counted.MailsFailed: &out.MailsFailed, counted.TextsSent: &out.TextsSent, counted.TextsFailed: &out.TextsFailed,
	} {
		*n, _ = by(m)
	}
	return out
}
