package usage_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/batch"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/usage"
	"github.com/reevehq/reeve/internal/testkit"
	counted "github.com/reevehq/reeve/internal/usage"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestUsage(t *testing.T) {
	t.Parallel()
	w := controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{&usage.Handler{Service: &usage.Service{DB: w.DB, Authz: w.Authz, Now: controltest.Now}}}
	})
	ours, theirs := w.Project(t, w.Acme, "Shop").Project.Ref, w.Project(t, w.Rival, "Shop").Project.Ref
	hour := controltest.Now().Truncate(time.Hour)
	var users counted.Sketch
	users.Add(uuid.New())
	for n, ref := range []tenants.Ref{ours, theirs} {
		count := func(m counted.Metric, label string, count int64) counted.Count {
			return counted.Count{Project: string(ref), Hour: hour, Metric: m, Label: label, N: count + int64(n)*1000}
		}
		if err := w.DB.AddUsage(t.Context(), counted.Batch{
			Stamp:  batch.Stamp{Writer: uuid.New(), Number: 1},
			Counts: []counted.Count{count(counted.SignIns, "password", 2), count(counted.SignIns, "otp", 1), count(counted.Refusals, "bad_jwt", 4), count(counted.Requests, "", 9)},
			Active: []counted.Active{{Project: string(ref), Hour: hour, Users: users}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	path := func(ref tenants.Ref, rest string) string { return "/v1/projects/" + string(ref) + rest }
	since := "?from=" + url.QueryEscape(hour.Add(-time.Hour).Format(time.RFC3339))
	check := func(p usage.Point) {
		t.Helper()
		if p.SignIns != 3 || p.SignInsByMethod["otp"] != 1 || p.RefusalsByCode["bad_jwt"] != 4 || p.Requests != 9 || p.ActiveUsers != 1 {
			t.Errorf("%+v", p)
		}
	}
	for _, at := range []string{path(ours, "/usage"), "/v1/organizations/acme/usage"} {
		var got usage.Usage
		w.Do(t, w.ReadOnly, "GET", at+since+"&interval=hour", "").Want(t, 200).Into(t, &got)
		if len(got.Points) != 2 {
			t.Fatalf("%+v", got)
		}
		check(got.Points[1])
		w.Do(t, w.ReadOnly, "GET", at, "").Want(t, 200).Into(t, &got)
		if len(got.Points) != 30 {
			t.Fatalf("%d days", len(got.Points))
		}
		check(got.Points[29])
		for _, query := range map[string]string{
			"interval": "?interval=minute", "from": "?from=yesterday", "order": "?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
			"many hours": "?interval=hour&from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z",
			"many days":  "?from=2024-01-01T00:00:00Z&to=2026-03-01T00:00:00Z", "old": "?from=0001-01-02T00:00:00Z",
		} {
			w.Do(t, w.ReadOnly, "GET", at+query, "").Want(t, 400, "validation_failed")
		}
		w.Do(t, w.Stranger, "GET", at, "").Want(t, 404)
	}
	const counts, total = "/analytics/endpoints/usage.api-counts", "/analytics/endpoints/usage.api-requests-count"
	var requests usage.RequestCounts
	w.Do(t, w.ReadOnly, "GET", path(ours, counts+"?interval=3hr"), "").Want(t, 200).Into(t, &requests)
	if n := len(requests.Result); n < 3 || n > 4 || requests.Result[n-1].Auth != 9 {
		t.Errorf("%+v", requests)
	}
	var all usage.Totals
	w.Do(t, w.ReadOnly, "GET", path(ours, total), "").Want(t, 200).Into(t, &all)
	if len(all.Result) != 1 || all.Result[0].Count != 9 {
		t.Errorf("%+v", all)
	}
	w.Do(t, w.ReadOnly, "GET", path(ours, counts+"?interval=2hr"), "").Want(t, 400)
	for _, rest := range []string{"/usage", counts, total} {
		w.Do(t, w.ReadOnly, "GET", path(theirs, rest), "").Refused(t, 404, "project_not_found", "")
	}
}
