package billing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/billing"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Ledgers counts the ledgers of active users in the projects' databases.
type Ledgers struct {
	DB       *controldb.DB
	Tenant   func(ctx context.Context, ref tenants.Ref) (*tenants.Tenant, error)
	Database func(*tenants.Tenant) *tenantdb.DB
	Now      func() time.Time
	Log      *slog.Logger
}

const (
	// lateDays is how many days before the last count are counted again: a transaction
	// commits later than the time that its entry has.
	lateDays = 2
	// tries bounds the counts that others overtake.
	tries = 5
	// refsAtATime is how many projects one query lists.
	refsAtATime = 500
)

// firstDay is the first day of which every entry is still in the ledgers; older ones are
// removed by tenantdb.Tidy.
func (l *Ledgers) firstDay() time.Time { return billing.Day(l.Now()).AddDate(-1, 0, 0) }

// RollUp counts what a project's ledger has gained. It skips a project that is not
// active. It can be repeated, and can run twice at the same time.
func (l *Ledgers) RollUp(ctx context.Context, ref tenants.Ref) error {
	return l.rollUp(ctx, ref, l.sinceLast)
}

// sinceLast is the first day that is to be counted after a count.
func (l *Ledgers) sinceLast(last controldb.Rollup) time.Time {
	if last.Through.IsZero() {
		return l.firstDay()
	}
	return last.Through.AddDate(0, 0, -lateDays)
}

func (l *Ledgers) rollUp(ctx context.Context, ref tenants.Ref, from func(controldb.Rollup) time.Time) error {
	t, err := l.Tenant(ctx, ref)
	if errors.Is(err, tenants.ErrUnknownProject) || err == nil && t.Status != tenants.StatusActive {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find project: %w", err)
	}
	return l.replace(ctx, ref, from, func(since time.Time) ([]tenantdb.ActiveDay, error) { return l.count(ctx, t, since) })
}

// replace replaces the days from one on by what count finds in the ledger.
func (l *Ledgers) replace(ctx context.Context, ref tenants.Ref, from func(controldb.Rollup) time.Time, count func(since time.Time) ([]tenantdb.ActiveDay, error)) error {
	for range tries {
		before, err := l.DB.BillingRollup(ctx, ref)
		if err != nil {
			return err
		}
		through, since := billing.Day(l.Now()), from(before)
		days, err := count(since)
		if err != nil {
			return err
		}
		err = l.DB.SetBillingDays(ctx, ref, before, since, through, billingDays(ref, days))
		if !errors.Is(err, controldb.ErrRollupOvertaken) {
			return err
		}
	}
	return controldb.ErrRollupOvertaken
}

// count counts a ledger's entries since a day.
func (l *Ledgers) count(ctx context.Context, t *tenants.Tenant, since time.Time) (days []tenantdb.ActiveDay, err error) {
	err = l.Database(t).Do(ctx, func(tx *tenantdb.Tx) (err error) {
		days, err = tx.ActiveDays(ctx, since)
		return err
	})
	return days, err
}

func billingDays(ref tenants.Ref, days []tenantdb.ActiveDay) []controldb.BillingDay {
	out := make([]controldb.BillingDay, len(days))
	for i, d := range days {
		out[i] = controldb.BillingDay{Ref: ref, Period: d.Period, Day: d.Day, Kind: billing.Kind(d.Kind), Method: d.Method, Users: d.Users, Returned: d.Returned}
	}
	return out
}

// Close counts a ledger for the last time, before its database is dropped; see
// provision.Service. A project that is not billed is passed over. If the ledger cannot
// be read, the billing log says so.
func (l *Ledgers) Close(ctx context.Context, ref tenants.Ref, within func(func(*pgx.Conn) error) error) error {
	billed, err := l.DB.Billed(ctx, ref)
	if err != nil || !billed {
		return err
	}
	err = within(func(conn *pgx.Conn) error {
		return l.replace(ctx, ref, l.sinceLast, func(since time.Time) ([]tenantdb.ActiveDay, error) {
			rows, err := conn.Query(ctx, `SELECT d.period, d.day, d.kind, d.method, d.users, d.returned FROM reeve.activity_days_since($1) d`, since)
			if err != nil {
				return nil, err
			}
			return pgx.CollectRows(rows, pgx.RowToStructByPos[tenantdb.ActiveDay])
		})
	})
	if err != nil {
		noted := l.DB.AddBillingEvent(ctx, controldb.BillingEvent{Ref: ref, Code: "ledger_lost", Detail: map[string]any{"reason": "the ledger could not be read before the database was dropped"}})
		return errors.Join(err, noted)
	}
	return nil
}

// Difference is a day for which the ledger and what was counted of it disagree.
type Difference struct {
	Period   string       `json:"period" format:"date" doc:"The first day of the billing period."`
	Day      string       `json:"day" format:"date"`
	Kind     billing.Kind `json:"kind"`
	Method   string       `json:"method"`
	Ledger   int64        `json:"ledger" doc:"Users in the ledger."`
	Counted  int64        `json:"counted" doc:"Users in what was counted."`
	Returned struct {
		Ledger  int64 `json:"ledger"`
		Counted int64 `json:"counted"`
	} `json:"returned" doc:"Of those who came back a day later or more."`
}

// active returns a project whose database can be read: provision.ErrPaused or
// provision.ErrNotReady otherwise.
func (l *Ledgers) active(ctx context.Context, ref tenants.Ref) (*tenants.Tenant, error) {
	t, err := l.Tenant(ctx, ref)
	switch {
	case err != nil:
		return nil, err
	case t.Status.Paused():
		return nil, provision.ErrPaused
	case t.Status != tenants.StatusActive:
		return nil, provision.ErrNotReady
	}
	return t, nil
}

// Recount counts a year of a project's ledger anew, to the day before yesterday, and
// returns where that differs from what was counted before. It changes
// nothing.
func (l *Ledgers) Recount(ctx context.Context, ref tenants.Ref) ([]Difference, error) {
	t, err := l.active(ctx, ref)
	if err != nil {
		return nil, err
	}
	rollup, err := l.DB.BillingRollup(ctx, ref)
	if err != nil {
		return nil, err
	}
	since := l.firstDay()
	counted, err := l.DB.BillingDaysOf(ctx, ref, since)
	if err != nil {
		return nil, err
	}
	ledger, err := l.count(ctx, t, since)
	if err != nil {
		return nil, err
	}
	return differences(billingDays(ref, ledger), counted, rollup.Through.AddDate(0, 0, 1-lateDays)), nil
}

// dayKey is what a BillingDay counts.
type dayKey struct {
	period, day string
	kind        billing.Kind
	method      string
}

// differences compares the days before one.
func differences(ledger, counted []controldb.BillingDay, before time.Time) []Difference {
	found := map[dayKey]*Difference{}
	add := func(list []controldb.BillingDay, set func(*Difference, controldb.BillingDay)) {
		for _, d := range list {
			if !d.Day.Before(before) {
				continue
			}
			k := dayKey{d.Period.Format(time.DateOnly), d.Day.Format(time.DateOnly), d.Kind, d.Method}
			if found[k] == nil {
				found[k] = &Difference{Period: k.period, Day: k.day, Kind: k.kind, Method: k.method}
			}
			set(found[k], d)
		}
	}
	add(ledger, func(e *Difference, d controldb.BillingDay) { e.Ledger, e.Returned.Ledger = d.Users, d.Returned })
	add(counted, func(e *Difference, d controldb.BillingDay) { e.Counted, e.Returned.Counted = d.Users, d.Returned })
	list := []Difference{}
	for _, e := range found {
		if e.Ledger != e.Counted || e.Returned.Ledger != e.Returned.Counted {
			list = append(list, *e)
		}
	}
	slices.SortFunc(list, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Period, b.Period), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Method, b.Method))
	})
	return list
}

// Reconcile counts the ledgers of all active projects, and then compares each with what
// was counted before. A difference is noted in the billing log, logged as an error, and
// mended by counting the whole ledger. It goes on after a project that fails, and can be
// repeated.
func (l *Ledgers) Reconcile(ctx context.Context) error {
	var failed []error
	for after := tenants.Ref(""); ; {
		refs, err := l.DB.ActiveBilledRefs(ctx, after, refsAtATime)
		if err != nil || len(refs) == 0 {
			return errors.Join(append(failed, err)...)
		}
		for _, ref := range refs {
			if err := l.reconcile(ctx, ref); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				failed = append(failed, fmt.Errorf("project %s: %w", ref, err))
			}
		}
		after = refs[len(refs)-1]
	}
}

func (l *Ledgers) reconcile(ctx context.Context, ref tenants.Ref) error {
	if err := l.RollUp(ctx, ref); err != nil {
		return err
	}
	list, err := l.Recount(ctx, ref)
	if errors.Is(err, tenants.ErrUnknownProject) || err == nil && len(list) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	l.Log.ErrorContext(ctx, "the ledger of active users differs from what was counted", "project", ref, "days", len(list), "first", list[0])
	shown := list[:min(len(list), 20)]
	if err := l.DB.AddBillingEvent(ctx, controldb.BillingEvent{Ref: ref, Code: "ledger_differs", Detail: map[string]any{"days": len(list), "first": shown}}); err != nil {
		return err
	}
	return l.rollUp(ctx, ref, func(controldb.Rollup) time.Time { return l.firstDay() })
}
