package job

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// newPool connects to the database, as a separate process would.
func newPool(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// newDatabase returns a database with River's tables.
func newDatabase(t *testing.T) (url string, pool *pgxpool.Pool) {
	t.Helper()
	url = testkit.Database(t)
	pool = newPool(t, url)
	if err := Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	return url, pool
}

// start runs a Runner until the test ends or stop is called.
func start(t *testing.T, pool *pgxpool.Pool, o Options) (r *Runner, stop func()) {
	t.Helper()
	if o.pollEvery == 0 {
		o.pollEvery = 100 * time.Millisecond
	}
	r, err := New(pool, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return r, stop
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1800 {
		if ok() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

func count(t *testing.T, pool *pgxpool.Pool, sql string, args ...any) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	url := testkit.Database(t)
	pool := newPool(t, url)
	pending := func(want bool) {
		t.Helper()
		if got, err := Pending(t.Context(), pool); err != nil || got != want {
			t.Errorf("pending: %v, %v, want %v", got, err, want)
		}
	}
	pending(true)
	var group errgroup.Group // replicas that start at the same time
	for range 4 {
		replica := newPool(t, url)
		group.Go(func() error { return Migrate(t.Context(), replica) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	pending(false)
	// A process was killed between two steps.
	if _, err := pool.Exec(t.Context(), "DELETE FROM river.river_migration WHERE version > 7"); err != nil {
		t.Fatal(err)
	}
	pending(true)
	if err := Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	pending(false)
	// A newer release's tables.
	if _, err := pool.Exec(t.Context(), "INSERT INTO river.river_migration (line, version) VALUES ('main', 1000)"); err != nil {
		t.Fatal(err)
	}
	pending(false)
	if n := count(t, pool, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"); n != 0 {
		t.Errorf("%d relations of River in schema public", n)
	}
}

// TestMigrateWaits: a process waits for another one's migration for as long as it
// takes, whatever lock_timeout its connections have.
func TestMigrateWaits(t *testing.T) {
	t.Parallel()
	url := testkit.Database(t)
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ConnConfig.RuntimeParams["lock_timeout"] = "50ms"
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	other, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close(context.WithoutCancel(t.Context())) }()
	if err := lock(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- Migrate(t.Context(), pool) }()
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(500 * time.Millisecond): // longer than lock_timeout
	}
	if _, err := other.Exec(t.Context(), "SELECT pg_advisory_unlock($1)", int64(migrationLock)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A task runs once per period, although two processes poll for it.
func TestTaskRunsOncePerPeriod(t *testing.T) {
	t.Parallel()
	url, pool := newDatabase(t)
	var runs atomic.Int32
	for range 2 {
		start(t, newPool(t, url), Options{Tasks: []Task{{Name: "sweep", Every: 2 * time.Second, Run: func(context.Context) error {
			runs.Add(1)
			return nil
		}}}})
	}
	const done = "SELECT count(*) FROM river.river_job WHERE kind = 'sweep' AND state = 'completed'"
	eventually(t, "four periods have their run", func() bool { return count(t, pool, done) >= 4 })
	if n := count(t, pool, `SELECT count(*) - count(DISTINCT date_bin('2 seconds', scheduled_at, 'epoch')) FROM river.river_job`); n != 0 {
		t.Errorf("%d surplus runs", n)
	}
	if ran, noted := int(runs.Load()), count(t, pool, "SELECT count(*) FROM river.river_job WHERE attempt > 0"); ran > noted {
		t.Errorf("%d runs for %d periods", ran, noted)
	}
}

// A failed run is retried and its error is logged. After the last attempt the
// run is not retried until the next period.
func TestFailedRunIsRetried(t *testing.T) {
	t.Parallel()
	_, pool := newDatabase(t)
	var log safeBuffer
	var tries atomic.Int32
	start(t, pool, Options{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Tasks: []Task{{Name: "flaky", Every: time.Hour, Run: func(context.Context) error {
			switch tries.Add(1) {
			case 1:
				return errors.New("the database is away")
			case 2:
				panic("a bug in the task")
			}
			return nil
		}}},
	})
	eventually(t, "the third try succeeds", func() bool {
		return count(t, pool, "SELECT count(*) FROM river.river_job WHERE kind = 'flaky' AND state = 'completed' AND attempt = 3") == 1
	})
	text := log.String()
	for _, want := range []string{"job failed, will be tried again", "job=flaky", "the database is away", "job panicked", "a bug in the task"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %q: %s", want, text)
		}
	}
	if strings.Contains(text, "River client started") {
		t.Error("the log has records below the level of a warning")
	}
}

// Each project has one run per period, although it is offered several times by
// several processes.
func TestOffer(t *testing.T) {
	t.Parallel()
	url, pool := newDatabase(t)
	var mu sync.Mutex
	got := map[tenants.Ref]int{}
	options := Options{ProjectTasks: []ProjectTask{{Name: "tidy", Every: time.Hour, Run: func(_ context.Context, ref tenants.Ref) error {
		mu.Lock()
		defer mu.Unlock()
		got[ref]++
		return nil
	}}}}
	first, _ := start(t, pool, options)
	second, _ := start(t, newPool(t, url), options)
	for _, r := range []*Runner{first, second, first} {
		if err := r.Offer(t.Context(), "tidy", []tenants.Ref{"a", "b"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := second.Offer(t.Context(), "tidy", []tenants.Ref{"b", "c"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all are done", func() bool {
		return count(t, pool, "SELECT count(*) FROM river.river_job WHERE state = 'completed'") >= 3
	})
	mu.Lock()
	defer mu.Unlock()
	// A new period may have begun during the test.
	if rows := count(t, pool, "SELECT count(*) FROM river.river_job"); len(got) != 3 || rows < 3 ||
		rows > 3 && count(t, pool, "SELECT count(DISTINCT date_trunc('hour', scheduled_at)) FROM river.river_job") == 1 {
		t.Errorf("%v in %d rows", got, rows)
	}
	if err := first.Offer(t.Context(), "tidy", nil); err != nil {
		t.Error(err)
	}
	if err := first.Offer(t.Context(), "unheard_of", []tenants.Ref{"a"}); err == nil {
		t.Error("an unknown task was offered")
	}
}

// Jobs are offered and done while no notification can be sent, as when the
// server's NOTIFY queue is full.
func TestWithoutNotify(t *testing.T) {
	t.Parallel()
	url, pool := newDatabase(t)
	for _, sql := range []string{
		`CREATE SCHEMA full_queue`,
		`CREATE FUNCTION full_queue.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS $$
			BEGIN RAISE EXCEPTION 'too many notifications in the NOTIFY queue' USING ERRCODE = 'program_limit_exceeded'; END $$`,
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	r, _ := start(t, newPool(t, url+"&search_path=full_queue,pg_catalog,public"), Options{ProjectTasks: []ProjectTask{
		{Name: "tidy", Every: time.Hour, Run: func(context.Context, tenants.Ref) error { return nil }},
	}})
	if err := r.Offer(t.Context(), "tidy", []tenants.Ref{"a"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is done", func() bool {
		return count(t, pool, "SELECT count(*) FROM river.river_job WHERE state = 'completed'") == 1
	})
}

// Offer inserts no second run in a period in which all attempts failed.
func TestOfferAfterFailure(t *testing.T) {
	t.Parallel()
	_, pool := newDatabase(t)
	r, err := New(pool, Options{ProjectTasks: []ProjectTask{{Name: "tidy", Every: 100 * 24 * time.Hour}}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.Offer(t.Context(), "tidy", []tenants.Ref{"a"}); err != nil {
			t.Fatal(err)
		}
		if _, err := pool.Exec(t.Context(), "UPDATE river.river_job SET state = 'discarded', finalized_at = now()"); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, pool, "SELECT count(*) FROM river.river_job"); n != 1 {
		t.Errorf("%d runs in the period, want 1", n)
	}
}

// Jobs of a task that only a newer release knows are not touched.
func TestUnknownTasksAreNotTouched(t *testing.T) {
	t.Parallel()
	_, pool := newDatabase(t)
	newer, err := New(pool, Options{ProjectTasks: []ProjectTask{{Name: "newer", Every: time.Hour, Run: nil}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := newer.Offer(t.Context(), "newer", []tenants.Ref{"a"}); err != nil {
		t.Fatal(err)
	}
	start(t, pool, Options{Tasks: []Task{{Name: "known", Every: time.Hour, Run: func(context.Context) error { return nil }}}})
	eventually(t, "the known one is done", func() bool {
		return count(t, pool, "SELECT count(*) FROM river.river_job WHERE kind = 'known' AND state = 'completed'") == 1
	})
	if n := count(t, pool, "SELECT count(*) FROM river.river_job WHERE kind = 'newer' AND state = 'available' AND attempt = 0"); n != 1 {
		t.Error("a task that this process does not know was touched")
	}
}

// On a stop, a short run completes and an endless run is cancelled. The next
// process executes the cancelled run at once.
func TestStop(t *testing.T) {
	t.Parallel()
	_, pool := newDatabase(t)
	begun := make(chan struct{}, 2)
	var ended, interrupted atomic.Bool
	task := func(name string, run func(context.Context) error) Task {
		return Task{Name: name, Every: time.Hour, Run: func(ctx context.Context) error {
			begun <- struct{}{}
			return run(ctx)
		}}
	}
	_, stop := start(t, pool, Options{StopGrace: time.Second, Tasks: []Task{
		task("short", func(ctx context.Context) error {
			select {
			case <-time.After(300 * time.Millisecond):
				ended.Store(true)
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}),
		task("endless", func(ctx context.Context) error {
			<-ctx.Done()
			interrupted.Store(true)
			return ctx.Err()
		}),
	}})
	<-begun
	<-begun
	stop()
	if !ended.Load() || !interrupted.Load() {
		t.Errorf("the short one ended: %v, the endless one was interrupted: %v", ended.Load(), interrupted.Load())
	}
	if n := count(t, pool, "SELECT count(*) FROM river.river_job WHERE kind = 'short' AND state = 'completed'"); n != 1 {
		t.Error("the run that ended is not recorded as completed")
	}
	start(t, pool, Options{Tasks: []Task{{Name: "endless", Every: time.Hour, Run: func(context.Context) error { return nil }}}})
	eventually(t, "the next process does it", func() bool {
		return count(t, pool, "SELECT count(*) FROM river.river_job WHERE kind = 'endless' AND state = 'completed'") >= 1
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	_, pool := newDatabase(t)
	run := func(context.Context) error { return nil }
	for name, tasks := range map[string][]Task{
		"two of a name":  {{Name: "a_task", Every: time.Hour, Run: run}, {Name: "a_task", Every: time.Hour, Run: run}},
		"no period":      {{Name: "a_task", Run: run}},
		"too much time":  {{Name: "a_task", Every: time.Hour, Timeout: maxTimeout + 1, Run: run}},
		"no usable name": {{Name: "a task", Every: time.Hour, Run: run}},
	} {
		if _, err := New(pool, Options{Tasks: tasks}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// victimEnv makes the test binary run as the process that a test kills. It holds
// the URL of the database.
const victimEnv = "REEVE_TEST_JOB_DATABASE"

// TestVictimProcess is not a test but the process that TestKilledRunIsRescued
// kills.
func TestVictimProcess(t *testing.T) {
	url := os.Getenv(victimEnv)
	if url == "" {
		t.Skip("only in a process of its own")
	}
	pool := newPool(t, url)
	start(t, pool, Options{Tasks: []Task{{Name: "endless", Every: time.Hour, Run: func(ctx context.Context) error {
		if _, err := pool.Exec(ctx, "INSERT INTO begun DEFAULT VALUES"); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}}}})
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed or its parent process ends
}

// A run of a killed process is executed again by another process.
func TestKilledRunIsRescued(t *testing.T) {
	t.Parallel()
	url, pool := newDatabase(t)
	if _, err := pool.Exec(t.Context(), "CREATE TABLE begun (at timestamptz DEFAULT now())"); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestVictimProcess$")
	cmd.Env = append(os.Environ(), victimEnv+"="+url)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() {
		_ = cmd.Process.Kill() // SIGKILL, so the process cannot clean up
		_ = cmd.Wait()         // the error is the signal
	})
	t.Cleanup(kill)
	eventually(t, "the run begins", func() bool { return count(t, pool, "SELECT count(*) FROM begun") == 1 })
	kill()
	if n := count(t, pool, "SELECT count(*) FROM river.river_job WHERE state = 'running'"); n != 1 {
		t.Fatalf("%d runs recorded as active", n)
	}

	var rescued atomic.Bool
	start(t, pool, Options{rescueAfter: time.Second, Tasks: []Task{{Name: "endless", Every: 24 * time.Hour, Run: func(context.Context) error {
		rescued.Store(true)
		return nil
	}}}})
	eventually(t, "the killed process's run is done", func() bool {
		return rescued.Load() && count(t, pool, "SELECT count(*) FROM river.river_job WHERE state = 'completed' AND attempt > 1") == 1
	})
}

// safeBuffer is a buffer that is safe for concurrent use.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
