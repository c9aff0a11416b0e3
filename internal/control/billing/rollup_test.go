package billing_test

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	domain "github.com/reevehq/reeve/internal/billing"
	"github.com/reevehq/reeve/internal/control/billing"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// books are an organization's project with a real ledger, and what was counted of it.
type books struct {
	*controltest.World
	f       *flowtest.Fixture
	ref     tenants.Ref
	ledgers *billing.Ledgers
	log     *bytes.Buffer
}

func newBooks(t *testing.T) *books {
	t.Helper()
	b := &books{f: flowtest.New(t), log: &bytes.Buffer{}}
	b.World = controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		b.ledgers = &billing.Ledgers{DB: w.DB, Now: b.f.Clock.Now, Log: slog.New(slog.NewTextHandler(b.log, nil)), Tenant: b.tenant, Database: func(*tenants.Tenant) *tenantdb.DB { return b.f.A.DB }}
		return []controltest.Mounter{&billing.Handler{Service: &billing.Service{DB: w.DB, Authz: w.Authz, Ledgers: b.ledgers, Plans: domain.DefaultPlans(), Now: b.f.Clock.Now}}}
	})
	b.ref = b.Project(t, b.Acme, "Shop").Project.Ref
	b.f.Clock.Advance(time.Until(time.Date(2027, 3, 20, 12, 0, 0, 0, time.UTC)))
	return b
}

func (b *books) tenant(_ context.Context, ref tenants.Ref) (*tenants.Tenant, error) {
	if ref != b.ref {
		return nil, tenants.ErrUnknownProject
	}
	t := *b.f.A.Tenant()
	t.Ref, t.Anchor = b.ref, b.Acme.Anchor
	return &t, nil
}

// come enters a user at a time.
func (b *books) come(t *testing.T, user uuid.UUID, at time.Time, kind domain.Kind) {
	t.Helper()
	err := b.f.A.DB.Tx(t.Context(), func(tx *tenantdb.Tx) error {
		return tx.CountActive(t.Context(), b.Acme.Anchor.At(at).Start, tenantdb.Activity{UserID: user, At: at, Kind: string(kind), Method: "password", SessionID: uuid.New()})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// counted is what the control database has, in short.
func (b *books) counted(t *testing.T) string {
	t.Helper()
	days, err := b.DB.BillingDaysOf(t.Context(), b.ref, time.Time{}.AddDate(1999, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range days {
		out = append(out, d.Day.Format("01-02")+" "+string(d.Kind)+" "+strings.Repeat("u", int(d.Users))+strings.Repeat("r", int(d.Returned)))
	}
	return strings.Join(out, ", ")
}

func TestRollUp(t *testing.T) {
	t.Parallel()
	b, ctx := newBooks(t), t.Context()
	ann, bob, cid := uuid.New(), uuid.New(), uuid.New()
	day := b.Acme.Anchor.At(b.f.Clock.Now()).Start
	b.f.Clock.Advance(day.Add(60 * time.Hour).Sub(b.f.Clock.Now()))
	at := func(days, hours int) time.Time { return day.AddDate(0, 0, days).Add(time.Duration(hours) * time.Hour) }
	name := func(days int) string { return at(days, 0).Format("01-02") }
	roll := func() {
		t.Helper()
		if err := b.ledgers.RollUp(ctx, b.ref); err != nil {
			t.Fatal(err)
		}
	}
	want := func(want string) {
		t.Helper()
		if got := b.counted(t); got != want {
			t.Errorf("counted %q, want %q", got, want)
		}
	}
	roll()
	want("")
	b.come(t, ann, at(1, 3), domain.FirstParty)
	b.come(t, bob, at(1, 23), domain.SSO)
	roll()
	want(name(1) + " first_party u, " + name(1) + " sso u")
	roll()
	want(name(1) + " first_party u, " + name(1) + " sso u")

	b.f.Clock.Advance(8 * 24 * time.Hour)
	b.come(t, cid, at(9, 23), domain.FirstParty) // late: it is the tenth day
	b.come(t, ann, at(9, 1), domain.FirstParty)  // who returned
	b.come(t, bob, at(2, 1), domain.SSO)         // two hours later: nothing
	roll()
	want(name(1) + " first_party u, " + name(1) + " sso u, " + name(9) + " first_party ur")

	b.f.Clock.Advance(5 * 24 * time.Hour)
	roll()
	if list, err := b.ledgers.Recount(ctx, b.ref); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	// What somebody changed is found, named, noted and mended.
	b.SQL(t, `UPDATE billing_days SET users = users + 2 WHERE kind = 'sso'`)
	list, err := b.ledgers.Recount(ctx, b.ref)
	if err != nil || len(list) != 1 || list[0].Day != at(1, 0).Format(time.DateOnly) || list[0].Kind != domain.SSO || list[0].Ledger != 1 || list[0].Counted != 3 {
		t.Errorf("%+v, %v", list, err)
	}
	for range 2 {
		if err := b.ledgers.Reconcile(ctx); err != nil {
			t.Fatal(err)
		}
	}
	want(name(1) + " first_party u, " + name(1) + " sso u, " + name(9) + " first_party ur")
	if n := strings.Count(b.log.String(), "level=ERROR"); n != 1 {
		t.Errorf("%d errors in the log, want 1:\n%s", n, b.log)
	}
	events, err := b.DB.BillingEvents(ctx, b.Acme.ID, 0, 10)
	if err != nil || len(events) != 1 || events[0].Code != "ledger_differs" || events[0].Ref != b.ref {
		t.Errorf("%+v, %v", events, err)
	}
}

// Counts that run at once with each other, and with the users who come, leave what one
// count at the end would.
func TestRollUpsAtOnce(t *testing.T) {
	t.Parallel()
	b, ctx := newBooks(t), t.Context()
	now := b.f.Clock.Now()
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 1))
			for range 25 {
				b.come(t, uuid.New(), now.Add(-time.Duration(random.IntN(30*60))*time.Minute), domain.Kinds()[random.IntN(5)])
				if random.IntN(3) == 0 {
					if err := b.ledgers.RollUp(ctx, b.ref); err != nil && err != controldb.ErrRollupOvertaken {
						t.Error(err)
					}
				}
			}
		})
	}
	wait.Wait()
	if err := b.ledgers.RollUp(ctx, b.ref); err != nil {
		t.Fatal(err)
	}
	got := b.counted(t)
	b.SQL(t, `DELETE FROM billing_days`)
	b.SQL(t, `DELETE FROM billing_rollups`)
	if err := b.ledgers.RollUp(ctx, b.ref); err != nil {
		t.Fatal(err)
	}
	if whole := b.counted(t); got != whole || strings.Count(got, "u") < 100 {
		t.Errorf("counted %s\nwant    %s", got, whole)
	}
}

// SQL runs a statement in the control database.
func (b *books) SQL(t *testing.T, sql string) {
	t.Helper()
	if _, err := b.DB.Pool().Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}
