package pool

import (
	"slices"
	"testing"

	"github.com/reevehq/reeve/tenants"
)

func TestBudgetRefs(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(t *testing.T, b *Budget, _ *fakeServer) {
		if got := b.Refs(); len(got) != 0 {
			t.Errorf("%v before the first connection", got)
		}
		used, idle := mustAcquire(t, b, refA), mustAcquire(t, b, refB)
		idle.Release()
		got := b.Refs()
		slices.Sort(got)
		if want := []tenants.Ref{refA, refB}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		used.Release()
	})
}
