package pool_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/goleak"

	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/pool"
)

// pgProjects are databases with a login role each, and a Dialer for them.
type pgProjects struct {
	admin    *pgx.Conn
	config   *pgx.ConnConfig
	refs     []tenants.Ref
	password atomic.Value // of all roles
}

func newProjects(t *testing.T, n int) *pgProjects {
	t.Helper()
	config, err := pgx.ParseConfig(testkit.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	p := &pgProjects{config: config}
	p.password.Store("first")
	if p.admin, err = pgx.ConnectConfig(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	for range n {
		ref := tenants.NewRef()
		p.refs = append(p.refs, ref)
		p.exec(t, fmt.Sprintf("create role %s login password 'first'", ref.AuthRole()))
		p.exec(t, fmt.Sprintf("create database %s owner %s", ref.Database(), ref.AuthRole()))
	}
	t.Cleanup(func() { p.drop(t) })
	return p
}

func (p *pgProjects) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := p.admin.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (p *pgProjects) drop(t *testing.T) {
	ctx := context.Background() // the test's is over
	for _, ref := range p.refs {
		for _, sql := range []string{"drop database if exists %s with (force)", "drop role if exists %s"} {
			name := ref.Database()
			if sql[5] == 'r' {
				name = ref.AuthRole()
			}
			if _, err := p.admin.Exec(ctx, fmt.Sprintf(sql, name)); err != nil {
				t.Error(err)
			}
		}
	}
	_ = p.admin.Close(ctx)
}

func (p *pgProjects) dial(ctx context.Context, ref tenants.Ref) (*pgx.Conn, error) {
	c := p.config.Copy()
	c.User, c.Database, c.Password = ref.AuthRole(), ref.Database(), p.password.Load().(string)
	return pgx.ConnectConfig(ctx, c)
}

func (p *pgProjects) databases() (names []string) {
	for _, ref := range p.refs {
		names = append(names, ref.Database())
	}
	return names
}

func (p *pgProjects) connections(t *testing.T) (n int) {
	t.Helper()
	row := p.admin.QueryRow(t.Context(), "select count(*) from pg_stat_activity where datname = any($1)", p.databases())
	if err := row.Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func closeBudget(t *testing.T, b *pool.Budget) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := b.Close(ctx); err != nil {
		t.Error(err)
	}
}

func acquire(t *testing.T, b *pool.Budget, ref tenants.Ref) *pool.Conn {
	t.Helper()
	c, err := b.Acquire(t.Context(), ref)
	if err != nil {
		t.Fatalf("Acquire: %v", err)
	}
	return c
}

func backend(c *pool.Conn) uint32 { return c.Raw().PgConn().PID() }

// eventually waits until done holds, for what another goroutine or the server
// does.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// TestBudgetOnPostgres is not parallel, so that goleak sees only its own
// goroutines.
func TestBudgetOnPostgres(t *testing.T) {
	const total, each = 4, 30
	p := newProjects(t, 10)
	running := goleak.IgnoreCurrent()
	b := pool.New(p.dial, pool.Options{Total: total, PerTenant: 3, WaitTimeout: time.Minute})

	var most, served atomic.Int64
	var wg sync.WaitGroup
	for _, ref := range p.refs {
		for range 3 {
			wg.Go(func() {
				for range each {
					n, err := countFrom(t.Context(), b, ref, p.databases())
					if err != nil {
						t.Error(err)
						return
					}
					served.Add(1)
					for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
					}
				}
			})
		}
	}
	wg.Wait()
	if served.Load() != 10*3*each {
		t.Errorf("%d served", served.Load())
	}
	if most.Load() > total || most.Load() < 2 {
		t.Errorf("%d connections seen at once, budget is %d", most.Load(), total)
	}
	closeBudget(t, b)
	if n := p.connections(t); n != 0 {
		t.Errorf("%d connections after Close", n)
	}
	goleak.VerifyNone(t, running)
}

// countFrom checks on a connection of ref that it is one, and counts the
// connections to all projects.
func countFrom(ctx context.Context, b *pool.Budget, ref tenants.Ref, databases []string) (n int64, err error) {
	c, err := b.Acquire(ctx, ref)
	if err != nil {
		return 0, err
	}
	defer c.Release()
	var db, role string
	err = c.Raw().QueryRow(ctx, `select current_database(), current_user::text,
		(select count(*) from pg_stat_activity where datname = any($1))`, databases).Scan(&db, &role, &n)
	if err == nil && (db != ref.Database() || role != ref.AuthRole()) {
		err = fmt.Errorf("%s got a connection of %s to %s", ref, role, db)
	}
	return n, err
}

func TestBudgetLoudProjectOnPostgres(t *testing.T) {
	t.Parallel()
	p := newProjects(t, 2)
	loud, quiet := p.refs[0], p.refs[1]
	b := pool.New(p.dial, pool.Options{Total: 4, PerTenant: 4, WaitTimeout: time.Hour, MaxWaiting: 1000})

	// Each loud request keeps its connection until the test releases it.
	release := make(chan struct{})
	var wg sync.WaitGroup
	request := func() {
		c, err := b.Acquire(t.Context(), loud)
		if err != nil {
			t.Error(err)
			return
		}
		<-release
		c.Release()
	}
	for range 4 {
		wg.Go(request)
	}
	eventually(t, "four are in use", func() bool { return b.TenantStats(loud).InUse == 4 })
	for range 1000 {
		wg.Go(request)
	}
	eventually(t, "1,000 wait", func() bool { return b.TenantStats(loud).Waiting == 1000 })
	if _, err := b.Acquire(t.Context(), loud); !errors.Is(err, pool.ErrOverCapacity) {
		t.Errorf("the next one: %v", err)
	}
	for i := range 5 {
		got := make(chan *pool.Conn)
		go func() {
			c, err := b.Acquire(t.Context(), quiet)
			if err != nil {
				t.Error(err)
			}
			got <- c
		}()
		eventually(t, "the quiet project waits", func() bool { return b.TenantStats(quiet).Waiting == 1 })
		// A single release of the loud project must be enough.
		release <- struct{}{}
		c := <-got
		if c == nil {
			break
		}
		c.Release()
		// The loud project takes the place back, so it was short of places.
		eventually(t, "the loud project holds four again", func() bool { return b.TenantStats(loud).InUse == 4 })
		if st := b.TenantStats(loud); st.Waiting != 1000-i-1 {
			t.Errorf("%+v", st)
		}
	}
	close(release)
	wg.Wait()
	closeBudget(t, b)
}

func TestBudgetDiscardsOnPostgres(t *testing.T) {
	t.Parallel()
	cases := map[string]func(t *testing.T, p *pgProjects, c *pool.Conn){
		"in_transaction": func(t *testing.T, _ *pgProjects, c *pool.Conn) {
			if _, err := c.Raw().Exec(t.Context(), "begin"); err != nil {
				t.Error(err)
			}
		},
		"in_a_query": func(t *testing.T, _ *pgProjects, c *pool.Conn) {
			//nolint:sqlclosecheck // that is the case
			if _, err := c.Raw().Query(t.Context(), "select repeat('x', 1000), generate_series(1, 1000000000)"); err != nil {
				t.Error(err)
			}
		},
		"cancelled_query": func(t *testing.T, _ *pgProjects, c *pool.Conn) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			if _, err := c.Raw().Exec(ctx, "select pg_sleep(600)"); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		},
		"terminated": func(t *testing.T, _ *pgProjects, c *pool.Conn) {
			if _, err := c.Raw().Exec(t.Context(), "select pg_terminate_backend(pg_backend_pid())"); err == nil {
				t.Error("not terminated")
			}
		},
		"closed_by_its_user": func(t *testing.T, _ *pgProjects, c *pool.Conn) {
			_ = c.Raw().Close(t.Context())
		},
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProjects(t, 1)
			b := pool.New(p.dial, pool.Options{Total: 1, WaitTimeout: time.Minute})
			c := acquire(t, b, p.refs[0])
			pid := backend(c)
			spoil(t, p, c)
			c.Release()
			c = acquire(t, b, p.refs[0])
			if backend(c) == pid {
				t.Error("lent again")
			}
			if _, err := c.Raw().Exec(t.Context(), "select 1"); err != nil {
				t.Error(err)
			}
			c.Release()
			closeBudget(t, b)
		})
	}
}

func TestBudgetFindsDeadConnection(t *testing.T) {
	t.Parallel()
	p := newProjects(t, 1)
	var ahead atomic.Int64
	b := pool.New(p.dial, pool.Options{
		IdleTTL: time.Hour,
		Now:     func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
	})
	var conns []*pool.Conn
	for range 3 {
		conns = append(conns, acquire(t, b, p.refs[0]))
	}
	for _, c := range conns {
		c.Release()
	}
	p.exec(t, "select pg_terminate_backend(pid) from pg_stat_activity where datname = any($1)", p.databases())
	eventually(t, "the backends are gone", func() bool { return p.connections(t) == 0 })
	ahead.Store(int64(6 * time.Second))
	c := acquire(t, b, p.refs[0])
	if _, err := c.Raw().Exec(t.Context(), "select 1"); err != nil {
		t.Error(err)
	}
	c.Release()
	ahead.Store(int64(12 * time.Second))
	again := acquire(t, b, p.refs[0])
	if again.Raw().PgConn().IsClosed() || b.Stats().Opened != 4 {
		t.Errorf("a live connection was given up: %+v", b.Stats())
	}
	again.Release()
	closeBudget(t, b)
}

// TestBudgetForgetOnPostgres has a role that allows exactly PerTenant
// connections: any dial before the server has ended the old one would fail.
func TestBudgetForgetOnPostgres(t *testing.T) {
	t.Parallel()
	p := newProjects(t, 1)
	ref := p.refs[0]
	p.exec(t, fmt.Sprintf("alter role %s connection limit 2", ref.AuthRole()))
	b := pool.New(p.dial, pool.Options{PerTenant: 2, WaitTimeout: time.Minute})
	for i := range 10 {
		used, idle := acquire(t, b, ref), acquire(t, b, ref)
		pids := map[uint32]bool{backend(used): true, backend(idle): true}
		idle.Release()
		password := fmt.Sprintf("password-%d", i)
		p.exec(t, fmt.Sprintf("alter role %s password '%s'", ref.AuthRole(), password))
		p.password.Store(password)
		b.Forget(ref)
		used.Release()
		a, c := acquire(t, b, ref), acquire(t, b, ref)
		if pids[backend(a)] || pids[backend(c)] {
			t.Error("an old connection was lent")
		}
		a.Release()
		c.Release()
	}
	if st := b.Stats(); st.Failed != 0 {
		t.Errorf("%d dials failed", st.Failed)
	}
	closeBudget(t, b)
}

func TestBudgetMissingDatabase(t *testing.T) {
	t.Parallel()
	p := newProjects(t, 1)
	b := pool.New(p.dial, pool.Options{})
	if _, err := b.Acquire(t.Context(), tenants.NewRef()); !errors.Is(err, pool.ErrDatabaseUnavailable) {
		t.Errorf("%v", err)
	}
	acquire(t, b, p.refs[0]).Release()
	closeBudget(t, b)
}

// TestBudgetRecallOnPostgres: a connection with a statement that does not end
// is closed for a project that has none.
func TestBudgetRecallOnPostgres(t *testing.T) {
	t.Parallel()
	p := newProjects(t, 2)
	var admin sync.Mutex // a connection serves one at a time
	b := pool.New(p.dial, pool.Options{
		Total: 1, PerTenant: 1, WaitTimeout: time.Minute,
		Terminate: func(ctx context.Context, role string, pid uint32) {
			admin.Lock()
			defer admin.Unlock()
			_, err := p.admin.Exec(ctx, "select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and usename = $2", int32(pid), role)
			if err != nil {
				t.Error(err)
			}
		},
	})
	defer closeBudget(t, b)
	endless := make(chan error, 1)
	long := acquire(t, b, p.refs[0])
	go func() {
		_, err := long.Raw().Exec(t.Context(), "select pg_sleep(600)")
		long.Release()
		endless <- err
	}()
	acquire(t, b, p.refs[1]).Release()
	var pg *pgconn.PgError
	if err := <-endless; !errors.As(err, &pg) || pg.Code != "57P01" {
		t.Errorf("the endless statement: %v", err)
	}
	if b.Stats().Recalled == 0 {
		t.Error("no loan was recalled")
	}
}
