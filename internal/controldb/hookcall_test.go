package controldb

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/tenants"
)

func TestHookCalls(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	b.project(t, refA)
	b.project(t, refB)
	ctx, start := t.Context(), time.Now().UTC().Truncate(time.Second)
	add := func(ref tenants.Ref, point string, n int, outcome string) {
		t.Helper()
		calls := make([]HookCall, n)
		for i := range calls {
			calls[i] = HookCall{ID: uuid.New(), Ref: ref, Point: point, At: start.Add(time.Duration(i) * time.Second), Duration: 1500 * time.Microsecond, Outcome: outcome, Error: outcome}
		}
		for range 2 { // a write whose answer was lost is repeated
			if err := b.AddHookCalls(ctx, calls); err != nil {
				t.Fatal(err)
			}
		}
	}
	add(refA, "one", 90, "ok")
	add(refA, "two", 3, "timeout")
	add(refB, "one", 1, "refused")
	add("nosuchprojectatallxx", "one", 1, "ok")
	for range 3 {
		add(refA, "one", 90, "failed")
	}
	got, err := b.HookCalls(ctx, refA, "one", 1000)
	if err != nil || len(got) > KeptHookCalls+90 || got[0].Outcome != "failed" || got[0].Duration != 1500*time.Microsecond || !got[0].At.Equal(start.Add(89*time.Second)) {
		t.Errorf("%d calls, %+v, %v", len(got), got[0], err)
	}
	if got, err := b.HookCalls(ctx, refB, "", 10); err != nil || len(got) != 1 || got[0].Ref != refB {
		t.Errorf("the other project's %+v, %v", got, err)
	}
	stats, err := b.HookStats(ctx, refA, start)
	if s := stats["two"]; err != nil || len(stats) != 2 || s.Calls != 3 || s.Failed != 3 || s.LastError != "timeout" || s.Median != 1500*time.Microsecond {
		t.Errorf("%+v, %v", stats, err)
	}
	if n, err := b.DeleteOldHookCalls(ctx, time.Since(start)+time.Hour); err != nil || n != 0 {
		t.Errorf("%d deleted, %v", n, err)
	}
	if n, err := b.DeleteOldHookCalls(ctx, -time.Hour); err != nil || n == 0 {
		t.Errorf("%d deleted, %v", n, err)
	}
}
