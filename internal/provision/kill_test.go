package provision

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

// The child process: the step after which it dies, the action, and the
// databases.
const (
	childStep   = "REEVE_TEST_PROVISION_STEP"
	childAction = "REEVE_TEST_PROVISION_ACTION"
	childEnv    = "REEVE_TEST_PROVISION_ENV"
)

// child runs one action and kills itself after a step.
func child() {
	f := strings.Split(os.Getenv(childEnv), "\n") // control URL, master key, admin URL, organization, ref
	s, err := open(f[0], f[1], f[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	s.After = func(step string) {
		if step == os.Getenv(childStep) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	ctx := context.Background()
	switch os.Getenv(childAction) {
	case "warm":
		_, err = s.Warm(ctx)
	case "create":
		_, err = s.Create(ctx, NewProject{OrganizationID: uuid.MustParse(f[3]), Name: "killed", DBPassword: "chosen"})
	case "branch":
		_, err = s.Branch(ctx, NewProject{OrganizationID: uuid.MustParse(f[3]), Name: "killed", BranchOf: tenants.Ref(f[4])})
	case "reset":
		_, err = s.ResetBranch(ctx, tenants.Ref(f[4]))
	case "pause":
		_, err = s.Pause(ctx, tenants.Ref(f[4]))
	case "restore":
		_, err = s.Restore(ctx, tenants.Ref(f[4]))
	case "delete":
		err = s.Delete(ctx, tenants.Ref(f[4]))
	}
	fmt.Fprintln(os.Stderr, "the step was never reached:", err)
	os.Exit(4)
}

// kill runs an action in a child process that dies after the step.
func (w *world) kill(t *testing.T, action, step string, ref tenants.Ref) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childStep+"="+step, childAction+"="+action, childEnv+"="+strings.Join(
		[]string{w.url, w.masterKey, testkit.Postgres(t), w.org.String(), string(ref)}, "\n"))
	out, _ := cmd.CombinedOutput()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("child was not killed after %q: %v\n%s", step, cmd.ProcessState, out)
	}
}

var buildSteps = []string{
	"roles", "roles recorded", "copied", "database", "database recorded",
	"adopt", "adopt recorded", "verify", "verify recorded", "finish",
}

func TestKilledWhileCreating(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, step := range append([]string{"create"}, buildSteps...) {
		t.Run(step, func(t *testing.T) {
			w.kill(t, "create", step, "")
			w.recoverAll(t)
			refs, err := queryRefs(t.Context(), w, "SELECT ref FROM projects WHERE deleted_at IS NULL")
			if err != nil || len(refs) != 1 {
				t.Fatalf("%d projects, %v", len(refs), err)
			}
			w.checkServed(t, refs[0])
			if !strings.Contains(w.ownerURL(t, refs[0]), ":chosen@") {
				t.Error("the chosen password is lost")
			}
			w.checkNoOrphan(t)
			if err := w.Delete(t.Context(), refs[0]); err != nil {
				t.Fatal(err)
			}
			w.checkGone(t, refs[0])
		})
	}
}

func TestKilledWhileTakingWarmOneWithPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, step := range []string{"create", "roles", "verify", "verify recorded", "finish"} {
		t.Run(step, func(t *testing.T) {
			w.mustWarm(t)
			w.kill(t, "create", step, "")
			w.recoverAll(t)
			refs, err := queryRefs(t.Context(), w, "SELECT ref FROM projects WHERE deleted_at IS NULL")
			if err != nil || len(refs) != 1 {
				t.Fatalf("%d projects, %v", len(refs), err)
			}
			w.checkServed(t, refs[0])
			if err := w.Delete(t.Context(), refs[0]); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestKilledWhileWarming(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, step := range append([]string{"warm"}, buildSteps...) {
		t.Run(step, func(t *testing.T) {
			w.kill(t, "warm", step, "")
			w.recoverAll(t)
			if n, err := w.Control.CountWarm(t.Context(), "test"); err != nil || n != 1 {
				t.Fatalf("%d warm databases, %v", n, err)
			}
			created := w.mustCreate(t, NewProject{})
			w.checkServed(t, created.Project.Ref)
			w.checkNoOrphan(t)
		})
	}
}

func TestKilledWhileDeleting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, step := range []string{"delete", "shut out", "closing", "drop database", "forget", "drop roles", "drop roles recorded"} {
		t.Run(step, func(t *testing.T) {
			ref := w.mustCreate(t, NewProject{}).Project.Ref
			w.kill(t, "delete", step, ref)
			w.recoverAll(t)
			w.checkGone(t, ref)
			w.checkBuried(t, ref)
			w.checkNoOrphan(t)
		})
	}
}

// TestRecoverAtOnce lets two replicas recover the same leftovers.
func TestRecoverAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.replica(t)
	w.kill(t, "create", "database", "")
	w.kill(t, "create", "adopt recorded", "")
	deleted := w.mustCreate(t, NewProject{}).Project.Ref
	w.kill(t, "delete", "drop database", deleted)
	var group sync.WaitGroup
	for _, s := range []*Service{w.Service, other, w.Service, other} {
		group.Go(func() {
			if err := s.Recover(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	w.recoverAll(t)
	refs, err := queryRefs(t.Context(), w, "SELECT ref FROM projects WHERE deleted_at IS NULL")
	if err != nil || len(refs) != 2 {
		t.Fatalf("%d projects, %v", len(refs), err)
	}
	for _, ref := range refs {
		w.checkServed(t, ref)
	}
	w.checkGone(t, deleted)
	w.checkNoOrphan(t)
}

// checkNoOrphan compares the cluster with the rows.
func (w *world) checkNoOrphan(t *testing.T) {
	t.Helper()
	orphans, err := w.Orphans(t.Context())
	if err != nil || len(orphans) != 0 {
		t.Errorf("orphans: %v, %v", orphans, err)
	}
}

// TestGivenUp has a creation that fails permanently: it ends as failed and can
// be deleted, and a warm one is dropped.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	broken := w.replica(t, func(s *Service) { s.Cluster.Template = "reeve_not_there" })
	created, err := broken.Create(t.Context(), NewProject{OrganizationID: w.org, Name: "a"})
	if err != nil || created.Project.Status != tenants.StatusCreating {
		t.Fatalf("Create = %s, %v", created.Project.Status, err)
	}
	if made, err := broken.Warm(t.Context()); err == nil || made {
		t.Fatalf("Warm = %v, %v", made, err)
	}
	later := w.Control
	for range maxAttempts - 1 {
		if _, err := later.Pool().Exec(t.Context(), "UPDATE databases SET retry_at = NULL"); err != nil {
			t.Fatal(err)
		}
		if err := broken.Recover(t.Context()); err == nil {
			t.Error("Recover succeeded without a template")
		}
	}
	ref := created.Project.Ref
	if p, err := later.ProjectByRef(t.Context(), ref); err != nil || p.Status != tenants.StatusFailed {
		t.Errorf("project is %s, %v", p.Status, err)
	}
	w.recoverAllBut(t, ref)
	w.checkNoOrphan(t)
	if err := w.Delete(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	w.checkGone(t, ref)
	if refs, err := queryRefs(t.Context(), w, "SELECT ref FROM databases WHERE state <> 'dropped'"); err != nil || len(refs) != 0 {
		t.Errorf("%v are left, %v", refs, err)
	}
}

func (w *world) recoverAllBut(t *testing.T, failed tenants.Ref) {
	t.Helper()
	if err := w.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	d, err := w.Control.DatabaseByRef(t.Context(), failed)
	if err != nil || d.State != controldb.DatabaseCreating || d.LastError == "" {
		t.Errorf("a given-up database is %s, %q, %v", d.State, d.LastError, err)
	}
}
