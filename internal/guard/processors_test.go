package guard

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

func TestGreedy(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	ref := tenants.NewRef()
	owner := func(pid int32, age time.Duration, workers int) computing {
		return computing{session: session{pid: pid, role: ref.OwnerRole(), since: begun.Add(-age)}, processes: 1 + workers}
	}
	auth := func(pid int32, long bool) computing {
		return computing{session: session{pid: pid, role: ref.AuthRole(), since: begun}, long: long, processes: 1}
	}
	for _, tc := range []struct {
		name string
		all  []computing
		want []int32
	}{
		{name: "none"},
		{name: "two", all: []computing{owner(1, 0, 0), owner(2, time.Hour, 0)}},
		{name: "four", all: []computing{owner(1, 4, 0), owner(2, 3, 0), owner(3, 9, 0), owner(4, 5, 0)}, want: []int32{3, 4}},
		{name: "one with workers", all: []computing{owner(1, time.Hour, 8)}},
		{name: "two with workers", all: []computing{owner(1, time.Hour, 1), owner(2, time.Minute, 1)}, want: []int32{1}},
		{name: "short statements of Reeve", all: []computing{auth(1, false), auth(2, false), auth(3, false)}},
		{name: "long statements in triggers", all: []computing{auth(1, true), auth(2, true), auth(3, true)}, want: []int32{1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := newProcessors(&Guard{})
			for look := range computingLooks {
				var got []int32
				for _, c := range p.greedy(slices.Clone(tc.all))[projectPrefix(ref)] {
					got = append(got, c.pid)
				}
				if want := tc.want; look < computingLooks-1 && got != nil || look == computingLooks-1 && !slices.Equal(got, want) {
					t.Errorf("look %d: %v, want %v", look, got, want)
				}
			}
			p.greedy(nil)
			if got := p.greedy(tc.all); len(got) != 0 {
				t.Errorf("after a pause: %v", got)
			}
		})
	}
}

func projectPrefix(ref tenants.Ref) string {
	prefix, _ := projectOfRole(ref.OwnerRole())
	return prefix
}

// TestProcessors: while the processors are overloaded, the statements of a project
// with many of them are cancelled. If it goes on, its sessions are ended, and it
// may open only a few.
func TestProcessors(t *testing.T) {
	t.Parallel()
	in := install(t, testkit.NewCluster(t).Database(t, "home"))
	in.lowered.changed = make(chan struct{}, 1)
	open := in.lastingRole(t, tenants.NewRef().OwnerRole())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ended := make(chan error)
	for range 4 {
		conn := open()
		go func() {
			_, err := conn.Exec(ctx, "DO $$ BEGIN LOOP BEGIN LOOP NULL; END LOOP; EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$")
			ended <- err
		}()
	}
	running := func() (n int) {
		t.Helper()
		err := in.Admin.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE usename ~ 'owner$' AND state = 'active'").Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for running() < 4 {
		time.Sleep(10 * time.Millisecond)
	}
	p := newProcessors(in.Guard)
	overloaded := false
	p.overload = func(context.Context) (bool, error) { return overloaded, nil }
	for range computingLooks {
		if err := p.check(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.acted) != 0 {
		t.Fatal("statements are ended although the processors are not overloaded")
	}
	overloaded = true
	for range 2 { // cancels, which is caught; then ends
		if err := p.check(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-ended; err == nil {
		t.Error("a session ended by itself")
	}
	if err := <-ended; err == nil {
		t.Error("a session ended by itself")
	}
	// A client hears of the end before Postgres forgets the session.
	for running() > keptComputing {
		time.Sleep(10 * time.Millisecond)
	}
	if n := running(); n != keptComputing {
		t.Errorf("%d statements go on, want %d", n, keptComputing)
	}
	if got := in.lowered.limit(slices.Collect(maps.Keys(p.acted))[0], 10, time.Now()); got != keptComputing {
		t.Errorf("the project may open %d connections, want %d", got, keptComputing)
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("a session ended by itself")
	}
	if err := <-ended; err == nil {
		t.Error("a session ended by itself")
	}
}
