package controldb

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
)

// KeptFailures can be read page by page, however many were kept at once.
func TestKeptFailuresByPage(t *testing.T) {
	t.Parallel()
	db := newBase(t)
	db.project(t, refA)
	const many = 25
	list := make([]ratelimit.Failures, many)
	for i := range list {
		list[i] = ratelimit.Failures{Ref: refA, Rule: "password_client", Identifier: fmt.Sprint(i), Count: 3, Rate: 0.001, Burst: 20}
	}
	for range 2 { // the second time they add up
		if err := db.KeepFailures(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	seen, since := map[string]bool{}, time.Time{}
	for range many {
		page, last, err := db.KeptFailures(t.Context(), since, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range page {
			seen[f.Identifier] = true
			if f.Count < 5.9 || f.Count > 6 {
				t.Errorf("%s: %v failures, want 6", f.Identifier, f.Count)
			}
		}
		if since = last; len(page) < 10 {
			break
		}
	}
	if len(seen) != many {
		t.Errorf("%d of %d were read", len(seen), many)
	}
}

// A project has a bound, and keeps what is guessed at often. All of them have one
// too, and those that have the most pay for it.
func TestFailuresAreBounded(t *testing.T) {
	t.Parallel()
	db := newBase(t)
	db.project(t, refA)
	db.project(t, refB)
	const refC tenants.Ref = "cccccccccccccccccccc"
	db.project(t, refC)
	keep := func(ref tenants.Ref, name string, many int, count float64) {
		t.Helper()
		list := make([]ratelimit.Failures, many)
		for i := range list {
			list[i] = ratelimit.Failures{Ref: ref, Rule: "code", Identifier: fmt.Sprint(name, i), Count: count, Rate: 0.001, Burst: 90}
		}
		if err := db.KeepFailures(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	has := func(want map[tenants.Ref]int) {
		t.Helper()
		got := map[tenants.Ref]int{}
		rows, _ := db.Pool().Query(t.Context(), `SELECT ref, count(*) FROM failures GROUP BY ref`)
		var ref tenants.Ref
		var n int
		if _, err := pgx.ForEachRow(rows, []any{&ref, &n}, func() error {
			got[ref] = n
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(got, want) {
			t.Errorf("rows %v, want %v", got, want)
		}
	}
	keep(refB, "victim", 3, 1)
	keep(refC, "some", 40, 1)
	keep(refA, "often", 2, 90)
	for i := range 4 {
		keep(refA, fmt.Sprint("flood", i, "-"), 3_000, 1)
	}
	has(map[tenants.Ref]int{refA: maxFailuresOf, refB: 3, refC: 40})
	for _, c := range []struct {
		max  int
		want map[tenants.Ref]int
	}{
		{maxFailures, map[tenants.Ref]int{refA: maxFailuresOf, refB: 3, refC: 40}},
		{100, map[tenants.Ref]int{refA: 57, refB: 3, refC: 40}},
		{33, map[tenants.Ref]int{refA: 15, refB: 3, refC: 15}},
		{6, map[tenants.Ref]int{refA: 2, refB: 2, refC: 2}},
	} {
		if err := db.deleteOldFailures(t.Context(), c.max); err != nil {
			t.Fatal(err)
		}
		has(c.want)
	}
	var often int
	if err := db.Pool().QueryRow(t.Context(), `SELECT count(*) FROM failures WHERE identifier LIKE 'often%' AND count > 80`).Scan(&often); err != nil || often != 2 {
		t.Errorf("%d of those that were guessed at often are left, %v", often, err)
	}
}
