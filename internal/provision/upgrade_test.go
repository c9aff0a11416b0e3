package provision

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// behind creates n projects and a replica whose schema is newer.
func behind(t *testing.T, n int, change ...func(*Service)) (old *world, next *Service, stale []*tenants.Tenant) {
	t.Helper()
	template := ownTemplate(t)
	old = newWorld(t, template)
	for range n {
		tenant, err := old.Control.Tenant(t.Context(), old.mustCreate(t, NewProject{}).Project.Ref)
		if err != nil {
			t.Fatal(err)
		}
		stale = append(stale, tenant)
	}
	fsys := withMore(t, "CREATE TABLE auth.news (id uuid PRIMARY KEY);")
	next = old.replica(t, append(change, template, func(s *Service) { s.Migrations = fsys })...)
	return old, next, stale
}

// TestDialWhileMigrating has another process that works on three projects'
// databases for longer than a request waits.
func TestDialWhileMigrating(t *testing.T) {
	t.Parallel()
	old, next, stale := behind(t, 3)
	err := old.asAdmin(t.Context(), "postgres", func(conn *pgx.Conn) error {
		for _, tenant := range stale {
			if err := lock(t.Context(), conn, "reeve/database/"+string(tenant.Ref)); err != nil {
				return err
			}
		}
		var group sync.WaitGroup
		for i := range 4 * len(stale) {
			group.Go(func() {
				conn, err := next.Dial(t.Context(), stale[i%len(stale)])
				if err == nil {
					closeConn(conn)
				}
				if f := fault.From(err); !errors.Is(err, ErrMigrating) || f.Kind != fault.Unavailable || f.RetryAfter != 2*time.Second {
					t.Errorf("Dial = %v", err)
				}
			})
		}
		group.Wait()
		if n := next.pool.Stat().AcquiredConns(); n != maxUpgrades {
			t.Errorf("%d admin connections are held, want one for each of %d upgrades", n, maxUpgrades)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	next.background.Wait()
	for _, tenant := range stale {
		checkOwnTable(t, old, tenant.Ref)
	}
	if len(next.upgrades.byRef) != 0 {
		t.Errorf("%d upgrades are remembered", len(next.upgrades.byRef))
	}
}

// TestDialAfterFailedMigration does not try again before the backoff ends.
func TestDialAfterFailedMigration(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	old, next, stale := behind(t, 1, func(s *Service) {
		s.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	tenant := stale[0]
	change := func(sql string) {
		t.Helper()
		if err := old.asAdmin(t.Context(), tenant.Ref.Database(), execute(t.Context(), sql)); err != nil {
			t.Fatal(err)
		}
	}
	refused := func() {
		t.Helper()
		_, err := next.Dial(t.Context(), tenant)
		if f := fault.From(err); !errors.Is(err, ErrMigrating) || f.Err == nil || f.RetryAfter < upgradeWait {
			t.Errorf("Dial = %v", err)
		}
	}
	change("CREATE TABLE auth.news (id int)")
	refused()
	change("DROP TABLE auth.news")
	refused()
	if d, err := next.Control.DatabaseByRef(t.Context(), tenant.Ref); err != nil || d.Attempts != 1 {
		t.Errorf("%d attempts, %v", d.Attempts, err)
	}
	later.Store(int64(upgradeBackoff))
	conn, err := next.Dial(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	closeConn(conn)
	checkOwnTable(t, old, tenant.Ref)
}

// TestUpgradeOutlivesItsRequest cancels the only request.
func TestUpgradeOutlivesItsRequest(t *testing.T) {
	t.Parallel()
	old, next, stale := behind(t, 1)
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if err := next.EnsureSchema(ctx, stale[0]); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("EnsureSchema = %v", err)
	}
	next.background.Wait()
	checkOwnTable(t, old, stale[0].Ref)
}

// TestReplicasMigrateAtOnce applies each migration once.
func TestReplicasMigrateAtOnce(t *testing.T) {
	t.Parallel()
	old, next, stale := behind(t, 1)
	other := old.replica(t, func(s *Service) { s.Cluster.Template, s.Migrations = next.Cluster.Template, next.Migrations })
	var group sync.WaitGroup
	for _, s := range []*Service{next, other} {
		group.Go(func() {
			if _, err := s.migrateDatabase(t.Context(), stale[0].Ref); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	checkOwnTable(t, old, stale[0].Ref)
}
