package pool

import (
	"errors"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/fault"
)

// TestBudgetPassesRefusalsOn: a dialer's fault with a Retry-After is returned
// as it is; any other error becomes ErrDatabaseUnavailable.
func TestBudgetPassesRefusalsOn(t *testing.T) {
	t.Parallel()
	migrating := fault.New(fault.Unavailable, "project_migrating", "Later").After(2 * time.Second)
	for name, c := range map[string]struct{ dial, want error }{
		"unavailable":  {migrating, migrating},
		"other fault":  {fault.New(fault.NotFound, "project_not_found", "Gone"), ErrDatabaseUnavailable},
		"unclassified": {errors.New("refused"), ErrDatabaseUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, Options{}, func(t *testing.T, b *Budget, f *fakeServer) {
				f.setDown(refA, c.dial)
				_, err := b.Acquire(t.Context(), refA)
				if !errors.Is(err, c.want) || !errors.Is(err, c.dial) || fault.From(err).RetryAfter != fault.From(c.want).RetryAfter {
					t.Errorf("Acquire = %v", err)
				}
			})
		})
	}
}
