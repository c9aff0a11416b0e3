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
