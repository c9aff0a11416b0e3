package controldb

import (
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/guard"
	"github.com/reevehq/reeve/tenants"
)

// TestShutOuts: a later offence replaces an earlier one, of whatever replica, and
// a shut-out never becomes shorter. Deleted projects have none.
func TestShutOuts(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	ref, other := tenants.NewRef(), tenants.NewRef()
	for _, r := range []tenants.Ref{ref, other} {
		b.exec(t, `INSERT INTO databases (ref, cluster_id, state) VALUES ($1, 'test', 'assigned')`, string(r))
		b.exec(t, `INSERT INTO projects (ref, organization_id, name, region, status) VALUES ($1, $2, 'x', 'local', 'active')`, string(r), b.org)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	long := guard.ShutOut{Offences: 3, OffendedAt: now, Until: now.Add(time.Hour), Cause: "a", AllRoles: true}
	merged := guard.ShutOut{Offences: 4, OffendedAt: now.Add(time.Second), Until: now.Add(time.Hour), Cause: "b", AllRoles: true}
	for _, c := range []struct {
		name string
		save guard.ShutOut
		want guard.ShutOut
	}{
		{"first", guard.ShutOut{Offences: 1, OffendedAt: now.Add(-time.Minute), Cause: "x"}, guard.ShutOut{Offences: 1, OffendedAt: now.Add(-time.Minute), Cause: "x"}},
		{"later", long, long},
		{"repeated", long, long},
		{"earlier", guard.ShutOut{Offences: 2, OffendedAt: now.Add(-time.Second), Until: now.Add(2 * time.Hour), Cause: "c"}, long},
		{"later and shorter", guard.ShutOut{Offences: 4, OffendedAt: now.Add(time.Second), Until: now.Add(time.Minute), Cause: "b"}, merged},
	} {
		if err := b.SaveShutOut(t.Context(), ref, c.save); err != nil {
			t.Fatal(err)
		}
		got, found, err := b.ShutOut(t.Context(), ref)
		if err != nil || !found || got != c.want {
			t.Errorf("%s: %+v, %t, %v, want %+v", c.name, got, found, err, c.want)
		}
	}
	for _, r := range []tenants.Ref{other, tenants.NewRef()} {
		if _, found, err := b.ShutOut(t.Context(), r); err != nil || found {
			t.Errorf("another project: %t, %v", found, err)
		}
	}
	check := func(after time.Time, want int) {
		t.Helper()
		if all, err := b.ShutOuts(t.Context(), after); err != nil || len(all) != want {
			t.Errorf("after %s: %v, %v", after, all, err)
		}
	}
	check(merged.Until.Add(-time.Second), 1)
	check(merged.Until, 0)
	if err := b.Tx(t.Context(), func(tx *Tx) error { return tx.BuryProject(t.Context(), ref, now) }); err != nil {
		t.Fatal(err)
	}
	if err := b.SaveShutOut(t.Context(), ref, long); err != nil {
		t.Fatal(err)
	}
	check(now, 0)
}
