package usage

import (
	"context"
	"time"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// Service is the rules of usage.
type Service struct {
	DB    *controldb.DB
	Authz *authz.Authorizer
	Now   func() time.Time
}

// Project returns the usage of a project.
func (s *Service) Project(ctx context.Context, actor authz.Actor, ref string, in Span) (*Usage, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadProject, ref)
	if err != nil {
		return nil, err
	}
	return s.usage(ctx, []tenants.Ref{p.Ref}, in)
}

// Organization returns the usage of the organization's projects that the actor may
// read.
func (s *Service) Organization(ctx context.Context, actor authz.Actor, slug string, in Span) (*Usage, error) {
	org, err := s.Authz.Organization(ctx, actor, authz.ReadOrganization, slug)
	if err != nil {
		return nil, err
	}
	projects, err := s.Authz.Projects(ctx, actor, org)
	if err != nil {
		return nil, err
	}
	refs := make([]tenants.Ref, len(projects))
	for i, p := range projects {
		refs[i] = p.Ref
	}
	return s.usage(ctx, refs, in)
}

func (s *Service) usage(ctx context.Context, refs []tenants.Ref, in Span) (*Usage, error) {
	out, step, err := in.bounds(s.Now())
	if err != nil {
		return nil, err
	}
	found, err := s.DB.Usage(ctx, refs, out.From, out.To, in.Interval == "day", s.Now())
	if err != nil {
		return nil, err
	}
	at := map[time.Time]controldb.UsagePoint{}
	for _, p := range found {
		at[p.At] = p
	}
	for t := out.From; t.Before(out.To); t = t.Add(step) {
		out.Points = append(out.Points, onWire(t, at[t]))
	}
	return out, nil
}

// The longest spans, which are those for which hours and days are kept.
const (
	maxHours = 35 * 24
	maxDays  = 400
)

// bounds returns the span in whole hours or days.
func (in Span) bounds(now time.Time) (*Usage, time.Duration, error) {
	step, most, usual := time.Hour, maxHours, 24
	if in.Interval == "day" {
		step, most, usual = 24*time.Hour, maxDays, 30
	}
	from, to := in.From.UTC(), in.To.UTC()
	if in.To.IsZero() {
		to = now.UTC().Truncate(step).Add(step)
	}
	if in.From.IsZero() {
		from = to.Add(-time.Duration(usual) * step)
	}
	if !from.Before(to) {
		return nil, 0, text.Invalid("from: must be before to")
	}
	if to.Year() > 9999 || from.Year() < 2000 {
		return nil, 0, text.Invalid("from: must be in this millennium")
	}
	from = from.Truncate(step)
	if last := to.Truncate(step); last.Before(to) {
		to = last.Add(step)
	}
	if to.Sub(from) > time.Duration(most)*step {
		return nil, 0, text.Invalid("from: at most %d of the interval %s may lie between from and to", most, in.Interval)
	}
	return &Usage{From: from, To: to, Interval: in.Interval, Points: []Point{}}, step, nil
}
