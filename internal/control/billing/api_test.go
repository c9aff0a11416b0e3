package billing_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	domain "github.com/reevehq/reeve/internal/billing"
	"github.com/reevehq/reeve/internal/control/billing"
)

func TestOrganizationBill(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	path := "/v1/organizations/" + b.Acme.Slug + "/billing/usage"
	now := b.f.Clock.Now()
	for _, kind := range []domain.Kind{domain.FirstParty, domain.FirstParty, domain.Anonymous, domain.SSO, domain.Test} {
		b.come(t, uuid.New(), now, kind)
	}
	again := uuid.New()
	b.come(t, again, now, domain.FirstParty)
	b.come(t, again, now.Add(time.Minute), domain.FirstParty)
	if err := b.ledgers.RollUp(t.Context(), b.ref); err != nil {
		t.Fatal(err)
	}
	var bill billing.Bill
	b.Do(t, b.Owner, "GET", path, "").Want(t, 200).Into(t, &bill)
	if bill.Plan.ID != "free" || bill.Amount.Total != 0 || bill.Amount.Lines[0].Quantity != 4 || bill.Amount.Lines[1].Quantity != 1 || bill.Projected.Lines[0].Quantity < 4 {
		t.Errorf("%+v", bill)
	}
	if got := bill.Projects[0].Users; len(bill.Projects) != 1 || got[domain.Test] != 1 || got[domain.FirstParty] != 3 || got[domain.SSO] != 1 || bill.Projects[0].CountedAt == nil {
		t.Errorf("%+v", bill.Projects)
	}
	sum := int64(0)
	for _, d := range bill.Days {
		sum += d.Users
	}
	if sum != 6 {
		t.Errorf("the days have %d users, want 6", sum)
	}

	// An older period is empty; what is no period's first day is refused.
	before := b.Acme.Anchor.At(b.Acme.Anchor.At(now).Start.Add(-time.Hour))
	var empty billing.Bill
	b.Do(t, b.Owner, "GET", path+"?period="+before.Start.Format(time.DateOnly), "").Want(t, 200).Into(t, &empty)
	if empty.Amount.Lines[0].Quantity != 0 || empty.Projected != nil || len(empty.Days) != 0 {
		t.Errorf("%+v", empty)
	}
	for _, period := range []string{before.Start.AddDate(0, 0, 1).Format(time.DateOnly), b.Acme.Anchor.At(now).End.Format(time.DateOnly), "yesterday", "2027-02-30"} {
		b.Do(t, b.Owner, "GET", path+"?period="+period, "").Refused(t, 400, "validation_failed", "period: must be the first day of a billing period that has begun")
	}

	// Branches, projects with a time to live and the installation's own cost nothing.
	for _, free := range []string{"platform = true", "expires_at = now() + interval '1 day'", "branch_of = ref"} {
		b.SQL(t, "UPDATE projects SET "+free+" WHERE ref = '"+string(b.ref)+"'")
		var none billing.Bill
		b.Do(t, b.Owner, "GET", path, "").Want(t, 200).Into(t, &none)
		if len(none.Projects) != 0 || len(none.Days) != 0 || none.Amount.Lines[0].Quantity != 0 {
			t.Errorf("%s: %+v", free, none)
		}
		b.SQL(t, "UPDATE projects SET platform = false, expires_at = NULL, branch_of = NULL")
	}
	// A deleted project is still paid for.
	b.SQL(t, "UPDATE projects SET deleted_at = now()")
	b.Do(t, b.Owner, "GET", path, "").Want(t, 200).Into(t, &bill)
	if bill.Amount.Lines[0].Quantity != 4 || !bill.Projects[0].Deleted {
		t.Errorf("%+v", bill)
	}
	b.Do(t, b.Developer, "GET", path, "").Refused(t, 403, "forbidden", "")
	b.Do(t, b.Stranger, "GET", path, "").Refused(t, 404, "organization_not_found", "")
}

// Each counted user is listed once, over pages, by a name that does not tell who it is.
func TestCountedUsers(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	path, now := "/v1/projects/"+string(b.ref)+"/billing/users", b.f.Clock.Now()
	ids := map[string]bool{}
	for i := range 25 {
		id := uuid.New()
		ids[id.String()] = true
		b.come(t, id, now.Add(-time.Duration(i/10)*time.Hour), domain.FirstParty) // ten at a time
	}
	seen := map[string]bool{}
	for cursor, pages := "", 0; ; pages++ {
		var page billing.Entries
		res := b.Do(t, b.Owner, "GET", path+"?limit=4&cursor="+cursor, "").Want(t, 200)
		res.Into(t, &page)
		for _, e := range page.Entries {
			if seen[e.User] || len(e.User) != 20 {
				t.Errorf("%s is there twice", e.User)
			}
			seen[e.User] = true
		}
		for id := range ids {
			if strings.Contains(string(res.Body), id) {
				t.Error("the answer has a user's id")
			}
		}
		if cursor = page.Next; cursor == "" || pages > 10 {
			break
		}
	}
	if len(seen) != 25 {
		t.Errorf("%d users are listed, want 25", len(seen))
	}
	var day billing.Entries
	b.Do(t, b.Owner, "GET", path+"?day="+now.AddDate(0, 0, -1).Format(time.DateOnly), "").Want(t, 200).Into(t, &day)
	if len(day.Entries) != 0 {
		t.Errorf("%d users are listed for yesterday", len(day.Entries))
	}
	for query, message := range map[string]string{
		"cursor=1": "cursor: must be one of an answer", "cursor=-1.0": "cursor: must be one of an answer", "cursor=1.99999999999": "cursor: must be one of an answer",
		"day=today": "day: must be a date", "day=0001-01-01": "day: must be a date",
	} {
		b.Do(t, b.Owner, "GET", path+"?"+query, "").Refused(t, 400, "validation_failed", message)
	}
	b.Do(t, b.Developer, "GET", path, "").Refused(t, 403, "forbidden", "")
	b.Do(t, b.Stranger, "GET", path, "").Refused(t, 404, "project_not_found", "")
}

func TestRecountRoute(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	path := "/v1/projects/" + string(b.ref) + "/billing/recount"
	b.come(t, uuid.New(), b.f.Clock.Now().AddDate(0, 0, -5), domain.FirstParty)
	if err := b.ledgers.RollUp(t.Context(), b.ref); err != nil {
		t.Fatal(err)
	}
	var r billing.Recount
	b.Do(t, b.Owner, "GET", path, "").Want(t, 200).Into(t, &r)
	if len(r.Differences) != 0 {
		t.Errorf("%+v", r)
	}
	b.SQL(t, "DELETE FROM billing_days")
	b.Do(t, b.Owner, "GET", path, "").Want(t, 200).Into(t, &r)
	if len(r.Differences) != 1 || r.Differences[0].Ledger != 1 || r.Differences[0].Counted != 0 {
		t.Errorf("%+v", r)
	}
	b.Do(t, b.Stranger, "GET", path, "").Refused(t, 404, "project_not_found", "")
}

func TestPlans(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.Do(t, b.Developer, "GET", "/v1/organizations/"+b.Acme.Slug+"/billing/plans", "").Want(t, 200).Golden(t, "plans")
}
