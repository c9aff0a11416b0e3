package billing

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/billing"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/usage"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service is the rules of bills.
type Service struct {
	DB      *controldb.DB
	Authz   *authz.Authorizer
	Ledgers *Ledgers
	// Plans are those of the installation; nil for one that bills nobody.
	Plans billing.Plans
	Now   func() time.Time
}

// plan is that of an organization. An installation that bills nobody has one plan,
// without limits. A plan that is gone is taken for the unlimited one: nobody is refused
// or charged because of a mistake in the list of plans.
func (s *Service) plan(o *controldb.Organization) billing.Plan {
	if p, ok := s.Plans.Find(o.Plan); ok {
		return p
	}
	return billing.NoLimits()
}

// Bill returns what an organization used in a billing period, and what that costs.
func (s *Service) Bill(ctx context.Context, actor authz.Actor, slug, period string) (*Bill, error) {
	o, err := s.Authz.Organization(ctx, actor, authz.ReadBilling, slug)
	if err != nil {
		return nil, err
	}
	p, err := s.period(o.Anchor, period)
	if err != nil {
		return nil, err
	}
	days, err := s.DB.BillingDays(ctx, o.ID, p.Start)
	if err != nil {
		return nil, err
	}
	projects, err := s.DB.BilledProjects(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	sent, err := s.sent(ctx, projects, p)
	if err != nil {
		return nil, err
	}
	out := s.bill(s.plan(&o), p, projects, days, sent)
	if before := o.Anchor.At(p.Start.Add(-1)); before.End.After(o.CreatedAt) {
		out.Previous = before.Start.Format(time.DateOnly)
	}
	if !p.End.After(s.Now()) {
		out.Next = p.End.Format(time.DateOnly)
	}
	return out, nil
}

// period reads the first day of a period; "" for the current one.
func (s *Service) period(a billing.Anchor, start string) (billing.Period, error) {
	if start == "" {
		return a.At(s.Now()), nil
	}
	day, err := time.Parse(time.DateOnly, start)
	if err == nil {
		if p, ok := a.Starting(day); ok && !p.Start.After(s.Now()) {
			return p, nil
		}
	}
	return billing.Period{}, text.Invalid("period: must be the first day of a billing period that has begun")
}

// sent counts the messages of projects in a period.
func (s *Service) sent(ctx context.Context, projects []controldb.BilledProject, p billing.Period) (billing.Quantities, error) {
	refs := make([]tenants.Ref, len(projects))
	for i, project := range projects {
		refs[i] = project.Ref
	}
	points, err := s.DB.Usage(ctx, refs, p.Start, p.End, true, s.Now())
	if err != nil {
		return nil, err
	}
	out := billing.Quantities{}
	for _, point := range points {
		for metric, meter := range map[usage.Metric]billing.Meter{usage.MailsSent: billing.Mails, usage.TextsSent: billing.Texts} {
			for _, n := range point.Counts[metric] {
				out[meter] += n
			}
		}
	}
	return out, nil
}

// bill sums up.
func (s *Service) bill(plan billing.Plan, p billing.Period, projects []controldb.BilledProject, days []controldb.BillingDay, used billing.Quantities) *Bill {
	out := &Bill{
		Period: Period{p.Start.Format(time.DateOnly), p.End.Format(time.DateOnly)}, Currency: "usd",
		Plan: PlanName{ID: plan.ID, Name: plan.Name}, Days: []Day{}, Projects: make([]ProjectUse, len(projects)),
	}
	use := map[tenants.Ref]*ProjectUse{}
	for i, project := range projects {
		out.Projects[i] = ProjectUse{Ref: string(project.Ref), Name: project.Name, Deleted: project.Deleted, CountedAt: project.CountedAt, Users: map[billing.Kind]int64{}}
		use[project.Ref] = &out.Projects[i]
	}
	recent := billing.Quantities{} // of the last days, from which the rest of the period is projected
	since := billing.Day(s.Now()).AddDate(0, 0, -projectedFrom)
	for _, d := range days {
		n := d.Users
		if plan.FirstDayFree {
			n = d.Returned
		}
		if n == 0 {
			continue
		}
		out.Days = append(out.Days, Day{Ref: string(d.Ref), Day: d.Day.Format(time.DateOnly), Kind: d.Kind, Method: d.Method, Users: n})
		if u := use[d.Ref]; u != nil {
			u.Users[d.Kind] += n
		}
		if meter := d.Kind.Meter(); meter != "" {
			used[meter] += n
			if !d.Day.Before(since) {
				recent[meter] += n
			}
		}
	}
	out.Amount = amountOf(plan.Bill(used))
	if p.Contains(s.Now()) {
		projected := amountOf(plan.Bill(project(used, recent, p, s.Now())))
		out.Projected = &projected
	}
	return out
}

// projectedFrom is the number of whole days whose new users the rest of the period is
// expected to gain a day.
const projectedFrom = 7

// project expects the days that are left to be as those of the last week, or of the
// period where it is younger; messages are expected to go on as in the period so far.
func project(used, recent billing.Quantities, p billing.Period, now time.Time) billing.Quantities {
	out, left := billing.Quantities{}, p.End.Sub(now)
	for meter, n := range used {
		base, span := n, now.Sub(p.Start)
		if meter == billing.MAU || meter == billing.SSOMAU {
			base, span = recent[meter], min(span, now.Sub(billing.Day(now).AddDate(0, 0, -projectedFrom)))
		}
		if span = max(span, time.Hour); base > 0 {
			n += int64(float64(base) * float64(left) / float64(span))
		}
		out[meter] = n
	}
	return out
}

// Recount counts a project's ledger anew, and names where that differs from what was
// counted for the bill.
func (s *Service) Recount(ctx context.Context, actor authz.Actor, ref string) (*Recount, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadBilling, ref)
	if err != nil {
		return nil, err
	}
	list, err := s.Ledgers.Recount(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	return &Recount{Differences: list}, nil
}

// Entries lists who was counted in a period, by pseudonyms: whoever pays may check the
// count without learning who the users are.
func (s *Service) Entries(ctx context.Context, actor authz.Actor, ref string, in EntriesInput) (*Entries, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadBilling, ref)
	if err != nil {
		return nil, err
	}
	t, err := s.Ledgers.active(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	period, err := s.period(t.Anchor, in.Period)
	if err != nil {
		return nil, err
	}
	from, skip, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	var day *time.Time
	if in.Day != "" {
		d, err := time.Parse(time.DateOnly, in.Day)
		if err != nil || d.Year() < 2000 || d.Year() > 9999 {
			return nil, text.Invalid("day: must be a date")
		}
		day = &d
	}
	var found []tenantdb.Activity
	err = s.Ledgers.Database(t).Do(ctx, func(tx *tenantdb.Tx) (err error) {
		found, err = tx.Activities(ctx, period.Start, day, from, skip, in.Limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &Entries{Entries: []Entry{}}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		out.Next = nextCursor(found, from, skip)
	}
	for _, a := range found {
		out.Entries = append(out.Entries, Entry{User: pseudonym(t, a.UserID), FirstAt: a.At, ReturnedAt: a.ReturnedAt, Kind: billing.Kind(a.Kind), Method: a.Method})
	}
	return out, nil
}

// pseudonym names a user of a project in a bill: always the same, and of no use without
// the project's key.
func pseudonym(t *tenants.Tenant, user uuid.UUID) string {
	mac := hmac.New(sha256.New, t.Secrets.OTPKey)
	mac.Write(append([]byte("billing pseudonym"), user[:]...))
	return hex.EncodeToString(mac.Sum(nil)[:10])
}

// A cursor is the time of an entry, in microseconds, and how many of that time were
// read.
func nextCursor(read []tenantdb.Activity, from time.Time, skip int) string {
	last, n := read[len(read)-1].At, 0
	for i := len(read) - 1; i >= 0 && read[i].At.Equal(last); i-- {
		n++
	}
	if last.Equal(from) {
		n += skip
	}
	return fmt.Sprintf("%d.%d", last.UnixMicro(), n)
}

func parseCursor(s string) (from time.Time, skip int, err error) {
	if s == "" {
		return time.UnixMicro(0), 0, nil
	}
	micro, read, _ := strings.Cut(s, ".")
	at, err1 := strconv.ParseInt(micro, 10, 64)
	skip, err2 := strconv.Atoi(read)
	if err1 != nil || err2 != nil || at < 0 || at > maxMicro || skip < 0 || skip > maxSkip {
		return time.Time{}, 0, text.Invalid("cursor: must be one of an answer")
	}
	return time.UnixMicro(at), skip, nil
}

// The bounds of a cursor: the year 9999, and the users of a very large project at one
// time.
const (
	maxMicro = 253_000_000_000_000_000
	maxSkip  = 10_000_000
)
