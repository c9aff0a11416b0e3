package provision

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/projectlog"
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
	fsys := withMore(t, "CREATE TABLE auth.news (id uuid PRIMARY KEY); ALTER TABLE auth.users ADD COLUMN news text;")
	next = old.replica(t, append(change, template, func(s *Service) { s.Migrations = fsys })...)
	return old, next, stale
}

// TestMigratingElsewhere has another process that works on three projects'
// databases for longer than a request waits.
func TestMigratingElsewhere(t *testing.T) {
	t.Parallel()
	old, next, stale := behind(t, 3)
	err := old.asAdmin(t.Context(), "postgres", func(conn *pgx.Conn) error {
		for _, tenant := range stale {
			if err := lock(t.Context(), conn, databaseLock(tenant.Ref)); err != nil {
				return err
			}
		}
		var group sync.WaitGroup
		for i := range 4 * len(stale) {
			group.Go(func() {
				err := next.EnsureSchema(t.Context(), stale[i%len(stale)])
				if f := fault.From(err); !errors.Is(err, ErrMigrating) || f.Kind != fault.Unavailable || f.RetryAfter != 2*time.Second {
					t.Errorf("EnsureSchema = %v", err)
				}
			})
		}
		group.Wait()
		if n := next.pool.Stat().AcquiredConns(); n != 0 {
			t.Errorf("%d admin connections are held by upgrades that wait", n)
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

// TestUpgradePastLocks: an operator holds locks in six projects, which nothing
// ends. A project that is behind too, and whose owner came later, is brought up
// before any of those attempts is over.
func TestUpgradePastLocks(t *testing.T) {
	t.Parallel()
	old, next, stale := behind(t, 7)
	held, innocent := stale[:6], stale[6]
	for _, tenant := range held {
		cfg, err := old.adminConfig(tenant.Ref.Database())
		if err != nil {
			t.Fatal(err)
		}
		conn, err := pgx.ConnectConfig(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer closeConn(conn)
		mustExec(t, conn, "BEGIN; LOCK TABLE auth.users")
		if err := next.EnsureSchema(expired(t), tenant); !errors.Is(err, context.Canceled) {
			t.Errorf("EnsureSchema = %v", err)
		}
	}
	for {
		err := next.EnsureSchema(t.Context(), innocent)
		if err == nil {
			break
		}
		if !errors.Is(err, ErrMigrating) {
			t.Fatal(err)
		}
	}
	checkOwnTable(t, old, innocent.Ref)
	for _, tenant := range held {
		if d, err := next.Control.DatabaseByRef(t.Context(), tenant.Ref); err != nil || d.LastError != "" {
			t.Errorf("an attempt was over before: %s, %v", d.LastError, err)
		}
	}
	if err := next.EnsureSchema(t.Context(), held[0]); fault.From(err).Message != messageBlocked {
		t.Errorf("a blocked project is told %v", err)
	}
}

// TestUpgradeEndsBlockers: the owners of four projects hold locks that the
// migration needs, and take them again when they are ended. All projects are
// brought up.
func TestUpgradeEndsBlockers(t *testing.T) {
	t.Parallel()
	old, next, stale := behind(t, 4)
	ctx, stop := context.WithCancel(t.Context())
	var owners sync.WaitGroup
	defer owners.Wait()
	defer stop()
	for i, tenant := range stale {
		url := old.ownerURL(t, tenant.Ref)
		hold := []string{"BEGIN; LOCK TABLE auth.users", "BEGIN; LOCK TABLE auth.users IN ACCESS SHARE MODE"}[i%2]
		first := make(chan struct{})
		owners.Go(func() {
			begun := sync.OnceFunc(func() { close(first) })
			defer begun()
			for ctx.Err() == nil {
				conn, err := pgx.Connect(ctx, url)
				if err != nil {
					continue
				}
				if _, err = conn.Exec(ctx, hold); err == nil {
					begun()
					_, _ = conn.WaitForNotification(ctx) // until it is ended
				}
				_ = conn.Close(context.WithoutCancel(ctx))
			}
		})
		<-first
	}
	for _, tenant := range stale {
		for {
			err := next.EnsureSchema(t.Context(), tenant)
			if err == nil {
				break
			}
			if !errors.Is(err, ErrMigrating) {
				t.Fatal(err)
			}
		}
	}
	stop()
	owners.Wait()
	for _, tenant := range stale {
		checkOwnTable(t, old, tenant.Ref)
	}
}

// TestMigrateFleetEndsBlockers: two owners hold locks in the databases that are
// tried first. These are migrated too, and do not count against the migration.
func TestMigrateFleetEndsBlockers(t *testing.T) {
	t.Parallel()
	old, next, stale := behind(t, 3)
	for _, tenant := range stale[:2] {
		mustExec(t, connect(t, old.ownerURL(t, tenant.Ref)), "BEGIN; LOCK TABLE auth.users")
	}
	states := map[MigrationState]int{}
	if err := next.MigrateFleet(t.Context(), 3, func(o Outcome) { states[o.State]++ }); err != nil || states[MigrationDone] != len(stale) {
		t.Errorf("MigrateFleet: %v, %v", states, err)
	}
	for _, tenant := range stale {
		checkOwnTable(t, old, tenant.Ref)
	}
}

func expired(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// TestUpgradeAfterFailure does not try again before the backoff ends. The failure
// is in the project's log.
func TestUpgradeAfterFailure(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	old, next, stale := behind(t, 1, func(s *Service) {
		s.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
		s.Log = projectlog.New(s.Control, projectlog.Options{})
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
		err := next.EnsureSchema(t.Context(), tenant)
		if f := fault.From(err); !errors.Is(err, ErrMigrating) || f.Err == nil || f.RetryAfter < upgradeWait {
			t.Errorf("EnsureSchema = %v", err)
		}
	}
	change("CREATE TABLE auth.news (id int)")
	refused()
	change("DROP TABLE auth.news")
	refused()
	if d, err := next.Control.DatabaseByRef(t.Context(), tenant.Ref); err != nil || d.Attempts != 1 {
		t.Errorf("%d attempts, %v", d.Attempts, err)
	}
	if err := next.Log.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries, err := next.Control.ProjectLog(t.Context(), tenant.Ref, controldb.LogQuery{Code: "upgrade_failed", Limit: 10})
	if err != nil || len(entries) != 1 || !strings.Contains(string(entries[0].Detail), `"42P07"`) {
		t.Errorf("the project's log has %+v, %v", entries, err)
	}
	later.Store(int64(upgradeBackoff))
	if err := next.EnsureSchema(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
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
