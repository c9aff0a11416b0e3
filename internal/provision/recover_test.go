package provision

import (
	"context"
	"testing"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// mayRetry makes failed attempts due at once.
func (w *world) mayRetry(t *testing.T) {
	t.Helper()
	if _, err := w.Control.Pool().Exec(t.Context(), "UPDATE databases SET retry_at = NULL"); err != nil {
		t.Fatal(err)
	}
}

// TestOutage has the cluster unavailable for longer than a creation has
// attempts.
func TestOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	away := w.replica(t, func(s *Service) { s.Cluster.AdminURL = "postgres://reeve@127.0.0.1:1/postgres?sslmode=disable" })
	created, err := away.Create(t.Context(), NewProject{OrganizationID: w.org, Name: "a"})
	if err != nil || created.Project.Status != tenants.StatusCreating {
		t.Fatalf("Create = %s, %v", created.Project.Status, err)
	}
	ref := created.Project.Ref
	for range 2 * maxAttempts {
		w.mayRetry(t)
		if err := away.Recover(t.Context()); err == nil {
			t.Fatal("Recover succeeded without a cluster")
		}
	}
	d, err := w.Control.DatabaseByRef(t.Context(), ref)
	if err != nil || d.Attempts != 0 || d.LastError == "" {
		t.Errorf("%d attempts, last error %q, %v", d.Attempts, d.LastError, err)
	}
	if waiting, err := w.Control.UnfinishedDatabases(t.Context(), "test", maxAttempts, w.Now()); err != nil || len(waiting) != 0 {
		t.Errorf("%d are tried again at once, %v", len(waiting), err)
	}
	w.mayRetry(t)
	w.recoverAll(t)
	w.checkServed(t, ref)
}

// TestInterrupted cancels the caller's context during attempts.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var cancel context.CancelFunc
	stopping := w.replica(t, func(s *Service) {
		s.After = func(step string) {
			if step == "copied" {
				cancel()
			}
		}
	})
	w.kill(t, "create", "create", "")
	for range 2 * maxAttempts {
		w.mayRetry(t)
		var ctx context.Context
		ctx, cancel = context.WithCancel(t.Context())
		if err := stopping.Recover(ctx); err == nil {
			t.Error("Recover went on")
		}
		cancel()
	}
	refs, err := queryRefs(t.Context(), w, "SELECT ref FROM projects WHERE status = 'creating'")
	if err != nil || len(refs) != 1 {
		t.Fatalf("%d projects are creating, %v", len(refs), err)
	}
	w.mayRetry(t)
	w.recoverAll(t)
	w.checkServed(t, refs[0])
	if d, err := w.Control.DatabaseByRef(t.Context(), refs[0]); err != nil || d.State != controldb.DatabaseAssigned {
		t.Errorf("database is %s, %v", d.State, err)
	}
}
