//go:build unix

package provision

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

// TestDeleteUninterrupted: a session of one project executes a function that
// Postgres does not interrupt, which is simulated by stopping its process. DROP
// DATABASE of every other project waits for it. Deletions are answered, projects
// can be created, and the deletions are finished once the function has returned.
func TestDeleteUninterrupted(t *testing.T) {
	t.Parallel()
	cluster := testkit.NewCluster(t)
	w := newWorld(t, func(s *Service) {
		s.Cluster.AdminURL = cluster.URL()
		s.deleteWait = 10 * time.Millisecond
	})
	session := connect(t, w.mustCreate(t, NewProject{}).DatabaseURL)
	if strings.HasPrefix(session.PgConn().ParameterStatus("server_version"), "14") {
		t.Skip("DROP DATABASE waits for no session there")
	}
	var doomed []tenants.Ref
	for range adminConns {
		doomed = append(doomed, w.mustCreate(t, NewProject{}).Project.Ref)
	}
	pid := int(session.PgConn().PID())
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	resume := func() { _ = syscall.Kill(pid, syscall.SIGCONT) }
	t.Cleanup(resume)

	for _, ref := range doomed {
		if err := w.Delete(t.Context(), ref); err != nil {
			t.Errorf("Delete: %v", err)
		}
	}
	awaitDropping(t, w)
	w.checkServed(t, w.mustCreate(t, NewProject{}).Project.Ref)
	resume()
	w.background.Wait()
	w.recoverAll(t)
	for _, ref := range doomed {
		w.checkGone(t, ref)
	}
}

// awaitDropping waits until as many DROP DATABASE as are allowed wait for a session.
func awaitDropping(t *testing.T, w *world) {
	t.Helper()
	for dropping := 0; dropping < dropsAtOnce; time.Sleep(10 * time.Millisecond) {
		err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ProcSignalBarrier'`).Scan(&dropping)
		if err != nil {
			t.Fatal(err)
		}
	}
}
