package controldb

import (
	"fmt"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/ratelimit"
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
