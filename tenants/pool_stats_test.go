package tenants

import (
	"slices"
	"testing"
)

func TestBudgetRefs(t *testing.T) {
	t.Parallel()
	inBubble(t, BudgetOptions{}, func(t *testing.T, b *Budget, _ *fakeServer) {
		if got := b.Refs(); len(got) != 0 {
			t.Errorf("%v before the first connection", got)
		}
		used, idle := mustAcquire(t, b, refA), mustAcquire(t, b, refB)
		idle.Release()
		got := b.Refs()
		slices.Sort(got)
		if want := []Ref{refA, refB}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		used.Release()
	})
}
