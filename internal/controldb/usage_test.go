package controldb

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/usage"
	"github.com/reevehq/reeve/tenants"
)

func sketchOf(from, until int) (s usage.Sketch) {
	for i := from; i < until; i++ {
		s.Add(uuid.NewSHA1(uuid.Nil, fmt.Append(nil, i)))
	}
	return s
}

// Batches of several processes are added, repeated ones once; days are rolled up
// any number of times, and read alike before and after their hours are gone.
func TestUsage(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	b.project(t, refA)
	b.project(t, refB)
	ctx, now := t.Context(), time.Date(2026, 5, 20, 12, 30, 0, 0, time.UTC)
	day := time.Date(2026, 5, 19, 0, 0, 0, 0, time.UTC)
	batch := func(writer uuid.UUID, number int64, from, until int) usage.Batch {
		out := usage.Batch{}
		out.Writer, out.Number = writer, number
		for _, ref := range []string{string(refB), string(refA), "nosuchprojectatallxx"} {
			for h := range 2 {
				hour := day.Add(time.Duration(h) * time.Hour)
				out.Counts = append(out.Counts, usage.Count{Project: ref, Hour: hour, Metric: usage.SignIns, Label: "password", N: 2})
				out.Active = append(out.Active, usage.Active{Project: ref, Hour: hour, Users: sketchOf(from, until)})
			}
		}
		return out
	}
	var group sync.WaitGroup
	for worker := range 4 {
		writer := uuid.New()
		group.Go(func() {
			for n := range int64(5) {
				for range 2 { // the answer was lost
					if err := b.AddUsage(ctx, batch(writer, n+1, worker*10, worker*10+20)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	read := func(ref tenants.Ref, daily bool) string {
		t.Helper()
		points, err := b.Usage(ctx, []tenants.Ref{ref}, day.AddDate(0, 0, -3), now, daily, now)
		if err != nil {
			t.Fatal(err)
		}
		out := ""
		for _, p := range points {
			out += fmt.Sprintf("%s%v%d ", p.At.Format("02T15"), p.Counts, p.Users)
		}
		return out
	}
	const hours, days = "19T00map[sign_ins:map[password:40]]50 19T01map[sign_ins:map[password:40]]50 ", "19T00map[sign_ins:map[password:80]]50 "
	if got := read(refA, false); got != hours {
		t.Error(got)
	}
	if got := read(refA, true); got != days {
		t.Error(got)
	}
	for range 2 {
		if err := b.RollUpUsage(ctx, now); err != nil {
			t.Fatal(err)
		}
	}
	now = now.AddDate(0, 0, 2)
	if got := read(refB, true); got != days {
		t.Error("rolled up:", got)
	}
	now = now.AddDate(0, 0, 40)
	if _, err := b.pool.Exec(ctx, "UPDATE projects SET deleted_at = now(), status = 'deleted' WHERE ref = $1", string(refB)); err != nil {
		t.Fatal(err)
	}
	if err := b.RollUpUsage(ctx, now); err != nil {
		t.Fatal(err)
	}
	if got := read(refA, false); got != "" {
		t.Error("hours are kept:", got)
	}
	if got := read(refA, true) + read(refB, true); got != days {
		t.Error("later:", got)
	}
	if err := b.AddUsage(ctx, batch(uuid.New(), 1, 0, 1)); err != nil {
		t.Fatal(err)
	}
	if got := read(refB, false); got != "" {
		t.Error("a deleted project has usage:", got)
	}
}

// Days that nobody rolled up in time, because nothing ran, are rolled up later.
func TestUsageAfterOutage(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	b.project(t, refA)
	ctx, first := t.Context(), time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	number := int64(0)
	writer := uuid.New()
	use := func(day time.Time) {
		t.Helper()
		number++
		batch := usage.Batch{}
		batch.Writer, batch.Number = writer, number
		hour := day.Add(5 * time.Hour)
		batch.Counts = []usage.Count{{Project: string(refA), Hour: hour, Metric: usage.SignIns, Label: "password", N: 1}}
		batch.Active = []usage.Active{{Project: string(refA), Hour: hour, Users: sketchOf(0, 3)}}
		if err := b.AddUsage(ctx, batch); err != nil {
			t.Fatal(err)
		}
	}
	days := func() (counts, active int) {
		t.Helper()
		err := b.pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM usage_counts WHERE span = 'day'), (SELECT count(*) FROM usage_active WHERE span = 'day')`).
			Scan(&counts, &active)
		if err != nil {
			t.Fatal(err)
		}
		return counts, active
	}
	check := func(now time.Time, want int) {
		t.Helper()
		if err := b.RollUpUsage(ctx, now); err != nil {
			t.Fatal(err)
		}
		if counts, active := days(); counts != want || active != want {
			t.Errorf("at %s: %d and %d days, want %d", now, counts, active, want)
		}
	}
	for n := range 10 { // nothing ran for ten days, and never before
		use(first.AddDate(0, 0, n))
	}
	check(first.AddDate(0, 0, 10), 10)
	for n := range 10 { // and again
		use(first.AddDate(0, 0, 10+n))
	}
	check(first.AddDate(0, 0, 20), 20)
	use(first.AddDate(0, 0, 19)) // late
	check(first.AddDate(0, 0, 20), 20)
	if got, want := b.sum(t), int64(21); got != want {
		t.Errorf("the days have %d sign-ins, want %d", got, want)
	}
	check(first.AddDate(0, 0, 29), 20) // a quiet time
	use(first.AddDate(0, 0, 29))
	check(first.AddDate(0, 0, 30), 21)
}

func (b *base) sum(t *testing.T) (n int64) {
	t.Helper()
	if err := b.pool.QueryRow(t.Context(), "SELECT sum(count)::int8 FROM usage_counts WHERE span = 'day'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
