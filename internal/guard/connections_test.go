package guard

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

// TestExcess: the project that holds the most loses sessions first, and what its
// users notice least.
func TestExcess(t *testing.T) {
	t.Parallel()
	greedy, other, quiet := tenants.NewRef(), tenants.NewRef(), tenants.NewRef()
	at := time.Now()
	all := []client{
		{pid: 1, role: "postgres"},
		{pid: 2, role: "reeve"},
		{pid: 11, role: greedy.OwnerRole(), state: 2, since: at},
		{pid: 12, role: greedy.OwnerRole(), state: 0, since: at},
		{pid: 13, role: greedy.QueryRole(), state: 0, since: at.Add(-time.Second)},
		{pid: 14, role: greedy.OwnerRole(), state: 1, since: at},
		{pid: 15, role: greedy.AuthRole(), state: 0, since: at},
		{pid: 16, role: greedy.AuthRole(), state: 1, since: at},
		{pid: 17, role: greedy.AuthRole(), state: 2, since: at},
		{pid: 21, role: other.OwnerRole(), state: 0, since: at},
		{pid: 22, role: other.OwnerRole(), state: 2, since: at},
		{pid: 23, role: other.OwnerRole(), state: 2, since: at},
		{pid: 31, role: quiet.AuthRole(), state: 0, since: at},
		{pid: 32, role: quiet.AuthRole(), state: 0, since: at},
	}
	// 16 and 17 are kept for Reeve, and so are 31 and 32.
	want := []int32{13, 12, 15, 14, 21, 11, 22, 23}
	for n := range len(want) + 3 {
		got := excess(all, n)
		if len(got) != min(n, len(want)) {
			t.Fatalf("excess %d: %+v", n, got)
		}
		for i, c := range got {
			if c.pid != want[i] {
				t.Errorf("excess %d: session %d is of %d, want %d", n, i, c.pid, want[i])
			}
		}
	}
}

// TestReserve: two owners take most of a small server's connections, and come back.
func TestReserve(t *testing.T) {
	t.Parallel()
	in := install(t, testkit.NewClusterWith(t, map[string]string{"max_connections": "40"}).URL())
	in.Limits = ConnectionLimits{Owner: 20, Reeve: 8}
	idle, busy, quiet := tenants.NewRef(), tenants.NewRef(), tenants.NewRef()
	openIdle, openBusy, openQuiet := in.role(t, idle.OwnerRole()), in.role(t, busy.OwnerRole()), in.role(t, quiet.AuthRole())
	if err := in.setLimits(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := slots{guard: in.Guard, conn: connect(t, in.url), exceeded: map[string]time.Time{}}
	if err := s.measure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.max != 37 || s.reserve != 10 {
		t.Fatalf("%d connections, %d in reserve", s.max, s.reserve)
	}
	used := func() (n int) {
		t.Helper()
		if err := s.conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	served := []*pgx.Conn{openQuiet(), openQuiet()}
	for range 15 {
		openIdle()
		if _, err := openBusy().Exec(t.Context(), "BEGIN"); err != nil {
			t.Fatal(err)
		}
	}
	for n := used(); n < s.max; n++ { // sessions of no project
		served = append(served, connect(t, in.url))
	}
	for round := range 2 {
		if err := s.check(t.Context()); err != nil {
			t.Fatal(err)
		}
		for used() > s.max-s.reserve {
			time.Sleep(time.Millisecond) // the server ends them one after the other
		}
		for _, conn := range served {
			if _, err := conn.Exec(t.Context(), "SELECT 1"); err != nil {
				t.Errorf("round %d: a session within its share: %v", round, err)
			}
		}
		if round == 0 {
			for range s.reserve {
				openIdle()
			}
		}
	}
	// The one that came back has lower limits, the other keeps its own.
	if err := in.setLimits(t.Context()); err != nil {
		t.Fatal(err)
	}
	for role, want := range map[string]int{idle.OwnerRole(): 10, quiet.AuthRole(): 8, busy.OwnerRole(): 20} {
		var limit int
		if err := s.conn.QueryRow(t.Context(), "SELECT rolconnlimit FROM pg_roles WHERE rolname = $1", role).Scan(&limit); err != nil || limit != want {
			t.Errorf("%s may open %d connections, want %d, %v", role, limit, want, err)
		}
	}
}
