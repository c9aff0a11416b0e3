package provision

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// dialAll connects as each of a project's roles and returns the errors.
func (w *world) dialAll(t *testing.T, ref tenants.Ref) (open int, refused []error) {
	t.Helper()
	d, err := w.Control.DatabaseByRef(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := w.open(d)
	if err != nil {
		t.Fatal(err)
	}
	for role, password := range map[string]string{ref.AuthRole(): p.Auth, ref.APIRole(): p.API, ref.OwnerRole(): p.Owner, ref.QueryRole(): p.Query} {
		conn, err := w.dial(t.Context(), ref, role, password)
		if err != nil {
			refused = append(refused, err)
			continue
		}
		open++
		closeConn(conn)
	}
	return open, refused
}

// checkPaused checks that nobody is connected to a paused project's database, and
// nobody can.
func (w *world) checkPaused(t *testing.T, ref tenants.Ref) {
	t.Helper()
	p, err := w.Control.ProjectByRef(t.Context(), ref)
	if err != nil || p.Status != tenants.StatusPaused {
		t.Errorf("project is %s, %v", p.Status, err)
	}
	open, refused := w.dialAll(t, ref)
	if open != 0 {
		t.Errorf("%d roles can connect", open)
	}
	for _, err := range refused {
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "42501" {
			t.Errorf("refused with %v", err)
		}
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var sessions int // the backend of one that was closed ends a moment later
		err = w.pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = $1 AND backend_type = 'client backend'`, ref.Database()).Scan(&sessions)
		if err == nil && sessions == 0 {
			break
		}
		if err != nil || time.Now().After(end) {
			t.Errorf("%d sessions, %v", sessions, err)
			break
		}
	}
}

func (w *world) mustPause(t *testing.T, ref tenants.Ref) {
	t.Helper()
	p, err := w.Pause(t.Context(), ref)
	w.reaches(t, p, err, tenants.StatusPausing, tenants.StatusPaused)
}

func (w *world) mustRestore(t *testing.T, ref tenants.Ref) {
	t.Helper()
	p, err := w.Restore(t.Context(), ref)
	w.reaches(t, p, err, tenants.StatusRestoring, tenants.StatusActive)
}

// reaches waits until a project that is on its way has a status.
func (w *world) reaches(t *testing.T, p controldb.Project, err error, way, want tenants.Status) {
	t.Helper()
	for end := time.Now().Add(time.Minute); err == nil && p.Status == way && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		p, err = w.Control.ProjectByRef(t.Context(), p.Ref)
	}
	if err != nil || p.Status != want {
		t.Fatalf("status %s, %v; want %s", p.Status, err, want)
	}
}

// TestPause: sessions of a paused project are ended, and those of another one go on.
// What Reeve does to the database meanwhile does not open it.
func TestPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ownTemplate(t))
	a, b := w.mustCreate(t, NewProject{}).Project.Ref, w.mustCreate(t, NewProject{}).Project.Ref
	connect := func(ref tenants.Ref) *pgx.Conn {
		conn, err := pgx.Connect(t.Context(), w.ownerURL(t, ref))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closeConn(conn) })
		return conn
	}
	idle, busy, other := connect(a), connect(a), connect(b)
	sleeping := make(chan error, 1)
	go func() {
		_, err := busy.Exec(context.WithoutCancel(t.Context()), "SELECT pg_sleep(100)")
		sleeping <- err
	}()

	began := time.Now()
	w.mustPause(t, a)
	t.Logf("a pause took %v", time.Since(began))
	w.checkPaused(t, a)
	if err := <-sleeping; err == nil {
		t.Error("a statement ran to its end")
	}
	if err := idle.Ping(t.Context()); err == nil {
		t.Error("a session is left")
	}
	if err := other.Ping(t.Context()); err != nil {
		t.Errorf("a session of another project: %v", err)
	}
	w.checkServed(t, b)

	w.mustPause(t, a)
	for done := false; !done; { // the lock's connection ends a moment later
		var err error
		if done, err = w.AllowLogin(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.SetOwnerPassword(t.Context(), a, "another password"); err != nil {
		t.Error(err)
	}
	fsys := withMore(t, "CREATE TABLE auth.news (id int);")
	next := w.replica(t, func(s *Service) { s.Migrations, s.Cluster.Template = fsys, w.Cluster.Template })
	if err := next.MigrateFleet(t.Context(), 1, nil); err != nil {
		t.Error(err)
	}
	if d, err := w.Control.DatabaseByRef(t.Context(), a); err != nil || d.SchemaVersion != 9001 {
		t.Errorf("schema %d, %v", d.SchemaVersion, err)
	}
	if err := w.Recover(t.Context()); err != nil {
		t.Error(err)
	}
	w.checkPaused(t, a)

	began = time.Now()
	w.mustRestore(t, a)
	t.Logf("a restore took %v", time.Since(began))
	w.checkServed(t, a)
	if open, refused := w.dialAll(t, a); open != 4 {
		t.Errorf("%d of 3 roles can connect: %v", open, refused)
	}
	w.mustRestore(t, a)
	if err := w.Delete(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func(context.Context, tenants.Ref) (controldb.Project, error){"pause": w.Pause, "restore": w.Restore} {
		if _, err := do(t.Context(), a); !errors.Is(err, controldb.ErrNoProject) {
			t.Errorf("%s of a deleted project: %v", name, err)
		}
	}
}

// TestPauseNotReady: a project that is being created is not paused.
func TestPauseNotReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	noTemplate := w.replica(t, func(s *Service) { s.Cluster.Template = "reeve_not_there" })
	half, err := noTemplate.Create(t.Context(), NewProject{OrganizationID: w.org, Name: "half"})
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func(context.Context, tenants.Ref) (controldb.Project, error){"pause": w.Pause, "restore": w.Restore} {
		if _, err := do(t.Context(), half.Project.Ref); !errors.Is(err, ErrNotReady) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKilledWhilePausing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref := w.mustCreate(t, NewProject{}).Project.Ref
	for _, step := range []string{"pausing", "closed", "pausing done", "paused"} {
		t.Run(step, func(t *testing.T) {
			w.kill(t, "pause", step, ref)
			w.recoverAll(t)
			w.checkPaused(t, ref)
			w.mustRestore(t, ref)
			w.checkServed(t, ref)
		})
	}
	for _, step := range []string{"restoring", "restoring done", "active"} {
		t.Run(step, func(t *testing.T) {
			w.mustPause(t, ref)
			w.kill(t, "restore", step, ref)
			w.recoverAll(t)
			w.checkServed(t, ref)
		})
	}
}

// TestRestoreWhilePausing: the later wish wins, and the pause does not hold it up.
func TestRestoreWhilePausing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref := w.mustCreate(t, NewProject{}).Project.Ref
	other := w.replica(t)
	reached, once := make(chan struct{}), sync.Once{}
	w.After = func(step string) {
		if step == "closed" {
			once.Do(func() { close(reached) })
		}
	}
	ended := make(chan error, 1)
	go func() {
		_, err := w.Pause(t.Context(), ref)
		ended <- err
	}()
	<-reached
	if p, err := other.Restore(t.Context(), ref); err != nil || p.Status != tenants.StatusActive {
		t.Errorf("Restore = %s, %v", p.Status, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	w.checkServed(t, ref)
	if open, refused := w.dialAll(t, ref); open != 4 {
		t.Errorf("%d of 3 roles can connect: %v", open, refused)
	}
}

// TestPausedBranch: a paused branch cannot be reset, which would serve it again, and
// expires all the same.
func TestPausedBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	source := w.source(t)
	branch, err := w.Branch(t.Context(), NewProject{OrganizationID: w.org, Name: "branch", BranchOf: source, TTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ref := branch.Project.Ref
	w.mustPause(t, ref)
	if _, err := w.ResetBranch(t.Context(), ref); !errors.Is(err, ErrPaused) {
		t.Errorf("reset of a paused branch: %v", err)
	}
	w.checkPaused(t, ref)
	w.mustRestore(t, ref)
	if _, err := w.ResetBranch(t.Context(), ref); err != nil {
		t.Error(err)
	}
	w.mustPause(t, ref)
	w.later(2 * time.Hour)
	if err := w.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.recoverAll(t)
	w.checkGone(t, ref)
	w.checkServed(t, source)
}

// TestRestored: whoever serves projects is told of one once it can be served again.
func TestRestored(t *testing.T) {
	t.Parallel()
	told := make(chan tenants.Status, 10)
	w := newWorld(t, func(s *Service) {
		s.Restored = func(ref tenants.Ref) {
			p, err := s.Control.ProjectByRef(context.Background(), ref)
			if err != nil {
				t.Error(err)
			}
			told <- p.Status
		}
	})
	ref := w.mustCreate(t, NewProject{}).Project.Ref
	w.mustPause(t, ref)
	if len(told) != 0 {
		t.Error("told of a pause")
	}
	w.mustRestore(t, ref)
	if got := <-told; got != tenants.StatusActive {
		t.Errorf("told while it was %s", got)
	}
}
