package authz_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

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
	var asked atomic.Int64
	for range 20 {
		group.Go(func() {
			asked.Add(1)
			if err := grants(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	for samples := 0; samples < 100; {
		if n := waiting(); n > 1 {
			t.Errorf("%d requests read the roles", n)
			break
		}
		if asked.Load() == 20 {
			samples++
		}
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	group.Wait()
}
