package authz_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// waiter counts how often an Authorizer begins to wait for the context's end, and with
// it for a read of the roles.
type waiter struct {
	context.Context
	waits *atomic.Int64
}

// Done implements context.Context.
func (w waiter) Done() <-chan struct{} {
	var caller [1]uintptr
	runtime.Callers(2, caller[:])
	if frame, _ := runtime.CallersFrames(caller[:]).Next(); strings.HasSuffix(frame.Function, "(*Authorizer).at") {
		w.waits.Add(1)
	}
	return w.Context.Done()
}

// Requests that need the roles while nobody has read them share one read, which
// goes on when the request that began it is cancelled.
func TestGrants_of_many_at_a_cold_cache(t *testing.T) {
	t.Parallel()
	w := controltest.New(t, func(*controltest.World) []controltest.Mounter { return nil })
	access := &authz.Authorizer{DB: w.DB}
	conn, err := w.DB.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), "LOCK TABLE roles"); err != nil {
		t.Fatal(err)
	}
	waiting := func() (n int) {
		err := tx.QueryRow(t.Context(), "SELECT count(*) FROM pg_locks WHERE relation = 'roles'::regclass AND NOT granted").Scan(&n)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	grants := func(ctx context.Context) error {
		g, err := access.Grants(ctx, authz.Actor{UserID: w.OwnerID}, w.Acme.ID, "")
		if err == nil {
			err = g.Require(authz.DeleteOrganization)
		}
		return err
	}
	var group sync.WaitGroup
	first, cancel := context.WithCancel(t.Context())
	group.Go(func() {
		if err := grants(first); err == nil {
			t.Error("a request that was cancelled has an answer")
		}
	})
	for waiting() == 0 {
		if t.Context().Err() != nil {
			t.Fatal(t.Context().Err())
		}
	}
	cancel()
	const many = 20
	before := w.DB.Pool().Stat().AcquireCount()
	var waits atomic.Int64
	for range many {
		group.Go(func() {
			if err := grants(waiter{t.Context(), &waits}); err != nil {
				t.Error(err)
			}
		})
	}
	for waits.Load() < many && t.Context().Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	group.Wait()
	used := w.DB.Pool().Stat().AcquireCount() - before
	if err := grants(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Now that the roles are known, a request reads its actor's only.
	if own := w.DB.Pool().Stat().AcquireCount() - before - used; used != many*own {
		t.Errorf("%d requests used %d connections, and one %d: some read the roles", many, used, own)
	}
}
